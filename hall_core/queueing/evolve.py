"""Facts make the next queue. The same code builds the picture in the hall and at the controller."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hall_core.queueing import facts as f
from hall_core.queueing.estimates import SAMPLES
from hall_core.queueing.numbering import ZONE_SIZE, zone_key
from hall_core.queueing.queue import Appointment, CallShown, Counter, Done, Grant, Queue, Ticket
from hall_core.queueing.states import OPEN_STATES, CounterState, TicketState, after, counter_after
from hall_core.schedule.calendar import SpecialDay

__all__ = ["Draft", "evolve", "replay"]

#: calls the board can look back on
CALLS_KEPT = 10
#: a new call begins quietly
_QUIET: dict[str, Any] = {"escalated": (), "again_at": None}


@dataclass(slots=True)
class Draft:
    """A queue being written: own copies of what facts change."""

    setup: Any
    day: Any
    trusted_day: Any
    applied: int
    tickets: dict[str, Ticket]
    waiting: dict[str, Ticket]
    labels: dict[str, str]
    counters: dict[str, Counter]
    numbers: dict[str, int]
    grants: tuple[Grant, ...]
    calls: tuple[CallShown, ...]
    late_called: bool
    requests: dict[str, Done]
    samples: dict[str, tuple[int, ...]]
    appointments: dict[str, Appointment]
    calendar: dict[str, SpecialDay]
    retired: bool

    @classmethod
    def of(cls, queue: Queue) -> "Draft":
        """A draft that begins as this queue."""
        return cls(
            queue.setup,
            queue.day,
            queue.trusted_day,
            queue.applied,
            dict(queue.tickets),
            dict(queue.waiting),
            dict(queue.labels),
            dict(queue.counters),
            dict(queue.numbers),
            queue.grants,
            queue.calls,
            queue.late_called,
            dict(queue.requests),
            dict(queue.samples),
            dict(queue.appointments),
            dict(queue.calendar),
            queue.retired,
        )

    def apply(self, facts: Iterable[f.Fact]) -> None:
        """Write these facts down."""
        for fact in facts:
            _APPLY[type(fact)](self, fact)
            _remember(self, fact)
            self.applied += 1

    def queue(self) -> Queue:
        """The queue as it is now; it is the draft's own, and final only when nothing more is applied."""
        return Queue(
            self.setup,
            self.day,
            self.trusted_day,
            self.applied,
            self.tickets,
            self.waiting,
            self.labels,
            self.counters,
            self.numbers,
            self.grants,
            self.calls,
            self.late_called,
            self.requests,
            self.samples,
            self.appointments,
            self.calendar,
            self.retired,
        )

    def place(self, ticket: Ticket) -> None:
        """Keep a ticket, and whether it stands in line."""
        self.tickets[ticket.ticket_id] = ticket
        if ticket.state is TicketState.WAITING:
            self.waiting[ticket.ticket_id] = ticket
        else:
            self.waiting.pop(ticket.ticket_id, None)

    def put(self, fact: f.TicketFact, **changes: Any) -> Ticket:
        """Move a ticket along the table, and let go of it at its counter when it leaves."""
        ticket = self.tickets[fact.ticket_id]
        state = after(ticket.state, type(fact)) or ticket.state
        changed = replace(ticket, state=state, **changes)
        self.place(changed)
        in_hand = state in (TicketState.CALLED, TicketState.SERVING)
        if ticket.counter and (not in_hand or ticket.counter != changed.counter):
            counter = self.counters.get(ticket.counter)
            if counter and counter.ticket_id == ticket.ticket_id:
                self.counters[counter.counter] = replace(counter, ticket_id=None)
        if in_hand and changed.counter:
            self.counters[changed.counter] = replace(
                self.counters[changed.counter], ticket_id=ticket.ticket_id
            )
        return changed

    def show(self, ticket: Ticket, fact: f.TicketCalled | f.TicketRecalled | f.CallEscalated) -> None:
        again = isinstance(fact, f.CallEscalated)
        shown = CallShown(ticket.ticket_id, ticket.label, fact.counter, fact.call_no, fact.at, again)
        kept = tuple(c for c in self.calls if c.ticket_id != ticket.ticket_id)
        self.calls = (shown, *kept)[:CALLS_KEPT]

    def unshow(self, ticket: Ticket) -> None:
        self.calls = tuple(c for c in self.calls if c.ticket_id != ticket.ticket_id)


def _configured(d: Draft, x: f.HallConfigured) -> None:
    d.setup = x.setup
    known = {c.id: c for c in x.setup.counters}
    kept = {i: c for i, c in d.counters.items() if i in known or c.ticket_id}
    for i, setup in known.items():
        counter = kept.get(i, Counter(i))
        if counter.state is CounterState.CLOSED:
            counter = replace(counter, services=setup.services)
        kept[i] = counter
    d.counters = kept


