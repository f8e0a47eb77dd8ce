"""Facts: what has happened. Past tense, journaled and sent exactly as they are, never edited."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from hall_core.queueing.setup import HallSetup

__all__ = [
    "AppointmentBooked",
    "AppointmentDropped",
    "AppointmentFact",
    "AppointmentMissed",
    "BusinessDayOpened",
    "CounterClosed",
    "CounterFact",
    "CounterOpened",
    "CounterPaused",
    "CounterResumed",
    "Fact",
    "FactBase",
    "HallConfigured",
    "ServiceStarted",
    "TicketCalled",
    "TicketCancelled",
    "TicketFact",
    "TicketFinished",
    "TicketHeld",
    "TicketIssued",
    "TicketLapsed",
    "TicketNoShow",
    "TicketPostponed",
    "TicketRated",
    "TicketRecalled",
    "TicketReturned",
    "TicketTransferred",
    "WishRefused",
    "ZoneGranted",
    "fact_adapter",
    "facts_adapter",
]


#: zone 98 ends here
MAX_NUMBER = 98_999
#: what every database can hold
MAX_COUNT = 2**31 - 1


class FactBase(BaseModel):
    """When it happened, and which request caused it (`fingerprint` tells requests with one id apart)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    request_id: str | None = None
    fingerprint: str | None = None


class HallConfigured(FactBase):
    """The hall is now set up like this."""

    kind: Literal["hall-configured"] = "hall-configured"
    setup: HallSetup


class BusinessDayOpened(FactBase):
    """From here on labels belong to `day`; `trusted` says whether the clock that said so was."""

    kind: Literal["business-day-opened"] = "business-day-opened"
    day: date
    trusted: bool = True


class ZoneGranted(FactBase):
    """One box may issue the numbers of one zone on the days `first_day` … `last_day` (both included)."""

    kind: Literal["zone-granted"] = "zone-granted"
    grant_id: str
    incarnation: str
    line: str = Field(description="a service's prefix, or * for all lines")
    zone: int = Field(ge=0, le=98)
    first_day: date
    last_day: date


class WishRefused(FactBase):
    """A wish of the controller was refused: the answer it waits for."""

    kind: Literal["wish-refused"] = "wish-refused"
    wish: str
    slug: str
    detail: str


class AppointmentFact(FactBase):
    """A fact about one appointment; a check-in makes it the ticket with the same id."""

    appointment_id: str = Field(min_length=1, max_length=64)


class AppointmentBooked(AppointmentFact):
    """The hall expects somebody; said again for one id, it replaces what was said before."""

    kind: Literal["appointment-booked"] = "appointment-booked"
    token: str
    code: str
    service: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    channel: str = "web"
    priority: str | None = None
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class AppointmentDropped(AppointmentFact):
    """The hall expects them no longer."""

    kind: Literal["appointment-dropped"] = "appointment-dropped"
    reason: str


class AppointmentMissed(AppointmentFact):
    """Its day ended, and nobody had checked in."""

    kind: Literal["appointment-missed"] = "appointment-missed"


class TicketFact(FactBase):
    """A fact about one ticket."""

    ticket_id: str = Field(min_length=1, max_length=64)


class TicketIssued(TicketFact):
    """A number was given. `ahead` and `range_min` are what the citizen was told.

    `late`: the controller gave it while the hall was away, and it was taken in now. `appointment`: it
    is the check-in of the appointment with this id.
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
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class TicketCalled(TicketFact):
    """A counter calls the ticket; `call_no` counts calls and recalls of this ticket from 1."""

    kind: Literal["ticket-called"] = "ticket-called"
    counter: str
    call_no: int = Field(ge=1, le=MAX_COUNT)
    reason: str | None = None


class TicketRecalled(TicketFact):
    """The counter calls the same ticket again."""

    kind: Literal["ticket-recalled"] = "ticket-recalled"
    counter: str
    call_no: int = Field(ge=1, le=MAX_COUNT)


class ServiceStarted(TicketFact):
    """The citizen is at the counter."""

    kind: Literal["service-started"] = "service-started"
    counter: str


class TicketFinished(TicketFact):
    """The visit is done."""

    kind: Literal["ticket-finished"] = "ticket-finished"
    counter: str


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


class TicketRated(FactBase):
    """A citizen said how the visit was, 1 (worst) to 5, right after it. It moves the ticket nowhere."""

    kind: Literal["ticket-rated"] = "ticket-rated"
    ticket_id: str = Field(min_length=1, max_length=64)
    counter: str
    score: int = Field(ge=1, le=5)
    channel: str = "evaluator"


class CounterFact(FactBase):
    """A fact about one counter."""

    counter: str


class CounterOpened(CounterFact):
    """The counter serves `services` from now on."""

    kind: Literal["counter-opened"] = "counter-opened"
    services: tuple[str, ...]
    clerk: str | None = None


class CounterPaused(CounterFact):
    """Nobody is called here for a while."""

    kind: Literal["counter-paused"] = "counter-paused"
    reason: str


class CounterResumed(CounterFact):
    """The pause is over."""

    kind: Literal["counter-resumed"] = "counter-resumed"


class CounterClosed(CounterFact):
    """The counter has ended its service."""

    kind: Literal["counter-closed"] = "counter-closed"


Fact = Annotated[
    HallConfigured
    | BusinessDayOpened
    | ZoneGranted
    | WishRefused
    | AppointmentBooked
    | AppointmentDropped
    | AppointmentMissed
    | TicketIssued
    | TicketCalled
    | TicketRecalled
    | ServiceStarted
    | TicketFinished
    | TicketNoShow
    | TicketHeld
    | TicketReturned
    | TicketPostponed
    | TicketTransferred
    | TicketCancelled
    | TicketLapsed
    | TicketRated
    | CounterOpened
    | CounterPaused
    | CounterResumed
    | CounterClosed,
    Field(discriminator="kind"),
]

fact_adapter: TypeAdapter[Fact] = TypeAdapter(Fact)
facts_adapter: TypeAdapter[list[Fact]] = TypeAdapter(list[Fact])
