"""Waiting time as an honest range in minutes, or nothing when nobody can know.

The line is played through: whichever counter is free next takes whoever it would really call next, so
that other services at shared counters, priorities and transfers count as they will.
"""

from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush
from math import ceil, floor, sqrt

from hall_core.queueing.ordering import in_order
from hall_core.queueing.queue import Counter, Queue, Ticket
from hall_core.queueing.states import CounterState

__all__ = ["SAMPLES", "Expected", "expected", "range_minutes", "service_range", "service_seconds"]

#: how many of the last service times of a service are remembered
SAMPLES = 20
#: measured times count fully from this many on; before, the set-up's figure is mixed in
ENOUGH = 5
#: with nobody before them people are called within this
AT_ONCE_MIN = 1
#: pauses, people who do not come and counters that open move a wait in proportion, more often up than down
OPTIMIST, PESSIMIST = 0.8, 1.3
#: service times scatter by this much of their mean; so many deviations belong to the range
SCATTER, CHANCE = 0.7, 1.3


def service_seconds(queue: Queue, service: str) -> float:
    """Usual service time: the mean of the last ones, leaning on the set-up's figure while they are few."""
    assert queue.setup is not None
    setup = queue.setup.service(service)
    prior = setup.minutes * 60 if setup else 480.0
    seen = queue.samples.get(service, ())
    missing = max(0, ENOUGH - len(seen))
    return (sum(seen) + prior * missing) / (len(seen) + missing)


def _serves(counter: Counter, ticket: Ticket) -> bool:
    return ticket.for_counter == counter.counter or (
        ticket.for_counter is None and ticket.service in counter.services
    )


def _free_in(queue: Queue, counter: Counter, now: datetime) -> float:
    """Minutes until an open counter can call again."""
    if counter.ticket_id is None:
        return 0.0
    ticket = queue.tickets[counter.ticket_id]
    usual = service_seconds(queue, ticket.service)
    began = ticket.started_at or ticket.called_at or now
    # Who takes longer than usual is expected to take a little longer still.
    return max(usual - (now - began).total_seconds(), usual * 0.2) / 60


@dataclass(frozen=True, slots=True)
class Expected:
    """When a ticket is called: minutes from now, and how far chance alone may move that (one deviation)."""

    minutes: float
    deviation: float


def expected(queue: Queue, ticket: Ticket, now: datetime) -> Expected | None:
    """When this ticket is called, as far as one can know; None when no open counter can ever call it."""
    counters = [c for c in queue.counters.values() if c.state is CounterState.OPEN]
    if not any(_serves(c, ticket) for c in counters):
        return None
    others = [t for t in queue.waiting.values() if t.ticket_id != ticket.ticket_id]
    line = in_order(queue, [*others, ticket], now)
    usual = {service: service_seconds(queue, service) / 60 for service in {t.service for t in line}}
    free = [(_free_in(queue, c, now), index) for index, c in enumerate(counters)]
    # Services that end before the ticket is called add their scatter; counters work side by side.
    scatter = sum((SCATTER * at) ** 2 for at, _ in free)
    heapify(free)
    while free:
        at, index = heappop(free)
        chosen = next((t for t in line if _serves(counters[index], t)), None)
        if chosen is ticket:
            return Expected(at, sqrt(scatter) / len(counters))
        if chosen is not None:
            line.remove(chosen)
            scatter += (SCATTER * usual[chosen.service]) ** 2
            heappush(free, (at + usual[chosen.service], index))
    return None


def _around(found: Expected | None) -> tuple[int, int] | None:
    if found is None:
        return None
    low = found.minutes * OPTIMIST - CHANCE * found.deviation
    high = found.minutes * PESSIMIST + CHANCE * found.deviation
    return (max(0, floor(low)), max(AT_ONCE_MIN, ceil(high)))


def range_minutes(queue: Queue, ticket: Ticket, now: datetime) -> tuple[int, int] | None:
    """(optimistic, pessimistic) minutes for a waiting ticket.

    None when no counter in service could call it: no range is quoted that cannot be kept.
    """
    return _around(expected(queue, ticket, now))


def service_range(queue: Queue, service: str, now: datetime) -> tuple[int, int] | None:
    """The range for somebody who would take a number of this service now."""
    setup = queue.setup.service(service) if queue.setup else None
    if setup is None or queue.day is None:
        return None
    return range_minutes(queue, Ticket.imagined(setup.prefix, service, queue.day, now), now)