def _day_opened(d: Draft, x: f.BusinessDayOpened) -> None:
    previous, d.day = d.day, x.day
    d.trusted_day = x.day if x.trusted else d.trusted_day
    d.tickets = {i: t for i, t in d.tickets.items() if t.state in OPEN_STATES}
    d.labels, d.numbers = {}, {}
    d.grants = tuple(g for g in d.grants if g.last_day >= x.day)
    d.appointments = {i: a for i, a in d.appointments.items() if a.ticket_id is None or i in d.tickets}
    d.calls = tuple(c for c in d.calls if c.ticket_id in d.tickets)
    # Requests of the day before are still known: somebody may ask again over midnight or a weekend.
    d.requests = {i: r for i, r in d.requests.items() if r.day == previous}


def _calendar_set(d: Draft, x: f.CalendarSet) -> None:
    d.calendar = {special.day.isoformat(): special for special in x.days}


def _retired(d: Draft, _x: f.BoxRetired) -> None:
    d.retired = True


def _granted(d: Draft, x: f.ZoneGranted) -> None:
    grant = Grant(x.grant_id, x.incarnation, x.line, x.zone, x.first_day, x.last_day)
    d.grants = (*(g for g in d.grants if g.grant_id != x.grant_id), grant)


def _booked(d: Draft, x: f.AppointmentBooked) -> None:
    d.appointments[x.appointment_id] = Appointment.booked(x)


def _expected_no_longer(d: Draft, x: f.AppointmentDropped | f.AppointmentMissed) -> None:
    d.appointments.pop(x.appointment_id, None)


