"""Facts that move a ticket from state to state."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hall_core.queueing.fact_base import MAX_COUNT, MAX_NUMBER, MAX_PAGER, FactBase, SealedPhone

__all__ = [
    "ServiceStarted",
    "TicketCalled",
    "TicketCancelled",
    "TicketFact",
    "TicketFinished",
    "TicketHeld",
    "TicketIssued",
    "TicketLapsed",
    "TicketMovedOn",
    "TicketNoShow",
    "TicketPostponed",
    "TicketRecalled",
    "TicketReturned",
    "TicketTransferred",
    "VisitPart",
]


class VisitPart(BaseModel):
    """One of several services of a visit, done at a counter."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    service: str
    counter: str
    began: AwareDatetime
    ended: AwareDatetime


class TicketFact(FactBase):
    """A fact about one ticket."""

    ticket_id: str = Field(min_length=1, max_length=64)


class TicketIssued(TicketFact):
    """A number was given. `ahead` and `range_min` are what the citizen was told.

    `late`: the controller gave it while the hall was away, and it was taken in now. `appointment`: it
    is the check-in of the appointment with this id. `pager`: the one its holder carries. `notice_by`:
    who tells the holder, the controller or (`hall`) the hall's own modem, because the link is down.
    `visits`: the services that come after `service`; `parts`: those that were done in another box.
    `relative`: who is told when a call is not answered.
    """

    kind: Literal["ticket-issued"] = "ticket-issued"
    label: str
    service: str
    line: str
    number: int = Field(ge=1, le=MAX_NUMBER)
    day: date
    channel: str = "kiosk"
    priority: str | None = None
    effective_at: AwareDatetime
    token: str
    ahead: int = Field(ge=0, le=MAX_COUNT)
    range_min: tuple[int, int] | None = None
    late: bool = False
    appointment: str | None = None
    issued_at: AwareDatetime | None = Field(
        default=None, description="when another box gave it that is gone; this one took it over now"
    )
    pager: int | None = Field(default=None, ge=0, le=MAX_PAGER)
    notice_by: Literal["hall"] | None = None
    visits: tuple[str, ...] = ()
    parts: tuple[VisitPart, ...] = ()
    relative: SealedPhone | None = None
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class TicketCalled(TicketFact):
    """A counter calls the ticket; `call_no` counts calls and recalls of this ticket from 1.

    `notice_by` as in `TicketIssued`: decided with the call, so that nobody is told twice.
    """

    kind: Literal["ticket-called"] = "ticket-called"
    counter: str
    call_no: int = Field(ge=1, le=MAX_COUNT)
    reason: str | None = None
    notice_by: Literal["hall"] | None = None


class TicketRecalled(TicketFact):
    """The counter calls the same ticket again."""

    kind: Literal["ticket-recalled"] = "ticket-recalled"
    counter: str
    call_no: int = Field(ge=1, le=MAX_COUNT)
    notice_by: Literal["hall"] | None = None


class ServiceStarted(TicketFact):
    """The citizen is at the counter."""

    kind: Literal["service-started"] = "service-started"
    counter: str


class TicketFinished(TicketFact):
    """The visit is done."""

    kind: Literal["ticket-finished"] = "ticket-finished"
    counter: str


class TicketMovedOn(TicketFact):
    """One of several services is done (`done`); the ticket waits for the next one with its label and time."""

    kind: Literal["ticket-moved-on"] = "ticket-moved-on"
    counter: str
    done: str
    service: str


class TicketNoShow(TicketFact):
    """Called, did not come."""

    kind: Literal["ticket-no-show"] = "ticket-no-show"
    counter: str


class TicketHeld(TicketFact):
    """Set aside by the counter; keeps its place in time."""

    kind: Literal["ticket-held"] = "ticket-held"
    counter: str
    reason: str | None = None


class TicketReturned(TicketFact):
    """Back in the line, ordered by `effective_at`."""

    kind: Literal["ticket-returned"] = "ticket-returned"
    effective_at: AwareDatetime


class TicketPostponed(TicketFact):
    """Its holder lets others pass: from now on ordered by `effective_at`."""

    kind: Literal["ticket-postponed"] = "ticket-postponed"
    effective_at: AwareDatetime


class TicketTransferred(TicketFact):
    """Sent on with its label: to another service, or to one counter."""

    kind: Literal["ticket-transferred"] = "ticket-transferred"
    counter: str
    service: str
    to_counter: str | None = None


class TicketCancelled(TicketFact):
    """Given up by the citizen or voided by staff."""

    kind: Literal["ticket-cancelled"] = "ticket-cancelled"
    reason: str


class TicketLapsed(TicketFact):
    """Its business day is over and it was never served."""

    kind: Literal["ticket-lapsed"] = "ticket-lapsed"
