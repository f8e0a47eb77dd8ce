"""Wishes are decided here: into facts, or refused with a reason a clerk understands.

`decide` changes nothing. It returns the facts that would happen, or raises a `Refused`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hall_core.errors import (
    BadRequest,
    CounterBusy,
    CounterNotOpen,
    HallClosed,
    IllegalTransition,
    NobodyWaiting,
    Refused,
    RequestIdReused,
    ServiceClosed,
    UnknownCounter,
    UnknownService,
    UnknownTicket,
)
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.estimates import range_minutes
from hall_core.queueing.numbering import label_of, next_number
from hall_core.queueing.ordering import ahead_of, effective_time, next_ticket, waiting_for
from hall_core.queueing.queue import Counter, Grant, Queue, Ticket
from hall_core.queueing.setup import HallSetup, ServiceSetup
from hall_core.queueing.states import OPEN_STATES, CounterState, TicketState, after, counter_after

__all__ = ["Circumstances", "decide", "known", "refusal"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision needs besides the queue: the hall's local time and the deciding box."""

    now: datetime
    incarnation: str


class _Case:
    """One wish under decision."""

    def __init__(self, queue: Queue, command: c.CommandBase, around: Circumstances) -> None:
        self.queue, self.around = queue, around
        self.now = around.now
        self.common: dict[str, Any] = {
            "at": around.now,
            "request_id": command.request_id,
            "fingerprint": command.fingerprint,
        }

    @property
    def setup(self) -> HallSetup:
        if self.queue.setup is None:
            raise HallClosed
        return self.queue.setup

    def counter(self, counter_id: str) -> Counter:
        counter = self.queue.counters.get(counter_id)
        if counter is None:
            raise UnknownCounter(counter=counter_id)
        return counter

    def service(self, service_id: str) -> ServiceSetup:
        service = self.setup.service(service_id)
        if service is None:
            raise UnknownService(service=service_id)
        return service

    def ticket(self, command: c.TicketCommand) -> Ticket:
        """The ticket named, or else the one in hand at the counter."""
        counter = self.counter(command.counter)
        if command.ticket is None:
            if counter.ticket_id is None:
                raise IllegalTransition(
                    label=counter.counter, state="no-ticket", action=command_name(command)
                )
            return self.queue.tickets[counter.ticket_id]
        ticket = self.queue.find(command.ticket)
        if ticket is None:
            raise UnknownTicket(ticket=command.ticket)
        return ticket

    def move(self, command: c.CommandBase, ticket: Ticket, kind: type[f.TicketFact], **extra: Any) -> f.Fact:
        """The fact, when the table allows it and the ticket is not in another counter's hands."""
        here = getattr(command, "counter", None)
        elsewhere = (
            ticket.state in (TicketState.CALLED, TicketState.SERVING)
            and here is not None
            and ticket.counter != here
        )
        if after(ticket.state, kind) is None or elsewhere:
            raise IllegalTransition(
                label=ticket.label, state=ticket.state.value, action=command_name(command)
            )
        return kind(**self.common, ticket_id=ticket.ticket_id, **extra)  # type: ignore[return-value]

    def turn(self, command: c.CounterCommand, kind: type[f.CounterFact], **extra: Any) -> list[f.Fact]:
        counter = self.counter(command.counter)
        if counter_after(counter.state, kind) is None:
            raise IllegalTransition(
                label=counter.counter, state=counter.state.value, action=command_name(command)
            )
        if counter.ticket_id is not None:
            label = self.queue.tickets[counter.ticket_id].label
            raise CounterBusy(counter=counter.counter, label=label)
        return [kind(**self.common, counter=counter.counter, **extra)]  # type: ignore[list-item]

    def ready(self, counter_id: str) -> Counter:
        """The counter, when it is open."""
        counter = self.counter(counter_id)
        if counter.state is not CounterState.OPEN:
            raise CounterNotOpen(counter=counter_id)
        return counter


def command_name(command: c.CommandBase) -> str:
    """The command's name on the wire."""
    return str(getattr(command, "kind", type(command).__name__))


