"""Facts: what has happened. Past tense, journaled and sent exactly as they are, never edited."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from hall_core.queueing.reasons import Reasons
from hall_core.queueing.setup import HallSetup
from hall_core.schedule.calendar import SpecialDay

__all__ = [
    "AppointmentBooked",
    "AppointmentDropped",
    "AppointmentFact",
    "AppointmentMissed",
    "BoxRetired",
    "BusinessDayOpened",
    "CalendarSet",
    "CounterClosed",
    "CounterFact",
    "CounterOpened",
    "CounterPaused",
    "CounterResumed",
    "Fact",
    "FactBase",
    "FactUnreadable",
    "HallConfigured",
    "NoticeByHall",
    "PagerGiven",
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
    "TicketRatingExplained",
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
#: the highest number on a pager
MAX_PAGER = 99_999
#: what every database can hold
MAX_COUNT = 2**31 - 1


class FactBase(BaseModel):
    """When it happened, and which request caused it (`fingerprint` tells requests with one id apart)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    request_id: str | None = None
    fingerprint: str | None = None


class FactUnreadable(FactBase):
    """Stands in a stream for a fact that its reader cannot apply: a newer version's kind, or a damaged one.

    It is never sent. `raw` is what was sent, kept for the day when it can be read.
    """

    kind: Literal["fact-unreadable"] = "fact-unreadable"
    was: str
    reason: str
    raw: str


class HallConfigured(FactBase):
    """The hall is now set up like this."""

    kind: Literal["hall-configured"] = "hall-configured"
    setup: HallSetup


class BusinessDayOpened(FactBase):
    """From here on labels belong to `day`; `trusted` says whether the clock that said so was."""

    kind: Literal["business-day-opened"] = "business-day-opened"
    day: date
    trusted: bool = True


class BoxRetired(FactBase):
    """Another box has taken this one's place: it gives and calls no numbers any more."""

    kind: Literal["box-retired"] = "box-retired"
    successor: str | None = None


class CalendarSet(FactBase):
    """The hall's special days from now on; every other day is as its week says."""

    kind: Literal["calendar-set"] = "calendar-set"
    days: tuple[SpecialDay, ...] = Field(max_length=800)


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
    is the check-in of the appointment with this id. `pager`: the one its holder carries. `notice_by`:
    who tells the holder, the controller or (`hall`) the hall's own modem, because the link is down.
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


class NoticeByHall(FactBase):
    """The hall tells the ticket's holder through its own modem: nobody else may.

    `outcome` is `pending` when it takes that on (for `nearly`, before the fact that moved the line) and
    later how it ended. The number it goes to is in no fact.
    """

    kind: Literal["notice-by-hall"] = "notice-by-hall"
    ticket_id: str = Field(min_length=1, max_length=64)
    notice: Literal["called", "nearly", "confirmation"]
    call_no: int = Field(default=0, ge=0, le=MAX_COUNT)
    outcome: str = Field(default="pending", max_length=16)


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
    | CalendarSet
    | BoxRetired
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
    | TicketRatingExplained
    | PagerGiven
    | NoticeByHall
    | CounterOpened
    | CounterPaused
    | CounterResumed
    | CounterClosed,
    Field(discriminator="kind"),
]

fact_adapter: TypeAdapter[Fact] = TypeAdapter(Fact)
facts_adapter: TypeAdapter[list[Fact]] = TypeAdapter(list[Fact])
