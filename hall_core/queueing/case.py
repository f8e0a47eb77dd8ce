"""One wish under decision: the queue it meets, and the checks that all wishes share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hall_core.errors import (
    CounterBusy,
    CounterNotOpen,
    HallClosed,
    IllegalTransition,
    UnknownCounter,
    UnknownService,
    UnknownTicket,
)
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.queue import Counter, Queue, Ticket
from hall_core.queueing.setup import HallSetup, ServiceSetup
from hall_core.queueing.states import CounterState, TicketState, after, counter_after

__all__ = ["Case", "Circumstances", "command_name"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision needs besides the queue: the hall's local time and the deciding box.

    `by_hall` are the tickets whose holders the hall itself can tell by short message, and must: the link
    to the controller is down.
    """

    now: datetime
    incarnation: str
    by_hall: frozenset[str] = frozenset()


class Case:
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
