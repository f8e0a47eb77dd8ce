"""Waiting time as an honest range in minutes, or nothing when nobody can know."""

from math import ceil, floor

from hall_core.queueing.queue import Queue
from hall_core.queueing.states import CounterState

__all__ = ["SAMPLES", "range_minutes", "service_seconds"]

#: how many of the last service times of a service are remembered
SAMPLES = 20
#: measured times count fully from this many on; before, the set-up's figure is mixed in
ENOUGH = 5


def service_seconds(queue: Queue, service: str) -> float:
    """Usual service time: the mean of the last ones, leaning on the set-up's figure while they are few."""
    assert queue.setup is not None
    setup = queue.setup.service(service)
    prior = setup.minutes * 60 if setup else 480.0
    seen = queue.samples.get(service, ())
    missing = max(0, ENOUGH - len(seen))
    return (sum(seen) + prior * missing) / (len(seen) + missing)


def range_minutes(queue: Queue, service: str, ahead: int) -> tuple[int, int] | None:
    """(optimistic, pessimistic) minutes for someone with `ahead` people before them.

    None when no counter serves the service now: no range is quoted that cannot be kept.
    """
    open_counters = [
        c for c in queue.counters.values() if c.state is CounterState.OPEN and service in c.services
    ]
    if not open_counters:
        return None
    if ahead == 0 and any(c.ticket_id is None for c in open_counters):
        return (0, 1)
    expected = (ahead + 1) * service_seconds(queue, service) / len(open_counters) / 60
    return (floor(expected * 0.6), max(1, ceil(expected * 1.4)))
