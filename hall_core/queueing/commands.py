"""Wishes: what somebody wants of the queue. Imperative; a wish can be refused, a fact cannot.

`request_id` makes a wish idempotent: the same id again gets the same answer and changes nothing.
`fingerprint` is a keyed digest of the request's body, made where the body was read.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from hall_core.personal import FreeText
from hall_core.queueing.command_base import CommandBase
from hall_core.queueing.commands_of_boxes import ReRegister, RetireBox, TakenOver, TakeOver
from hall_core.queueing.fact_base import SealedPhone
from hall_core.queueing.reasons import Reasons
from hall_core.queueing.setup import HallSetup
from hall_core.queueing.steps import Step
from hall_core.schedule.calendar import SpecialDay

__all__ = [
    "AdmitTicket",
    "BookAppointment",
    "Call",
    "CallNext",
    "CancelTicket",
    "CloseCounter",
    "ComeLater",
    "Command",
    "CommandBase",
    "ConfigureHall",
    "CounterCommand",
    "DropAppointment",
    "Escalate",
    "ExplainRating",
    "Finish",
    "GivePager",
    "GrantZone",
    "Hold",
    "IssueTicket",
    "NoShow",
    "OpenBusinessDay",
    "OpenCounter",
    "PauseCounter",
    "PostponeTicket",
    "RateTicket",
    "RateVisit",
    "ReRegister",
    "Recall",
    "RecordNotice",
    "ResumeCounter",
    "RetireBox",
    "Return",
    "SetCalendar",
    "Start",
    "TakeOver",
    "TakenOver",
    "Transfer",
    "command_adapter",
]


class ConfigureHall(CommandBase):
    """Set the hall up like this."""

    kind: Literal["configure-hall"] = "configure-hall"
    setup: HallSetup


class OpenBusinessDay(CommandBase):
    """Begin `day`: tickets of earlier days that were never served lapse."""

    kind: Literal["open-business-day"] = "open-business-day"
    day: date
    trusted: bool = True


class SetCalendar(CommandBase):
    """These are the special days; all that were known before are forgotten."""

    kind: Literal["set-calendar"] = "set-calendar"
    days: tuple[SpecialDay, ...] = Field(max_length=800)


class GrantZone(CommandBase):
    """Give one box a zone of numbers."""

    kind: Literal["grant-zone"] = "grant-zone"
    grant_id: str
    incarnation: str
    line: str = "*"
    zone: int = Field(ge=0, le=98)
    first_day: date
    last_day: date


class IssueTicket(CommandBase):
    """Give a number. `ticket_id` and `token` are made by the caller; the phone arrives sealed.

    `appointment` (its id, its link's token, or today's code) checks an appointment in: then id, token,
    service and phone are the appointment's. With `more_services` one number stands for several services;
    the hall chooses which comes first.
    """

    kind: Literal["issue-ticket"] = "issue-ticket"
    ticket_id: str = Field(min_length=1, max_length=64)
    token: str = Field(min_length=1, max_length=64)
    service: str = ""
    more_services: tuple[str, ...] = Field(default=(), max_length=16)
    appointment: str | None = Field(default=None, min_length=1, max_length=64)
    channel: str = Field(default="kiosk", max_length=16)
    priority: str | None = None
    pager: int | None = Field(default=None, ge=0, le=99_999)
    relative: SealedPhone | None = None
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class AdmitTicket(CommandBase):
    """Take in a number the controller gave from its own series while the hall was away.

    `replaces` is the request the hall was asked first: if it answered that too, the number the
    citizen was shown wins, and the hall's own is voided unless it was called already.
    """

    kind: Literal["admit-ticket"] = "admit-ticket"
    ticket_id: str = Field(min_length=1, max_length=64)
    token: str = Field(min_length=1, max_length=64)
    number: int = Field(ge=1, le=98_999)
    service: str
    more_services: tuple[str, ...] = Field(default=(), max_length=16)
    channel: str = Field(default="web", max_length=16)
    priority: str | None = None
    issued_at: AwareDatetime
    replaces: str | None = Field(default=None, max_length=64)
    relative: SealedPhone | None = None
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class BookAppointment(CommandBase):
    """Expect somebody at a time; the same id again replaces what was booked under it."""

    kind: Literal["book-appointment"] = "book-appointment"
    appointment_id: str = Field(min_length=1, max_length=64)
    token: str = Field(min_length=1, max_length=64)
    code: str = Field(pattern=r"^\d{6}$")
    service: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    channel: str = Field(default="web", max_length=16)
    priority: str | None = None
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class DropAppointment(CommandBase):
    """Expect them no longer."""

    kind: Literal["drop-appointment"] = "drop-appointment"
    appointment_id: str = Field(min_length=1, max_length=64)
    reason: FreeText = Field(default="取消", min_length=1, max_length=40)


class PostponeTicket(CommandBase):
    """Let a few people pass: the ticket goes behind the next ones of its service."""

    kind: Literal["postpone"] = "postpone"
    ticket: str


class ComeLater(CommandBase):
    """Called, and on the way: the counter is free again, the ticket goes behind the next ones, once."""

    kind: Literal["come-later"] = "come-later"
    ticket: str


class CounterCommand(CommandBase):
    """A clerk's wish at one counter."""

    counter: str


