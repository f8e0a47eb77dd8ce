"""What citizen and hall owe each other for an appointment, pure: who is warned or paused, who waited in vain.

A day with missed appointments counts once, so that nobody is paused for a day before they were warned of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hall_core.queueing.ordering import line_for
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.states import CounterState, TicketState
from hall_core.schedule.slots import SlotPlan

__all__ = ["GOODWILL", "Miss", "PromiseRules", "Standing", "could_call", "late_calls", "standing_of"]

#: the priority class whose minutes a hall gives somebody it kept waiting
GOODWILL = "goodwill"


@dataclass(frozen=True, slots=True)
class PromiseRules:
    """`misses` days with missed appointments `within` so long pause booking `pause` long; whoever is not
    called `late` after the end of their slot gets a credit; a counter that is free `idle` long while
    somebody waits as long is an alarm.
    """

    misses: int = 2
    within: timedelta = timedelta(days=30)
    pause: timedelta = timedelta(days=7)
    late: timedelta = timedelta(minutes=15)
    idle: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Miss:
    """An appointment somebody did not come to."""

    day: date
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands: `days` with misses that count now, and until when booking is paused."""

    days: int
    until: datetime | None


def standing_of(rules: PromiseRules, misses: Iterable[Miss], now: datetime) -> Standing:
    """From what was missed and not excused."""
    counted = [miss for miss in misses if miss.starts_at > now - rules.within]
    days = len({miss.day for miss in counted})
    if days < rules.misses:
        return Standing(days, None)
    until = max(miss.starts_at for miss in counted) + rules.pause
    return Standing(days, until if now < until else None)


def late_calls(queue: Queue, rules: PromiseRules, now: datetime, *, present: bool) -> Iterator[Ticket]:
    """Tickets of people who checked in on time for an appointment and were not called `late` after its end.

    Who let others pass chose to wait. `present` is False while the hall is not heard of: then nobody knows
    whether those who waited last still wait.
    """
    for booked in queue.appointments.values():
        ticket = queue.tickets.get(booked.ticket_id or "")
        if ticket is None or ticket.postponed or ticket.call_no > 1 or ticket.parts:
            continue
        late_min = _plan(queue, booked.service).late_min
        if ticket.issued_at > booked.starts_at + timedelta(minutes=late_min):
            continue
        waiting = ticket.state is TicketState.WAITING
        ended = ticket.called_at if ticket.call_no else None if waiting else ticket.ended_at
        until = ended or (now if waiting and present else None)
        if until is not None and until > booked.ends_at + rules.late:
            yield ticket


def _plan(queue: Queue, service_id: str) -> SlotPlan:
    service = queue.setup.service(service_id) if queue.setup else None
    return (service.appointments if service else None) or SlotPlan()


def could_call(queue: Queue, rules: PromiseRules, now: datetime) -> Iterator[tuple[str, Ticket]]:
    """Counters that are open and free while somebody they could call has waited `idle` long; with the one
    who goes first.
    """
    if queue.setup is None:
        return
    for name, counter in queue.counters.items():
        if counter.state is not CounterState.OPEN or counter.ticket_id is not None:
            continue
        waiting = [t for t in line_for(queue, name, now) if now - t.issued_at >= rules.idle]
        if waiting:
            yield name, waiting[0]
