"""`/api/receipts/{door}`: gateways that push what became of notices."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from controller.api.deps import PartsDep
from hall_core.errors import BadRequest

__all__ = ["router"]

router = APIRouter(prefix="/api/receipts", tags=["receipts"])

#: bytes of one push
LONGEST = 1 << 20
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}


@router.post("/{door}", openapi_extra=_BODY)
async def receipts(
    door: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{22}$")], request: Request, parts: PartsDep
) -> dict[str, Any]:
    """Receipts in the gateway's own form, in any order and however often they come; the answer is the one the
    gateway expects, after they are stored. `hall-controller receipts` prints the addresses.
    """
    provider = parts.receipts.behind(door)  # before anything of the body is read
    return dict(await parts.receipts.pushed(provider, await _rows(request)))


async def _rows(request: Request) -> Any:
    """Whatever the sender calls its JSON. Raises BadRequest, before much has been read."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise BadRequest(what=f"body: more than {LONGEST} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(what="body: no JSON") from error
