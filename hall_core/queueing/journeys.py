"""What became of each number of a day: where it stood from when on, and which calls it had.

Built from journal facts alone, one after the other. A queue forgets how it came to be; this remembers, so
that a call can be explained hours later.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from hall_core.queueing import facts as f
from hall_core.queueing.setup import HallSetup
from hall_core.queueing.states import CounterState, TicketState, after, counter_after

__all__ = ["Called", "DayBook", "Journey", "Place"]

#: a number that stands in a box's line without having been given by it keeps its time; how it came there
TAKEN_OVER, SLIP = "taken-over", "slip"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket stood from fact `seq` on. `because` is that fact's kind, `arrived` the fact with which
    it came into the line it stands in, `from_state` the state it came from then: None when it was given.
    """

    seq: int
    state: TicketState
    effective_at: datetime
    service: str
    for_counter: str | None
    because: str
    arrived: int
    from_state: TicketState | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a ticket, with what held at that moment. `before` is the place it was called from,
    `services` are the counter's, `closed` the counters that were out of service, `late_before` says that the
    call before it went to a late ticket.
    """

    seq: int
    at: datetime
    ticket_id: str
    counter: str
    call_no: int
    reason: str | None
    before: Place
    services: frozenset[str]
    closed: frozenset[str]
    goal_min: int
    late_before: bool


@dataclass(slots=True)
class Journey:
    """One ticket's day. `issued_at` is when its holder took it, `entered_at` when it came into this hall's
    line: later for numbers taken elsewhere. `kept` says how it came from another box, if it did.
    """

    ticket_id: str
    label: str
    number: int
    service: str
    priority: str | None
    appointment: bool
    late: bool
    issued_at: datetime
    entered_at: datetime
    effective_at: datetime
    kept: str | None
    places: list[Place]
    calls: list[Called] = field(default_factory=list)

    @property
    def entered(self) -> int:
        """The fact with which it came into this hall's line first."""
        return self.places[0].seq

    def before(self, seq: int) -> Place | None:
        """Where it stood when fact `seq` came; None when it was not there yet."""
        index = bisect_left(self.places, seq, key=lambda place: place.seq)
        return self.places[index - 1] if index else None


class DayBook:
    """One hall's day. `tell` takes its facts in order; `setup` is what held when the day began."""

    def __init__(self, day: date, setup: HallSetup | None = None) -> None:
        self.day = day
        self.journeys: dict[str, Journey] = {}
        self.calls: list[Called] = []
        self._labels: dict[str, str] = {}
        self._seq = 0
        self._late_called = False
        self._goal_min = 0
        self._services: dict[str, frozenset[str]] = {}
        self._states: dict[str, CounterState] = {}
        self._closed: frozenset[str] = frozenset()
        #: minutes of credit of each priority class
        self.credits_min: dict[str, int] = {}
        if setup is not None:
            self._configured(setup)

    def find(self, label: str) -> Journey | None:
        """The day's ticket with this label."""
        ticket_id = self._labels.get(label.strip().upper())
        return self.journeys.get(ticket_id) if ticket_id else None

    def tell(self, facts: Iterable[f.Fact]) -> None:
        """The next facts. Those of other days' tickets, and those told twice, change nothing."""
        for fact in facts:
            self._seq += 1
            if isinstance(fact, f.HallConfigured):
                self._configured(fact.setup)
            elif isinstance(fact, f.CounterFact):
                self._counter(fact)
            elif isinstance(fact, f.TicketIssued):
                self._issued(fact)
            elif isinstance(fact, f.TicketFact) and fact.ticket_id in self.journeys:
                self._moved(self.journeys[fact.ticket_id], fact)

    def _configured(self, setup: HallSetup) -> None:
        self._goal_min, self.credits_min = setup.goal_min, setup.credits_min
        for counter in setup.counters:
            if self._states.get(counter.id, CounterState.CLOSED) is CounterState.CLOSED:
                self._services[counter.id] = frozenset(counter.services)

    def _counter(self, fact: f.CounterFact) -> None:
        before = self._states.get(fact.counter, CounterState.CLOSED)
        self._states[fact.counter] = counter_after(before, type(fact)) or before
        if isinstance(fact, f.CounterOpened):
            self._states[fact.counter] = CounterState.OPEN
            self._services[fact.counter] = frozenset(fact.services)
        elif isinstance(fact, f.CounterClosed):
            self._states[fact.counter] = CounterState.CLOSED
        self._closed = frozenset(c for c, state in self._states.items() if state is CounterState.CLOSED)

    def _issued(self, fact: f.TicketIssued) -> None:
        if fact.day != self.day:
            return
        known = self.journeys.get(fact.ticket_id)
        if known is not None and fact.issued_at is None:
            return  # a new incarnation repeats what was told before
        kept = (SLIP if fact.channel == "slip" else TAKEN_OVER) if fact.issued_at else None
        place = Place(
            self._seq, TicketState.WAITING, fact.effective_at, fact.service, None, fact.kind, self._seq
        )
        if known is not None:
            known.kept, known.entered_at = kept, fact.at
            known.places.append(place)
            return
        self._labels[fact.label] = fact.ticket_id
        self.journeys[fact.ticket_id] = Journey(
            ticket_id=fact.ticket_id,
            label=fact.label,
            number=fact.number,
            service=fact.service,
            priority=fact.priority,
            appointment=fact.appointment is not None,
            late=fact.late,
            issued_at=fact.issued_at or fact.at,
            entered_at=fact.at,
            effective_at=fact.effective_at,
            kept=kept,
            places=[place],
        )

    def _moved(self, ticket: Journey, fact: f.TicketFact) -> None:
        last = ticket.places[-1]
        state = after(last.state, type(fact))
        if state is None:
            return  # said again: it is past this already
        place = replace(last, seq=self._seq, state=state, because=fact.kind)  # type: ignore[attr-defined]
        if isinstance(fact, f.TicketCalled):
            self._called(ticket, fact, last)
            place = replace(place, for_counter=None)
        elif isinstance(fact, f.TicketReturned | f.TicketPostponed):
            place = replace(place, effective_at=fact.effective_at)
        elif isinstance(fact, f.TicketTransferred):
            place = replace(place, service=fact.service, for_counter=fact.to_counter)
        elif isinstance(fact, f.TicketMovedOn):
            place = replace(place, service=fact.service, for_counter=None)
        if isinstance(fact, f.TicketReturned | f.TicketTransferred | f.TicketMovedOn):
            place = replace(place, arrived=self._seq, from_state=last.state)
        ticket.places.append(place)

    def _called(self, ticket: Journey, fact: f.TicketCalled, before: Place) -> None:
        call = Called(
            seq=self._seq,
            at=fact.at,
            ticket_id=ticket.ticket_id,
            counter=fact.counter,
            call_no=fact.call_no,
            reason=fact.reason,
            before=before,
            services=self._services.get(fact.counter, frozenset()),
            closed=self._closed,
            goal_min=self._goal_min,
            late_before=self._late_called,
        )
        self._late_called = ticket.late
        ticket.calls.append(call)
        self.calls.append(call)
