"""A queue told again as facts: how a new incarnation of a box begins where the lost one stood.

The facts carry the times at which things happened. Replayed on an empty queue they give the same tickets,
counters, appointments, grants and numbers; a retirement is not told again: the box that reads this is new.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hall_core.queueing import facts as f
from hall_core.queueing.queue import Appointment, Counter, Queue, Ticket
from hall_core.queueing.states import CounterState, TicketState

__all__ = ["restate"]

_T = TicketState
_IN_HAND = (_T.CALLED, _T.SERVING)
#: what the last fact of a ticket's life was, where a counter had it
_ENDS: dict[TicketState, type[f.TicketFact]] = {
    _T.FINISHED: f.TicketFinished,
    _T.NO_SHOW: f.TicketNoShow,
    _T.HELD: f.TicketHeld,
}
#: what a ticket may come to that no counter has in hand
_ENDED_ELSEWHERE = (_T.CANCELLED, _T.LAPSED)


def restate(queue: Queue, now: datetime) -> list[f.Fact]:
    """The facts that lead from nothing to this queue; none for a hall that was never set up."""
    if queue.setup is None:
        return []
    facts: list[f.Fact] = [f.HallConfigured(at=now, setup=queue.setup)]
    if queue.calendar:
        facts.append(f.CalendarSet(at=now, days=tuple(queue.calendar.values())))
    for grant in queue.grants:
        said: dict[str, Any] = {n: getattr(grant, n) for n in ("grant_id", "incarnation", "line", "zone")}
        facts.append(f.ZoneGranted(at=now, **said, first_day=grant.first_day, last_day=grant.last_day))
    if queue.trusted_day is not None and queue.trusted_day != queue.day:
        facts.append(f.BusinessDayOpened(at=now, day=queue.trusted_day))
    if queue.day is not None:
        facts.append(f.BusinessDayOpened(at=now, day=queue.day, trusted=queue.trusted_day == queue.day))
    facts += [_appointment(a, now) for a in queue.appointments.values()]
    for counter in queue.counters.values():
        facts += _counter(counter, now)
    lives = [(fact, ticket) for ticket in queue.tickets.values() for fact in _life(queue, ticket)]
    # In the order of time, so that the board and the estimates come out as they were.
    facts += [fact for fact, _ in sorted(lives, key=lambda life: _when(*life))]
    return facts


def _when(fact: f.Fact, ticket: Ticket) -> tuple[datetime, datetime, bool]:
    """One ticket leaves the counter in the moment in which the next one is called: who was called first ends
    first, and who is still there comes last.
    """
    issued = fact.issued_at if isinstance(fact, f.TicketIssued) else None
    return issued or fact.at, ticket.called_at or ticket.issued_at, ticket.state in _IN_HAND


def _appointment(booked: Appointment, now: datetime) -> f.Fact:
    names = ("appointment_id", "token", "code", "service", "starts_at", "ends_at", "channel")
    more = ("priority", "phone_sealed", "phone_tail")
    return f.AppointmentBooked(at=now, **{n: getattr(booked, n) for n in names + more})


def _counter(counter: Counter, now: datetime) -> Iterator[f.Fact]:
    if counter.state is CounterState.CLOSED:
        return
    name = counter.counter
    yield f.CounterOpened(at=now, counter=name, services=counter.services, clerk=counter.clerk)
    if counter.state is CounterState.PAUSED:
        yield f.CounterPaused(at=now, counter=name, reason=counter.reason or "")


def _life(queue: Queue, t: Ticket) -> Iterator[f.Fact]:
    """What happened to a ticket, as far as it still shows."""
    yield _issued(queue, t)
    last = t.issued_at
    for _ in range(t.postponed):
        yield f.TicketPostponed(at=last, ticket_id=t.ticket_id, effective_at=t.effective_at)
    if t.nearly_by_hall:
        yield f.NoticeByHall(at=last, ticket_id=t.ticket_id, notice="nearly")
    here = {"ticket_id": t.ticket_id, "counter": t.counter or ""}
    if t.counter is not None and t.call_no:
        last = t.called_at or last
        if t.rescued:
            yield f.TicketCalled(at=last, **here, call_no=t.call_no)
            yield f.TicketNoShow(at=last, **here)
            yield f.TicketReturned(at=last, ticket_id=t.ticket_id, effective_at=t.effective_at)
            if t.state is _T.WAITING and t.for_counter is None:
                return
        first = max(1, t.call_no - t.recalls)
        yield f.TicketCalled(at=last, **here, call_no=first)
        for call_no in range(first + 1, t.call_no + 1):
            yield f.TicketRecalled(at=last, **here, call_no=call_no)
        for step in t.escalated:
            yield f.CallEscalated(at=t.again_at or last, **here, call_no=t.call_no, step=step)
        if t.started_at is not None:
            last = max(last, t.started_at)
            yield f.ServiceStarted(at=last, **here)
    yield from _end(t, last, here)


def _end(t: Ticket, last: datetime, here: dict[str, str]) -> Iterator[f.Fact]:
    ended = max(last, t.ended_at or last)
    if t.call_no and t.counter is not None and t.state in _ENDED_ELSEWHERE:
        # It may have left the counter long before it ended: others were called there meanwhile.
        yield f.TicketHeld(at=last, **here)
    if t.state in _ENDS:
        yield _ENDS[t.state](at=ended, **here)  # type: ignore[misc]
    elif t.state is _T.CANCELLED:
        yield f.TicketCancelled(at=ended, ticket_id=t.ticket_id, reason="取消")
    elif t.state is _T.LAPSED:
        yield f.TicketLapsed(at=ended, ticket_id=t.ticket_id)
    elif t.state is _T.WAITING and t.call_no and t.for_counter is not None:
        yield f.TicketTransferred(at=last, **here, service=t.service, to_counter=t.for_counter)
    elif t.state is _T.WAITING and t.call_no:
        yield f.TicketReturned(at=last, ticket_id=t.ticket_id, effective_at=t.effective_at)
    if t.rating is not None:
        yield f.TicketRated(at=ended, **here, score=t.rating)


def _issued(queue: Queue, t: Ticket) -> f.TicketIssued:
    """The ticket's first fact, with the request it answers: who asks again gets the same number."""
    asked = next(
        (
            (request, done)
            for request, done in queue.requests.items()
            if done.ticket_id == t.ticket_id and done.counter is None and done.ticket_state is _T.WAITING
        ),
        (None, None),
    )
    names = ("ticket_id", "label", "service", "line", "number", "day", "channel", "priority", "effective_at")
    more = ("token", "ahead", "range_min", "late", "appointment", "pager", "phone_sealed", "phone_tail")
    trip = ("visits", "parts", "relative")

    return f.TicketIssued(
        at=t.issued_at,
        request_id=asked[0],
        fingerprint=asked[1].fingerprint if asked[1] else None,
        **{name: getattr(t, name) for name in names + more + trip},
    )
