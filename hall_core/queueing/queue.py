"""The queue of one hall as a value: it is never changed, `evolve` makes the next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from hall_core.queueing.facts import AppointmentBooked, SealedPhone, TicketIssued, VisitPart
from hall_core.queueing.setup import HallSetup
from hall_core.queueing.states import CounterState, TicketState
from hall_core.queueing.steps import Step
from hall_core.schedule.calendar import SpecialDay

__all__ = ["Appointment", "CallShown", "Counter", "Done", "Grant", "Queue", "Ticket"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """One visit's place in a service's line. `counter` is where it was called last; `visits` are the
    services still to come after `service`, `parts` those that are done; `recalls` how often the present call
    was repeated, `rescued` that its holder came back after a missed call; `escalated` how loud the present
    call has become, `again_at` when it was shown anew.
    """

    ticket_id: str
    label: str
    service: str
    line: str
    number: int
    day: date
    channel: str
    priority: str | None
    issued_at: datetime
    effective_at: datetime
    token: str
    ahead: int
    range_min: tuple[int, int] | None
    phone_sealed: str | None
    phone_tail: str | None
    late: bool = False
    state: TicketState = TicketState.WAITING
    counter: str | None = None
    for_counter: str | None = None
    call_no: int = 0
    called_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    rating: int | None = None
    appointment: str | None = None
    postponed: int = 0
    pager: int | None = None
    nearly_by_hall: bool = False
    explained: bool = False
    visits: tuple[str, ...] = ()
    parts: tuple[VisitPart, ...] = ()
    relative: SealedPhone | None = None
    recalls: int = 0
    rescued: bool = False
    escalated: tuple[Step, ...] = ()
    again_at: datetime | None = None

    @classmethod
    def issued(cls, fact: TicketIssued) -> "Ticket":
        """The ticket as it was given."""
        return cls(
            ticket_id=fact.ticket_id,
            label=fact.label,
            service=fact.service,
            line=fact.line,
            number=fact.number,
            day=fact.day,
            channel=fact.channel,
            priority=fact.priority,
            issued_at=fact.issued_at or fact.at,
            effective_at=fact.effective_at,
            token=fact.token,
            ahead=fact.ahead,
            range_min=fact.range_min,
            phone_sealed=fact.phone_sealed,
            phone_tail=fact.phone_tail,
            late=fact.late,
            appointment=fact.appointment,
            pager=fact.pager,
            visits=fact.visits,
            parts=fact.parts,
            relative=fact.relative,
        )

    @classmethod
    def imagined(cls, line: str, service: str, day: date, now: datetime) -> "Ticket":
        """The ticket somebody would get who came now: for estimates only, it stands last."""
        return cls("", "", service, line, 10**9, day, "", None, now, now, "", 0, None, None, None)


@dataclass(frozen=True, slots=True)
class Appointment:
    """Somebody expected at a time. `ticket_id` once they have checked in."""

    appointment_id: str
    token: str
    code: str
    service: str
    starts_at: datetime
    ends_at: datetime
    channel: str
    priority: str | None
    phone_sealed: str | None
    phone_tail: str | None
    ticket_id: str | None = None

    @classmethod
    def booked(cls, fact: AppointmentBooked) -> "Appointment":
        """The appointment as it was made."""
        return cls(
            appointment_id=fact.appointment_id,
            token=fact.token,
            code=fact.code,
            service=fact.service,
            starts_at=fact.starts_at,
            ends_at=fact.ends_at,
            channel=fact.channel,
            priority=fact.priority,
            phone_sealed=fact.phone_sealed,
            phone_tail=fact.phone_tail,
        )


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter: what it serves now, the ticket in hand, and the last one it finished. `starts`: its clerk
    says when people come, as far as the last visit tells.
    """

    counter: str
    state: CounterState = CounterState.CLOSED
    services: tuple[str, ...] = ()
    clerk: str | None = None
    reason: str | None = None
    ticket_id: str | None = None
    last_id: str | None = None
    starts: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """One box's right to the numbers of a zone on some days."""

    grant_id: str
    incarnation: str
    line: str
    zone: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class CallShown:
    """A call as the board shows it, newest first in `Queue.calls`; `again`: shown anew, nobody came."""

    ticket_id: str
    label: str
    counter: str
    call_no: int
    at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request, kept so that the same request gets the same answer."""

    fingerprint: str | None
    day: date | None
    counter: str | None = None
    counter_state: CounterState | None = None
    ticket_id: str | None = None
    ticket_state: TicketState | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """Everything the facts so far say.

    `applied` counts the facts; `waiting` are the tickets in line; `numbers` the highest number given
    today per (line, zone); `trusted_day` the last day a trusted clock opened; `samples` the last
    service times in seconds per service; `late_called` says that the last call went to a late ticket;
    `appointments` are those of today and of the days to come; `calendar` the special days by date;
    `retired` says that another box has taken this one's place.
    """

    setup: HallSetup | None = None
    day: date | None = None
    trusted_day: date | None = None
    applied: int = 0
    tickets: Mapping[str, Ticket] = field(default_factory=dict)
    waiting: Mapping[str, Ticket] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    calls: tuple[CallShown, ...] = ()
    late_called: bool = False
    requests: Mapping[str, Done] = field(default_factory=dict)
    samples: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    appointments: Mapping[str, Appointment] = field(default_factory=dict)
    calendar: Mapping[str, SpecialDay] = field(default_factory=dict)
    retired: bool = False

    def find(self, ticket: str) -> Ticket | None:
        """The ticket with this id, or today's ticket with this label."""
        found = self.tickets.get(ticket)
        if found is None and ticket in self.labels:
            found = self.tickets.get(self.labels[ticket])
        return found

    def tells_arrivals(self, counter: str) -> bool:
        """True when a ticket that stands called at this counter is one whose holder has not come."""
        known = self.setup.counter(counter) if self.setup else None
        if known is None or known.presses_start == "auto":
            return self.counters[counter].starts
        return known.presses_start == "always"

    def in_hand(self, counter: str) -> Ticket | None:
        """The ticket called to or served at a counter."""
        ticket_id = self.counters[counter].ticket_id
        return self.tickets[ticket_id] if ticket_id else None
