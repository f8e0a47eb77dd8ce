"""Facts about a visit beside its states: its rating, its pager, what its holder was told, and how loudly."""

from typing import Literal

from pydantic import Field

from hall_core.queueing.fact_base import MAX_COUNT, MAX_PAGER, FactBase
from hall_core.queueing.reasons import Reasons
from hall_core.queueing.steps import Step

__all__ = ["CallEscalated", "NoticeByHall", "PagerGiven", "TicketRated", "TicketRatingExplained"]


class TicketRated(FactBase):
    """A citizen said how the visit was, 1 (worst) to 5, right after it. It moves the ticket nowhere."""

    kind: Literal["ticket-rated"] = "ticket-rated"
    ticket_id: str = Field(min_length=1, max_length=64)
    counter: str
    score: int = Field(ge=1, le=5)
    channel: str = "evaluator"
    reasons: Reasons = ()


class TicketRatingExplained(FactBase):
    """Who rated a visit badly said afterwards what was wrong, by codes of `reasons.REASONS`."""

    kind: Literal["ticket-rating-explained"] = "ticket-rating-explained"
    ticket_id: str = Field(min_length=1, max_length=64)
    counter: str
    reasons: Reasons


class PagerGiven(FactBase):
    """The ticket's holder carries this pager from now on; none when it was handed back."""

    kind: Literal["pager-given"] = "pager-given"
    ticket_id: str = Field(min_length=1, max_length=64)
    pager: int | None = Field(default=None, ge=0, le=MAX_PAGER)


class CallEscalated(FactBase):
    """Nobody came to this call for so long: it is shown anew, or told by pager, by short message, or to a
    relative. `notice_by` as in `TicketCalled`.
    """

    kind: Literal["call-escalated"] = "call-escalated"
    ticket_id: str = Field(min_length=1, max_length=64)
    counter: str
    call_no: int = Field(ge=1, le=MAX_COUNT)
    step: Step
    notice_by: Literal["hall"] | None = None


class NoticeByHall(FactBase):
    """The hall tells the ticket's holder through its own modem: nobody else may.

    `outcome` is `pending` when it takes that on (for `nearly`, before the fact that moved the line) and
    later how it ended. The number it goes to is in no fact.
    """

    kind: Literal["notice-by-hall"] = "notice-by-hall"
    ticket_id: str = Field(min_length=1, max_length=64)
    notice: Literal["called", "nearly", "confirmation", "recall", "relative"]
    call_no: int = Field(default=0, ge=0, le=MAX_COUNT)
    outcome: str = Field(default="pending", max_length=16)
