"""`/api/public/halls`: what everybody may know, for pages and programs without a key."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from controller.api.deps import HallId, PartsDep
from controller.use_cases.near import Point, Start, public_halls, ranked

__all__ = ["router"]

router = APIRouter(prefix="/api/public", tags=["public"])


@router.get("/halls")
async def halls(
    parts: PartsDep,
    response: Response,
    service: HallId | None = None,
    near: Annotated[str | None, Query(max_length=40)] = None,
) -> list[dict[str, Any]]:
    """Halls with their place and the waits of their services, worked out once in two seconds for all who
    ask; other sites' pages may read it. `service` and `near=lat,lon` order them as in `GET /api/halls`.
    """
    start = Start(Point.parse(near) if near is not None else None)
    found = await public_halls(parts.context)
    response.headers["Cache-Control"] = "public, max-age=2"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return found if service is None and near is None else ranked(found, service, start)
