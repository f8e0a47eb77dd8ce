"""One trip, several counters: one number for several services, one after the other.

A ticket stands in one line at a time, so that nobody is called to two counters. Its places in the other
lines are held by its effective time, which does not change while its holder is elsewhere: in the next line
it stands where it would stand had it waited there from the beginning, and passes nobody who came earlier.

Which service comes first is settled when the number is given, and again at each end of a part: the one
whose held place is called first. No other order ends the whole visit sooner, as far as the waits are
known: whoever takes a later turn first only adds idle minutes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import inf

from hall_core.errors import AppointmentAlone, ServiceClosed, ServiceTwice, TooManyServices
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.estimates import expected
from hall_core.queueing.evolve import replay
from hall_core.queueing.opening import service_open
from hall_core.queueing.ordering import effective_time
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.setup import ServiceSetup
from hall_core.queueing.states import TicketState

__all__ = ["MOST_SERVICES", "best_order", "check_services", "end_of_part", "wanted_services"]

#: services that one number may stand for
MOST_SERVICES = 5


def best_order(queue: Queue, ticket: Ticket, services: Sequence[str], now: datetime) -> tuple[str, ...]:
    """These services in the order that ends the visit soonest for this ticket; those nobody serves now last.

    Services called at the same time stay as they were asked for.
    """
    calls = {service: _called_in(queue, ticket, service, now) for service in services}
    return tuple(sorted(services, key=lambda service: calls[service]))


def _called_in(queue: Queue, ticket: Ticket, service: str, now: datetime) -> float:
    """Minutes until the ticket's held place in this line is called."""
    held = replace(ticket, service=service, for_counter=None, state=TicketState.WAITING)
    found = expected(queue, held, now)
    return found.minutes if found else inf


def wanted_services(
    case: Case, x: c.IssueTicket | c.AdmitTicket, since: datetime, *, open_only: bool
) -> tuple[ServiceSetup, tuple[str, ...]]:
    """The service to go to first, and those that come after it, for somebody whose number counts from
    `since`.

    Raises UnknownService, ServiceClosed, ServiceTwice, TooManyServices, AppointmentAlone.
    """
    asked = (x.service, *x.more_services)
    services = [case.service(service) for service in asked]
    if len(services) > 1 and isinstance(x, c.IssueTicket) and x.appointment is not None:
        raise AppointmentAlone
    check_services(services)
    for service in services if open_only else ():
        if not service_open(case.queue, service, case.now):
            raise ServiceClosed(service=service.id, name=service.name)
    if len(services) == 1 or case.queue.day is None:
        return services[0], asked[1:]
    credit = case.setup.credits_min.get(x.priority or "", 0)
    imagined = Ticket.imagined(services[0].prefix, x.service, case.queue.day, since)
    held = replace(imagined, effective_at=effective_time(since, credit))
    first, *then = best_order(case.queue, held, asked, case.now)
    return case.service(first), tuple(then)


def check_services(services: Sequence[ServiceSetup]) -> None:
    """Whether one number can stand for these. Raises TooManyServices, ServiceTwice."""
    if len(services) > MOST_SERVICES:
        raise TooManyServices(most=MOST_SERVICES)
    for n, service in enumerate(services):
        if service in services[:n]:
            raise ServiceTwice(name=service.name)


def end_of_part(case: Case, counter: str, ticket: Ticket, finished: f.TicketFinished) -> f.Fact:
    """What the end of the service at this counter is: the end of the visit, or the way to the next line."""
    if not ticket.visits:
        return finished
    serves = case.counter(counter).services
    left = (ticket.service, *ticket.visits)
    # Who was called out of order to a counter of another of the services has had that one done.
    done = next((service for service in left if service in serves), ticket.service)
    rest = [service for service in left if service != done]
    # The counter is free from now on, and its service time counts: the waits are looked at after the end.
    later = replay(case.queue, (finished,))
    first = best_order(later, ticket, rest, case.now)[0]
    moved = {"ticket_id": ticket.ticket_id, "counter": counter, "done": done, "service": first}
    return f.TicketMovedOn(**case.common, **moved)
