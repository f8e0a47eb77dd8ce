"""`/api/appeals`: what citizens say about appointments they missed, and what the hall's manager answers."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from controller.api.deps import Admin, HallId, PartsDep, Who
from controller.use_cases.appeal_office import appeals_view, decide
from controller.use_cases.appeals import LONGEST

__all__ = ["router"]

router = APIRouter(prefix="/api/appeals", tags=["appointments"])

AppealId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class AnswerBody(BaseModel):
    """What the citizen reads."""

    model_config = ConfigDict(extra="forbid")

    answer: str = Field(min_length=1, max_length=LONGEST)


@router.get("")
async def appeals(
    parts: PartsDep,
    _: Who,
    hall: HallId | None = None,
    state: Literal["open", "granted", "refused", "lapsed"] | None = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> list[dict[str, Any]]:
    """Appeals, the newest first; with `after` those after this `id`, as they came. `days` are the days with
    missed appointments that count against the person now.
    """
    return await appeals_view(parts.context, hall=hall, state=state, after=after, limit=limit)


@router.post("/{appeal}/grant")
async def grant(appeal: AppealId, body: AnswerBody, parts: PartsDep, who: Admin) -> dict[str, Any]:
    """The appointment does not count as missed."""
    return await decide(parts.context, appeal, grant=True, answer=body.answer, who=who.name)


@router.post("/{appeal}/refuse")
async def refuse(appeal: AppealId, body: AnswerBody, parts: PartsDep, who: Admin) -> dict[str, Any]:
    """It counts."""
    return await decide(parts.context, appeal, grant=False, answer=body.answer, who=who.name)