def _configure(case: _Case, x: c.ConfigureHall) -> list[f.Fact]:
    if case.queue.setup and case.queue.setup.hall != x.setup.hall:
        raise BadRequest(what=f"this box belongs to hall {case.queue.setup.hall}")
    for ticket in case.queue.tickets.values():
        if ticket.state in OPEN_STATES and x.setup.service(ticket.service) is None:
            raise BadRequest(what=f"service {ticket.service} still has {ticket.label}")
    for counter in case.queue.counters.values():
        if counter.state is not CounterState.CLOSED and x.setup.counter(counter.counter) is None:
            raise BadRequest(what=f"counter {counter.counter} is in service; close it first")
    return [f.HallConfigured(**case.common, setup=x.setup)]


def _open_day(case: _Case, x: c.OpenBusinessDay) -> list[f.Fact]:
    if x.day == case.queue.day:
        return []  # open already
    if case.queue.day is not None and x.day < case.queue.day:
        raise BadRequest(what=f"business day {case.queue.day} never goes back to {x.day}")
    lapsed: list[f.Fact] = [
        f.TicketLapsed(**case.common, ticket_id=t.ticket_id)
        for t in case.queue.tickets.values()
        if after(t.state, f.TicketLapsed) and t.day < x.day
    ]
    return [*lapsed, f.BusinessDayOpened(**case.common, day=x.day, trusted=x.trusted)]


def _grant(case: _Case, x: c.GrantZone) -> list[f.Fact]:
    if x.last_day < x.first_day:
        raise BadRequest(what="last_day lies before first_day")
    fields = x.model_dump(exclude={"kind", "request_id", "fingerprint"})
    wanted = Grant(**fields)
    for grant in case.queue.grants:
        if grant == wanted:
            return []  # granted already
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


def _issue(case: _Case, x: c.IssueTicket) -> list[f.Fact]:
    setup, service = case.setup, case.service(x.service)
    if not setup.hours.open_at(case.now) or case.queue.day is None:
        raise HallClosed
    if service.hours is not None and not service.hours.open_at(case.now):
        raise ServiceClosed(service=service.id, name=service.name)
    if x.priority is not None and x.priority not in setup.credits_min:
        raise BadRequest(what=f"priority {x.priority!r}")
    if x.ticket_id in case.queue.tickets:
        raise BadRequest(what="ticket_id stands for another ticket")
    number = next_number(
        case.queue, line=service.prefix, day=case.queue.day, incarnation=case.around.incarnation
    )
    effective_at = effective_time(case.now, setup.credits_min.get(x.priority or "", 0))
    fact = f.TicketIssued(
        **case.common,
        ticket_id=x.ticket_id,
        label=label_of(service.prefix, number),
        service=service.id,
        line=service.prefix,
        number=number,
        day=case.queue.day,
        channel=x.channel,
        priority=x.priority,
        effective_at=effective_at,
        token=x.token,
        ahead=0,
        phone_sealed=x.phone_sealed,
        phone_tail=x.phone_tail,
    )
    # What the citizen is told comes from the line as it will be with this ticket in it.
    ticket = Ticket.issued(fact)
    # Without a credit everybody who is there already goes first: no need to compare with each.
    plain = x.priority is None
    ahead = len(waiting_for(case.queue, service.id)) if plain else ahead_of(case.queue, ticket, case.now)
    range_min = range_minutes(case.queue, ticket, case.now)
    return [fact.model_copy(update={"ahead": ahead, "range_min": range_min})]


def _open_counter(case: _Case, x: c.OpenCounter) -> list[f.Fact]:
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


def _call_next(case: _Case, x: c.CallNext) -> list[f.Fact]:
    counter = case.ready(x.counter)
    facts: list[f.Fact] = []
    if counter.ticket_id is not None:
        ticket = case.queue.tickets[counter.ticket_id]
        if not x.finish_current:
            raise CounterBusy(counter=x.counter, label=ticket.label)
        done = {**case.common, "ticket_id": ticket.ticket_id, "counter": x.counter}
        if ticket.state is TicketState.CALLED:
            facts.append(f.ServiceStarted(**done))
        facts.append(f.TicketFinished(**done))
    chosen = next_ticket(case.queue, x.counter, case.now)
    if chosen is None:
        if facts:
            return facts
        raise NobodyWaiting
    called = case.move(x, chosen, f.TicketCalled, counter=x.counter, call_no=chosen.call_no + 1)
    return [*facts, called]


