"""Wishes of clerks at their counters."""

from collections.abc import Callable
from typing import Any

from hall_core.errors import (
    BadRequest,
    CounterBusy,
    CounterNotOpen,
    NobodyWaiting,
    UnknownService,
)
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.decide_notices import notice_by
from hall_core.queueing.evolve import replay
from hall_core.queueing.ordering import next_ticket
from hall_core.queueing.queue import Ticket
from hall_core.queueing.states import CounterState, TicketState
from hall_core.queueing.trips import end_of_part

__all__ = [
    "at_counter",
    "call",
    "call_next",
    "finish",
    "hold",
    "open_counter",
    "recall",
    "transfer",
]


def open_counter(case: Case, x: c.OpenCounter) -> list[f.Fact]:
    """The counter serves what it is set up for, or the named part of it. Raises UnknownService."""
    case.counter(x.counter)
    known_counter = case.setup.counter(x.counter)
    allowed = known_counter.services if known_counter else ()
    services = allowed if x.services is None else x.services
    for service in services:
        if service not in allowed:
            raise UnknownService(service=service)
    if not services:
        raise BadRequest(what="services")
    return case.turn(x, f.CounterOpened, services=services, clerk=x.clerk)


def call_next(case: Case, x: c.CallNext) -> list[f.Fact]:
    """Whoever is next is called, after the ticket in hand is finished where that was wished.

    Raises CounterNotOpen, CounterBusy, NobodyWaiting.
    """
    counter = case.ready(x.counter)
    facts: list[f.Fact] = []
    if counter.ticket_id is not None:
        ticket = case.queue.tickets[counter.ticket_id]
        if not x.finish_current:
            raise CounterBusy(counter=x.counter, label=ticket.label)
        done = {**case.common, "ticket_id": ticket.ticket_id, "counter": x.counter}
        if ticket.state is TicketState.CALLED:
            facts.append(f.ServiceStarted(**done))
        facts.append(end_of_part(case, x.counter, ticket, f.TicketFinished(**done)))
    # Whoever goes on to another service of this very counter keeps the place there.
    moved_on = any(isinstance(fact, f.TicketMovedOn) for fact in facts)
    queue = replay(case.queue, facts) if moved_on else case.queue
    chosen = next_ticket(queue, x.counter, case.now)
    if chosen is None:
        if facts:
            return facts
        raise NobodyWaiting
    return [*facts, case.move(x, chosen, f.TicketCalled, **_call_of(case, x, chosen))]


def call(case: Case, x: c.Call) -> list[f.Fact]:
    """This ticket is called out of order. Raises CounterNotOpen, CounterBusy, IllegalTransition."""
    counter = case.ready(x.counter)
    if x.ticket is None:
        raise BadRequest(what="ticket")
    ticket = case.ticket(x)
    if counter.ticket_id is not None:
        raise CounterBusy(counter=x.counter, label=case.queue.tickets[counter.ticket_id].label)
    return [case.move(x, ticket, f.TicketCalled, reason=x.reason, **_call_of(case, x, ticket))]


def recall(case: Case, x: c.Recall) -> list[f.Fact]:
    """The ticket in hand is called once more. Raises IllegalTransition."""
    ticket = case.ticket(x)
    return [case.move(x, ticket, f.TicketRecalled, **_call_of(case, x, ticket))]


def _call_of(case: Case, x: c.CounterCommand, ticket: Ticket) -> dict[str, Any]:
    by = notice_by(case, ticket.ticket_id)
    return {"counter": x.counter, "call_no": ticket.call_no + 1, "notice_by": by}


def at_counter(kind: type[f.TicketFact]) -> Callable[[Case, Any], list[f.Fact]]:
    """The decision for wishes that move the ticket in hand by one fact."""

    def decided(case: Case, x: c.TicketCommand) -> list[f.Fact]:
        return [case.move(x, case.ticket(x), kind, counter=x.counter)]

    return decided


def finish(case: Case, x: c.Finish) -> list[f.Fact]:
    """The service is done: the visit is over, or goes on to the next of its services.

    Raises IllegalTransition.
    """
    ticket = case.ticket(x)
    finished = case.move(x, ticket, f.TicketFinished, counter=x.counter)
    assert isinstance(finished, f.TicketFinished)
    return [end_of_part(case, x.counter, ticket, finished)]


def hold(case: Case, x: c.Hold) -> list[f.Fact]:
    """The ticket is set aside. Raises IllegalTransition."""
    return [case.move(x, case.ticket(x), f.TicketHeld, counter=x.counter, reason=x.reason)]


def transfer(case: Case, x: c.Transfer) -> list[f.Fact]:
    """The ticket goes on to a service or a counter. Raises BadRequest unless exactly one is named."""
    ticket = case.ticket(x)
    if (x.to_service is None) == (x.to_counter is None):
        raise BadRequest(what="to_service | to_counter")
    service = case.service(x.to_service).id if x.to_service is not None else ticket.service
    if x.to_counter is not None:
        target = case.counter(x.to_counter)
        if target.state is CounterState.CLOSED:
            raise CounterNotOpen(counter=x.to_counter)
    extra = {"counter": x.counter, "service": service, "to_counter": x.to_counter}
    return [case.move(x, ticket, f.TicketTransferred, **extra)]
