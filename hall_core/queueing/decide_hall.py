"""Wishes about the hall itself: its set-up, its day, its numbers."""

from itertools import pairwise

from hall_core.errors import BadRequest
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.decide_appointments import missed
from hall_core.queueing.queue import Grant
from hall_core.queueing.states import OPEN_STATES, CounterState, after

__all__ = ["configure", "grant", "open_day", "set_calendar"]


def configure(case: Case, x: c.ConfigureHall) -> list[f.Fact]:
    """The hall is set up anew. Raises BadRequest where that would strand people or a clerk."""
    if case.queue.setup and case.queue.setup.hall != x.setup.hall:
        raise BadRequest(what=f"this box belongs to hall {case.queue.setup.hall}")
    for ticket in case.queue.tickets.values():
        wanted = (ticket.service, *ticket.visits) if ticket.state in OPEN_STATES else ()
        gone = next((service for service in wanted if x.setup.service(service) is None), None)
        if gone is not None:
            raise BadRequest(what=f"service {gone} still has {ticket.label}")
    for counter in case.queue.counters.values():
        if counter.state is not CounterState.CLOSED and x.setup.counter(counter.counter) is None:
            raise BadRequest(what=f"counter {counter.counter} is in service; close it first")
    return [f.HallConfigured(**case.common, setup=x.setup)]


def open_day(case: Case, x: c.OpenBusinessDay) -> list[f.Fact]:
    """The day begins and the unserved tickets of earlier ones lapse. Raises BadRequest for an earlier day."""
    if x.day == case.queue.day:
        return []  # open already
    if case.queue.day is not None and x.day < case.queue.day:
        raise BadRequest(what=f"business day {case.queue.day} never goes back to {x.day}")
    lapsed: list[f.Fact] = [
        f.TicketLapsed(**case.common, ticket_id=t.ticket_id)
        for t in case.queue.tickets.values()
        if after(t.state, f.TicketLapsed) and t.day < x.day
    ]
    return [*lapsed, *missed(case, x), f.BusinessDayOpened(**case.common, day=x.day, trusted=x.trusted)]


def set_calendar(case: Case, x: c.SetCalendar) -> list[f.Fact]:
    """The special days. Raises BadRequest for a day that stands twice."""
    days = sorted(x.days, key=lambda special: special.day)
    twice = next((one.day for one, two in pairwise(days) if one.day == two.day), None)
    if twice is not None:
        raise BadRequest(what=f"{twice} stands twice in the calendar")
    return [f.CalendarSet(**case.common, days=tuple(days))]


def grant(case: Case, x: c.GrantZone) -> list[f.Fact]:
    """A box may give the numbers of a zone. Raises BadRequest where two boxes would give the same ones."""
    if x.last_day < x.first_day:
        raise BadRequest(what="last_day lies before first_day")
    fields = x.model_dump(exclude={"kind", "request_id", "fingerprint"})
    wanted = Grant(**fields)
    for grant in case.queue.grants:
        if grant == wanted:
            continue  # said again: so is the fact
        if grant.grant_id == wanted.grant_id or _overlap(grant, wanted):
            raise BadRequest(what=f"zone {wanted.zone} is granted to another box on these days")
    return [f.ZoneGranted(**case.common, **fields)]


def _overlap(one: Grant, other: Grant) -> bool:
    """Two boxes would give the same numbers."""
    return (
        one.incarnation != other.incarnation
        and one.zone == other.zone
        and (one.line == other.line or "*" in (one.line, other.line))
        and one.first_day <= other.last_day
        and other.first_day <= one.last_day
    )