def _call(case: _Case, x: c.Call) -> list[f.Fact]:
    counter = case.ready(x.counter)
    if x.ticket is None:
        raise BadRequest(what="ticket")
    ticket = case.ticket(x)
    if counter.ticket_id is not None:
        raise CounterBusy(counter=x.counter, label=case.queue.tickets[counter.ticket_id].label)
    extra = {"counter": x.counter, "call_no": ticket.call_no + 1, "reason": x.reason}
    return [case.move(x, ticket, f.TicketCalled, **extra)]


def _recall(case: _Case, x: c.Recall) -> list[f.Fact]:
    ticket = case.ticket(x)
    extra = {"counter": x.counter, "call_no": ticket.call_no + 1}
    return [case.move(x, ticket, f.TicketRecalled, **extra)]


def _at_counter(kind: type[f.TicketFact]) -> Callable[[_Case, Any], list[f.Fact]]:
    def decided(case: _Case, x: c.TicketCommand) -> list[f.Fact]:
        return [case.move(x, case.ticket(x), kind, counter=x.counter)]

    return decided


def _hold(case: _Case, x: c.Hold) -> list[f.Fact]:
    return [case.move(x, case.ticket(x), f.TicketHeld, counter=x.counter, reason=x.reason)]


def _return(case: _Case, x: c.Return) -> list[f.Fact]:
    ticket = case.ticket(x)
    # Who was set aside keeps the place in time; who did not come stands at the end.
    missed = ticket.state is TicketState.NO_SHOW
    effective_at = case.now if missed else ticket.effective_at
    return [case.move(x, ticket, f.TicketReturned, effective_at=effective_at)]


def _transfer(case: _Case, x: c.Transfer) -> list[f.Fact]:
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


def _cancel(case: _Case, x: c.CancelTicket) -> list[f.Fact]:
    in_hand = case.counter(x.counter).ticket_id if x.counter is not None else None
    wanted = x.ticket or in_hand
    if wanted is None and x.counter is not None:
        raise IllegalTransition(label=x.counter, state="no-ticket", action="cancel")
    ticket = case.queue.find(wanted) if wanted else None
    if ticket is None:
        raise UnknownTicket(ticket=wanted or "")
    if x.counter is None and ticket.state is TicketState.SERVING:
        raise IllegalTransition(label=ticket.label, state=ticket.state.value, action="cancel")
    return [case.move(x, ticket, f.TicketCancelled, reason=x.reason)]


_DECIDE: dict[type[c.CommandBase], Callable[[_Case, Any], list[f.Fact]]] = {
    c.ConfigureHall: _configure,
    c.OpenBusinessDay: _open_day,
    c.GrantZone: _grant,
    c.IssueTicket: _issue,
    c.OpenCounter: _open_counter,
    c.PauseCounter: lambda case, x: case.turn(x, f.CounterPaused, reason=x.reason),
    c.ResumeCounter: lambda case, x: case.turn(x, f.CounterResumed),
    c.CloseCounter: lambda case, x: case.turn(x, f.CounterClosed),
    c.CallNext: _call_next,
    c.Call: _call,
    c.Recall: _recall,
    c.Start: _at_counter(f.ServiceStarted),
    c.Finish: _at_counter(f.TicketFinished),
    c.NoShow: _at_counter(f.TicketNoShow),
    c.Hold: _hold,
    c.Return: _return,
    c.Transfer: _transfer,
    c.CancelTicket: _cancel,
}


def known(queue: Queue, command: c.CommandBase) -> bool:
    """True when this very request was answered before. Raises RequestIdReused for a different body."""
    if command.request_id is None or command.request_id not in queue.requests:
        return False
    if queue.requests[command.request_id].fingerprint != command.fingerprint:
        raise RequestIdReused
    return True


def decide(queue: Queue, command: c.Command, around: Circumstances) -> list[f.Fact]:
    """The facts this wish leads to, in order; raises a `Refused` and changes nothing otherwise.

    A request answered before leads to no facts: `queue.requests` holds its answer.
    """
    if known(queue, command):
        return []
    return _DECIDE[type(command)](_Case(queue, command, around), command)


def refusal(command: c.CommandBase, error: Refused, now: datetime) -> f.WishRefused:
    """The fact that tells the controller why its wish was refused."""
    return f.WishRefused(
        at=now,
        request_id=command.request_id,
        fingerprint=command.fingerprint,
        wish=command_name(command),
        slug=error.slug,
        detail=error.sentence("zh"),
    )