class OpenCounter(CounterCommand):
    """Begin service; without `services` the counter serves all it is set up for."""

    kind: Literal["open"] = "open"
    services: tuple[str, ...] | None = None
    clerk: str | None = Field(default=None, max_length=32)


class PauseCounter(CounterCommand):
    """Call nobody for a while."""

    kind: Literal["pause"] = "pause"
    reason: FreeText = Field(default="暂停服务", min_length=1, max_length=40)


class ResumeCounter(CounterCommand):
    """End the pause."""

    kind: Literal["resume"] = "resume"


class CloseCounter(CounterCommand):
    """End service."""

    kind: Literal["close"] = "close"


class CallNext(CounterCommand):
    """Call whoever is next.

    A key-pad has one key for it: with `finish_current` the ticket in hand is finished first.
    """

    kind: Literal["call-next"] = "call-next"
    finish_current: bool = False


class TicketCommand(CounterCommand):
    """A wish about a ticket; without `ticket` (id or label) the one in hand at the counter."""

    ticket: str | None = None


class Call(TicketCommand):
    """Call this ticket out of order, with a reason."""

    kind: Literal["call"] = "call"
    reason: FreeText = Field(default="特呼", min_length=1, max_length=40)


class Recall(TicketCommand):
    """Call the ticket in hand again."""

    kind: Literal["recall"] = "recall"


class Start(TicketCommand):
    """The citizen has come."""

    kind: Literal["start"] = "start"


class Finish(TicketCommand):
    """The visit is done."""

    kind: Literal["finish"] = "finish"


class NoShow(TicketCommand):
    """The citizen did not come."""

    kind: Literal["no-show"] = "no-show"


class Hold(TicketCommand):
    """Set the ticket aside."""

    kind: Literal["hold"] = "hold"
    reason: FreeText | None = Field(default=None, max_length=40)


class Return(TicketCommand):
    """Put a held, missed or called ticket back into the line."""

    kind: Literal["return"] = "return"


class Transfer(TicketCommand):
    """Send the ticket to another service, or to one counter, with its label and its time."""

    kind: Literal["transfer"] = "transfer"
    to_service: str | None = None
    to_counter: str | None = None


class RateVisit(CounterCommand):
    """The citizen at this counter, or the last one who left it, says how the visit was."""

    kind: Literal["rate"] = "rate"
    score: int = Field(ge=1, le=5)
    channel: str = Field(default="evaluator", max_length=16)
    reasons: Reasons = ()


class RateTicket(CommandBase):
    """The holder of a ticket that was served today says how the visit was, at a terminal of the hall."""

    kind: Literal["rate-ticket"] = "rate-ticket"
    ticket: str = Field(min_length=1, max_length=64)
    score: int = Field(ge=1, le=5)
    channel: str = Field(default="terminal", max_length=16)
    reasons: Reasons = ()


class ExplainRating(CounterCommand):
    """What was wrong with the visit that was rated badly at this counter a moment ago."""

    kind: Literal["explain-rating"] = "explain-rating"
    ticket: str = Field(min_length=1, max_length=64)
    reasons: Reasons = Field(min_length=1)


class GivePager(CommandBase):
    """Hand a pager to the ticket's holder; without `pager` it was handed back."""

    kind: Literal["give-pager"] = "give-pager"
    ticket: str
    pager: int | None = Field(default=None, ge=0, le=99_999)


class Escalate(CommandBase):
    """Nobody came to this call: take the next step, which is due by the clock."""

    kind: Literal["escalate"] = "escalate"
    ticket: str = Field(min_length=1, max_length=64)
    call_no: int = Field(ge=1)
    step: Step


class RecordNotice(CommandBase):
    """Write down what came of a notice that the hall sent itself."""

    kind: Literal["record-notice"] = "record-notice"
    ticket: str
    notice: Literal["called", "nearly", "confirmation", "recall", "relative"]
    call_no: int = Field(default=0, ge=0)
    outcome: str = Field(max_length=16)


class CancelTicket(CommandBase):
    """Void a ticket, by its citizen or by staff (then with the `counter`)."""

    kind: Literal["cancel"] = "cancel"
    ticket: str | None = None
    counter: str | None = None
    reason: FreeText = Field(default="取消", min_length=1, max_length=40)


Command = Annotated[
    ConfigureHall
    | OpenBusinessDay
    | GrantZone
    | SetCalendar
    | IssueTicket
    | AdmitTicket
    | TakeOver
    | RetireBox
    | ReRegister
    | BookAppointment
    | DropAppointment
    | PostponeTicket
    | ComeLater
    | OpenCounter
    | PauseCounter
    | ResumeCounter
    | CloseCounter
    | CallNext
    | Call
    | Recall
    | Start
    | Finish
    | NoShow
    | Hold
    | Return
    | Transfer
    | RateVisit
    | RateTicket
    | ExplainRating
    | GivePager
    | RecordNotice
    | Escalate
    | CancelTicket,
    Field(discriminator="kind"),
]

command_adapter: TypeAdapter[Command] = TypeAdapter(Command)
