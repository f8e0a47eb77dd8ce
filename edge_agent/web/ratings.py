"""`/api/ratings`: how a visit was. The score is taken at one touch; what was wrong may follow."""

from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge_agent.sealing import fingerprint
from edge_agent.web.view import View
from hall_core.personal import PlainId
from hall_core.queueing.commands import ExplainRating, RateTicket, RateVisit
from hall_core.queueing.reasons import REASONS, Reasons

__all__ = ["rating_routes"]

Name = Annotated[str, Field(min_length=1, max_length=64)]
RequestId = Annotated[PlainId, Field(min_length=1, max_length=64)]
Counter = Annotated[str, Field(min_length=1, max_length=32)]


class RatingRequest(BaseModel):
    """A visit is rated, 1 (worst) to 5: by the citizen at `counter` or the last one who left it, or by the
    holder of `ticket` (its id). `reasons` are for the two lowest levels.
    """

    model_config = ConfigDict(extra="forbid")

    request_id: RequestId
    counter: Counter | None = None
    ticket: Name | None = None
    score: int = Field(ge=1, le=5)
    channel: str = Field(default="page", pattern=r"^[a-z][a-z0-9-]{0,15}$")
    reasons: Reasons = Field(default=(), description=f"of {', '.join(REASONS)}")

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if (self.counter is None) == (self.ticket is None):
            raise ValueError("exactly one of counter, ticket")
        return self


class ReasonRequest(BaseModel):
    """What was wrong with the visit of `ticket` that was rated badly at `counter` a moment ago."""

    model_config = ConfigDict(extra="forbid")

    request_id: RequestId
    counter: Counter
    ticket: Name
    reasons: Reasons = Field(min_length=1, description=f"of {', '.join(REASONS)}")


def rating_routes(view: View) -> APIRouter:
    """Open to everybody in the hall: who rates has no login."""
    router = APIRouter()

    def mark(said: BaseModel) -> str:
        return fingerprint(view.guard.accounts.pepper, said.model_dump(exclude={"request_id"}, mode="json"))

    @router.post("/api/ratings", status_code=201)
    async def rate(said: RatingRequest) -> dict[str, Any]:
        """Rate a visit, once. Raises IllegalTransition where there is none to rate, UnknownTicket."""
        body = said.model_dump(exclude_none=True)
        kind = RateVisit if said.ticket is None else RateTicket
        handled = await view.hall.handle(kind(fingerprint=mark(said), **body))
        done = handled.queue.requests[said.request_id]
        ticket = handled.queue.tickets.get(done.ticket_id or "")
        return {"ticket": {"label": ticket.label} if ticket else None, "score": said.score}

    @router.post("/api/ratings/reason", status_code=201)
    async def explain(said: ReasonRequest) -> dict[str, Any]:
        """Say what was wrong, once. Raises IllegalTransition unless the visit was rated badly."""
        await view.hall.handle(ExplainRating(fingerprint=mark(said), **said.model_dump()))
        return {"reasons": list(said.reasons)}

    return router
