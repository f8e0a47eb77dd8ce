"""`/api/ratings`, `/api/rating-cases`: what citizens thought, which halls do best, and how bad visits are
put right; and the telephone of a hall's manager.
"""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from controller.api.deps import Admin, HallId, PartsDep, Who
from controller.store.ratings import Wanted
from controller.use_cases.managers import forget_manager, manager_view, set_manager
from controller.use_cases.rating_cases import case_view, cases_view, take_step
from controller.use_cases.rating_figures import (
    EARLIEST,
    LATEST,
    as_csv,
    midnight,
    ranking_view,
    ratings_view,
)
from hall_core.errors.described import text_of
from hall_core.queueing.reasons import REASONS
from hall_ui import words

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["ratings"])

Limit = Annotated[int, Query(ge=1, le=5000)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
First = Annotated[date | None, Query(alias="from")]
Last = Annotated[date | None, Query(alias="to")]
CaseId = Annotated[int, Path(ge=1, le=2**63 - 1)]
State = Literal["open", "assigned", "answered", "called-back", "closed", "unfinished"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AssignBody(_Body):
    """Who looks after it."""

    to: str = Field(min_length=1, max_length=40)
    text: str = Field(default="", max_length=500)


class AnswerBody(_Body):
    """What was found, and what is done about it."""

    text: str = Field(min_length=1, max_length=500)


class CallBackBody(_Body):
    """What the citizen said to that; `not` is not satisfied."""

    result: Literal["satisfied", "unreachable", "not"]
    text: str = Field(default="", max_length=500)


class CloseBody(_Body):
    """A last word."""

    text: str = Field(default="", max_length=500)


class PhoneBody(_Body):
    """A mobile number; it is kept sealed and never shown in full again."""

    phone: str = Field(pattern=r"^1[3-9]\d{9}$", repr=False)


class RatingQuery(BaseModel):
    """Which ratings; `from` and `to` are days, both included. `q` stands in the comment, or is a label, a
    service or a counter. `after` is the last `id` seen.
    """

    hall: HallId | None = None
    score: int | None = Field(default=None, ge=1, le=5)
    first: date | None = Field(default=None, alias="from", ge=EARLIEST, le=LATEST)
    last: date | None = Field(default=None, alias="to", ge=EARLIEST, le=LATEST)
    q: str = Field(default="", max_length=60)
    reason: str | None = Field(default=None, pattern=f"^({'|'.join(REASONS)})$")
    after: int = Field(default=0, ge=0, le=2**63 - 1)
    limit: int = Field(default=1000, ge=1, le=5000)

    def wanted(self) -> Wanted:
        """As the store takes it."""
        since = midnight(self.first) if self.first else None
        until = midnight(self.last + timedelta(days=1)) if self.last else None
        return Wanted(self.hall, self.score, since, until, self.q.strip() or None, self.reason)


@router.get("/ratings")
async def ratings(parts: PartsDep, _: Who, asked: Annotated[RatingQuery, Query()]) -> list[dict[str, Any]]:
    """Ratings with their reasons and cases."""
    return await ratings_view(parts.context, asked.wanted(), after=asked.after, limit=asked.limit)


@router.get("/ratings/ranking")
async def ranking(parts: PartsDep, _: Who, first: First = None, last: Last = None) -> dict[str, Any]:
    """Halls by how satisfied their citizens are, the last thirty days unless `from` and `to` are given.

    `rank` follows `satisfied_low`, the lower end of the Wilson interval (95 %) of the share that rated 3 to
    5; halls with fewer than ten ratings have none. `unrated_long_ago` are visits nobody rated: they are in
    no other figure.
    """
    return await ranking_view(parts.context, first, last)


@router.get("/ratings/ranking.csv", response_class=Response, responses=text_of("text/csv"))
async def ranking_csv(
    parts: PartsDep, _: Who, first: First = None, last: Last = None, lang: Literal["zh", "en"] = "zh"
) -> Response:
    """The same for a spreadsheet."""
    view = await ranking_view(parts.context, first, last)
    name = f"ratings-{view['from']}-{view['to']}.csv"
    body = as_csv(view["halls"], words(lang)["ranking"])
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=head)


@router.get("/rating-cases")
async def cases(
    parts: PartsDep,
    _: Who,
    hall: HallId | None = None,
    state: State | None = None,
    after: After = 0,
    limit: Limit = 1000,
) -> list[dict[str, Any]]:
    """Cases of bad ratings with their deadlines; `after` is the `id`, `late` the deadline that has passed."""
    return await cases_view(parts.context, hall=hall, state=state, after=after, limit=limit)


@router.get("/rating-cases/{case}")
async def one_case(case: CaseId, parts: PartsDep, _: Who) -> dict[str, Any]:
    """One case, every step by whom and when, and which steps may come next."""
    return await case_view(parts.context, case)


@router.post("/rating-cases/{case}/assign")
async def assign(case: CaseId, body: AssignBody, parts: PartsDep, who: Admin) -> dict[str, Any]:
    """Give it to somebody, or to somebody else."""
    return await take_step(parts.context, case, "assign", who.name, **body.model_dump())


@router.post("/rating-cases/{case}/answer")
async def answer(case: CaseId, body: AnswerBody, parts: PartsDep, who: Admin) -> dict[str, Any]:
    """Write what was found and done."""
    return await take_step(parts.context, case, "answer", who.name, **body.model_dump())


@router.post("/rating-cases/{case}/call-back")
async def call_back(case: CaseId, body: CallBackBody, parts: PartsDep, who: Admin) -> dict[str, Any]:
    """The citizen was called, or tried to be."""
    return await take_step(parts.context, case, "call-back", who.name, **body.model_dump())


@router.post("/rating-cases/{case}/close")
async def close(case: CaseId, body: CloseBody, parts: PartsDep, who: Admin) -> dict[str, Any]:
    """Nothing is left to do."""
    return await take_step(parts.context, case, "close", who.name, **body.model_dump())


@router.get("/halls/{hall}/manager-phone")
async def manager(hall: HallId, parts: PartsDep, _: Admin) -> dict[str, Any]:
    """Whose telephone tells of bad ratings, masked."""
    return await manager_view(parts.context, hall)


@router.put("/halls/{hall}/manager-phone")
async def put_manager(hall: HallId, body: PhoneBody, parts: PartsDep, who: Admin) -> dict[str, Any]:
    """From now on this telephone tells of the hall's bad ratings."""
    return await set_manager(parts.context, hall, body.phone, who.name)


@router.delete("/halls/{hall}/manager-phone", status_code=204)
async def remove_manager(hall: HallId, parts: PartsDep, _: Admin) -> None:
    """Nobody is told by message any more."""
    await forget_manager(parts.context, hall)