def _issued(d: Draft, x: f.TicketIssued) -> None:
    d.place(Ticket.issued(x))
    appointment = d.appointments.get(x.appointment or "")
    if appointment is not None:
        d.appointments[appointment.appointment_id] = replace(appointment, ticket_id=x.ticket_id)
    if x.day == d.day:
        d.labels[x.label] = x.ticket_id
        key = zone_key(x.line, x.number // ZONE_SIZE)
        d.numbers[key] = max(d.numbers.get(key, 0), x.number)


def _called(d: Draft, x: f.TicketCalled) -> None:
    made = {"counter": x.counter, "call_no": x.call_no, "called_at": x.at, "for_counter": None}
    ticket = d.put(x, **made, recalls=0, **_QUIET)
    d.late_called = ticket.late
    d.show(ticket, x)


def _recalled(d: Draft, x: f.TicketRecalled) -> None:
    recalls = d.tickets[x.ticket_id].recalls + 1
    d.show(d.put(x, call_no=x.call_no, called_at=x.at, recalls=recalls, **_QUIET), x)


def _escalated(d: Draft, x: f.CallEscalated) -> None:
    ticket = d.tickets.get(x.ticket_id)
    if ticket is None or ticket.state is not TicketState.CALLED or ticket.call_no != x.call_no:
        return
    again_at = x.at if x.step == "again" else ticket.again_at
    ticket = replace(ticket, escalated=(*ticket.escalated, x.step), again_at=again_at)
    d.place(ticket)
    if x.step == "again":
        d.show(ticket, x)


def _started(d: Draft, x: f.ServiceStarted) -> None:
    d.put(x, started_at=x.at)


def _finished(d: Draft, x: f.TicketFinished) -> None:
    ticket = d.put(x, ended_at=x.at)
    _served(d, x, ticket, ticket.service)


def _moved_on(d: Draft, x: f.TicketMovedOn) -> None:
    before = d.tickets[x.ticket_id]
    part = f.VisitPart(
        service=x.done, counter=x.counter, began=_served(d, x, before, x.done) or x.at, ended=x.at
    )
    left = (before.service, *before.visits)
    visits = tuple(service for service in left if service not in (x.done, x.service))
    parts = (*before.parts, part)
    d.unshow(d.put(x, service=x.service, visits=visits, parts=parts, for_counter=None, started_at=None))


def _served(d: Draft, x: f.TicketFinished | f.TicketMovedOn, ticket: Ticket, service: str) -> datetime | None:
    """Note how long a service took at its counter, and who was there last; gives when it began."""
    # A key-pad has no key for "started": then the visit is counted from its call.
    implied = ticket.started_at is None or ticket.started_at >= x.at
    d.counters[x.counter] = replace(d.counters[x.counter], last_id=x.ticket_id, starts=not implied)
    since = ticket.called_at if implied else ticket.started_at
    if since:
        seconds = max(0, round((x.at - since).total_seconds()))
        d.samples[service] = (*d.samples.get(service, ()), seconds)[-SAMPLES:]
    return since


def _left(d: Draft, x: f.TicketNoShow | f.TicketHeld) -> None:
    d.unshow(d.put(x))


def _ended(d: Draft, x: f.TicketCancelled | f.TicketLapsed) -> None:
    d.unshow(d.put(x, ended_at=x.at))


def _returned(d: Draft, x: f.TicketReturned) -> None:
    before = d.tickets[x.ticket_id]
    rescued = before.rescued or before.state is TicketState.NO_SHOW
    d.unshow(d.put(x, effective_at=x.effective_at, started_at=None, rescued=rescued))


def _postponed(d: Draft, x: f.TicketPostponed) -> None:
    d.put(x, effective_at=x.effective_at, postponed=d.tickets[x.ticket_id].postponed + 1)


def _transferred(d: Draft, x: f.TicketTransferred) -> None:
    before = d.tickets[x.ticket_id]
    # Sent to a service that was still to come: that one is brought forward, the present one comes later.
    visits = tuple(before.service if service == x.service else service for service in before.visits)
    d.unshow(d.put(x, service=x.service, visits=visits, for_counter=x.to_counter, started_at=None))


def _counter(d: Draft, x: f.CounterFact) -> None:
    counter = d.counters[x.counter]
    state = counter_after(counter.state, type(x)) or counter.state
    changes: dict[str, Any] = {"state": state, "reason": None}
    if isinstance(x, f.CounterOpened):
        changes |= {"services": x.services, "clerk": x.clerk}
    elif isinstance(x, f.CounterPaused):
        changes["reason"] = x.reason
    elif isinstance(x, f.CounterClosed):
        changes["clerk"] = None
    d.counters[x.counter] = replace(counter, **changes)


def _rated(d: Draft, x: f.TicketRated) -> None:
    ticket = d.tickets.get(x.ticket_id)
    if ticket is not None:
        d.place(replace(ticket, rating=x.score, explained=bool(x.reasons)))


def _explained(d: Draft, x: f.TicketRatingExplained) -> None:
    ticket = d.tickets.get(x.ticket_id)
    if ticket is not None:
        d.place(replace(ticket, explained=True))


def _pager(d: Draft, x: f.PagerGiven) -> None:
    ticket = d.tickets.get(x.ticket_id)
    if ticket is not None:
        d.place(replace(ticket, pager=x.pager))


def _notice(d: Draft, x: f.NoticeByHall) -> None:
    ticket = d.tickets.get(x.ticket_id)
    if ticket is not None and x.notice == "nearly":
        d.place(replace(ticket, nearly_by_hall=True))


def _nothing(_d: Draft, _x: f.FactBase) -> None:
    """A refusal changes nothing, its answer is kept with the requests; what cannot be read is counted."""


_APPLY: dict[type[f.FactBase], Callable[[Draft, Any], None]] = {
    f.HallConfigured: _configured,
    f.BusinessDayOpened: _day_opened,
    f.ZoneGranted: _granted,
    f.CalendarSet: _calendar_set,
    f.BoxRetired: _retired,
    f.WishRefused: _nothing,
    f.FactUnreadable: _nothing,
    f.AppointmentBooked: _booked,
    f.AppointmentDropped: _expected_no_longer,
    f.AppointmentMissed: _expected_no_longer,
    f.TicketIssued: _issued,
    f.TicketCalled: _called,
    f.TicketRecalled: _recalled,
    f.ServiceStarted: _started,
    f.TicketFinished: _finished,
    f.TicketMovedOn: _moved_on,
    f.TicketNoShow: _left,
    f.TicketHeld: _left,
    f.TicketReturned: _returned,
    f.TicketPostponed: _postponed,
    f.TicketTransferred: _transferred,
    f.TicketCancelled: _ended,
    f.TicketLapsed: _ended,
    f.TicketRated: _rated,
    f.TicketRatingExplained: _explained,
    f.PagerGiven: _pager,
    f.NoticeByHall: _notice,
    f.CallEscalated: _escalated,
    f.CounterOpened: _counter,
    f.CounterPaused: _counter,
    f.CounterResumed: _counter,
    f.CounterClosed: _counter,
}


def _remember(d: Draft, fact: f.Fact) -> None:
    """Keep what came of a request; the last fact of a request is its answer."""
    if fact.request_id is None or isinstance(fact, f.WishRefused):
        return  # what was refused changed nothing and may be asked again
    ticket_id = getattr(fact, "ticket_id", None)
    counter_id = getattr(fact, "counter", None)
    ticket, counter = d.tickets.get(ticket_id or ""), d.counters.get(counter_id or "")
    d.requests[fact.request_id] = Done(
        fingerprint=fact.fingerprint,
        day=d.day,
        counter=counter_id,
        counter_state=counter.state if counter else None,
        ticket_id=ticket_id,
        ticket_state=ticket.state if ticket else None,
    )


def replay(queue: Queue, facts: Iterable[f.Fact]) -> Queue:
    """The queue after all these facts."""
    draft = Draft.of(queue)
    draft.apply(facts)
    return draft.queue()


def evolve(queue: Queue, fact: f.Fact) -> Queue:
    """The queue after one more fact."""
    return replay(queue, (fact,))
