"""Who is next. One value orders the line: the effective time = issue time − credit of the class.

Whoever has waited past the hall's goal goes before everybody who has not, so nobody starves.
Ties are broken by label.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from hall_core.queueing.queue import Counter, Queue, Ticket
from hall_core.queueing.states import CounterState

__all__ = ["ahead_of", "effective_time", "in_order", "line_for", "next_ticket", "waiting_for"]


def effective_time(issued_at: datetime, credit_min: int) -> datetime:
    """The place of a new ticket in time."""
    return issued_at - timedelta(minutes=credit_min)


def _order(ticket: Ticket, now: datetime, goal: timedelta) -> tuple[bool, datetime, int, str]:
    # Who missed a call and came back waits anew from then on.
    since = max(ticket.issued_at, ticket.effective_at)
    in_time = now - since < goal
    return (in_time, ticket.effective_at if in_time else since, ticket.number, ticket.label)


def waiting_for(queue: Queue, service: str) -> list[Ticket]:
    """All who wait for a service, unordered."""
    return [t for t in queue.waiting.values() if t.service == service]


def _callable_at(queue: Queue, counter: Counter) -> Iterator[Ticket]:
    for ticket in queue.waiting.values():
        wanted = ticket.for_counter
        # A ticket sent to one counter waits for it only while that counter is in service.
        if wanted and wanted != counter.counter:
            other = queue.counters.get(wanted)
            if other and other.state is not CounterState.CLOSED:
                continue
        if wanted == counter.counter or ticket.service in counter.services:
            yield ticket


def line_for(queue: Queue, counter: str, now: datetime) -> list[Ticket]:
    """Everyone this counter may call, in the order it will call them."""
    return in_order(queue, _callable_at(queue, queue.counters[counter]), now)


def in_order(queue: Queue, tickets: Iterable[Ticket], now: datetime) -> list[Ticket]:
    """These tickets in the order they are called."""
    assert queue.setup is not None
    goal = timedelta(minutes=queue.setup.goal_min)
    return sorted(tickets, key=lambda t: _order(t, now, goal))


def next_ticket(queue: Queue, counter: str, now: datetime) -> Ticket | None:
    """Who this counter calls next, or None."""
    assert queue.setup is not None
    goal = timedelta(minutes=queue.setup.goal_min)
    tickets = list(_callable_at(queue, queue.counters[counter]))
    chosen = min(tickets, key=lambda t: _order(t, now, goal), default=None)
    if chosen is not None and chosen.late and queue.late_called:
        # Who took a number elsewhere during an outage passes those who stood here at every second call only.
        here = [t for t in tickets if not t.late]
        return min(here, key=lambda t: _order(t, now, goal), default=chosen)
    return chosen


def ahead_of(queue: Queue, ticket: Ticket, now: datetime) -> int:
    """How many people of the same service go before this waiting ticket."""
    assert queue.setup is not None
    goal = timedelta(minutes=queue.setup.goal_min)
    own = _order(ticket, now, goal)
    return sum(
        1
        for t in queue.waiting.values()
        if t.service == ticket.service and t.ticket_id != ticket.ticket_id and _order(t, now, goal) < own
    )
