"""A call that nobody answers gets louder: strip and chime, pager, short message, a relative's phone.

Decided from the queue alone: a step is due when its ticket has stood called for so long, once for each call.
Whoever comes, is marked as missing, or is called anew ends it.

Only "start" says that somebody has come, and a key-pad has no key for it. A counter where it is not pressed
(`CounterSetup.presses_start`, or as its last visit shows) does not tell when people come, and a step taken by
the clock would shout at somebody who is being served. There a call gets louder by hand: each recall, which
says that nobody is there yet, shows it anew and writes to its holder; the second one tells the relative too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hall_core.errors import IllegalTransition, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.decide_notices import notice_by
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.states import TicketState
from hall_core.queueing.steps import Step

__all__ = ["STOPS_AFTER", "StepDue", "escalate", "escalation"]

#: recalls of one call after which the relative is told where nobody says who has come
LAST_RESORT = 2
#: a box that was away so long after a call says nothing more about it
STOPS_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class StepDue:
    """What is to be done now about one call."""

    ticket_id: str
    call_no: int
    step: Step


def escalation(queue: Queue, now: datetime, by_hall: frozenset[str] = frozenset()) -> list[StepDue]:
    """The steps that are due now, the quietest first. `by_hall` as in `Circumstances`."""
    found = []
    for counter in queue.counters.values():
        ticket = queue.tickets.get(counter.ticket_id or "")
        if ticket is not None:
            steps = _due(queue, ticket, now, by_hall)
            if not queue.tells_arrivals(counter.counter):
                steps = _by_hand(queue, ticket, now)
            found += [StepDue(ticket.ticket_id, ticket.call_no, step) for step in steps]
    return found


def _due(queue: Queue, ticket: Ticket, now: datetime, by_hall: frozenset[str]) -> Iterator[Step]:
    if ticket.state is not TicketState.CALLED or ticket.called_at is None or queue.setup is None:
        return
    waited = now - ticket.called_at
    for step, seconds in queue.setup.escalation.steps():
        reached = seconds > 0 and timedelta(seconds=seconds) <= waited < STOPS_AFTER
        if reached and step not in ticket.escalated and _possible(ticket, step, by_hall):
            yield step


def _by_hand(queue: Queue, ticket: Ticket, now: datetime) -> Iterator[Step]:
    """The relative, right after the second recall: what comes before it a recall does by itself."""
    if ticket.state is not TicketState.CALLED or ticket.called_at is None or queue.setup is None:
        return
    wanted = ticket.recalls == LAST_RESORT and queue.setup.escalation.relative_s > 0
    fresh = now - ticket.called_at < STOPS_AFTER
    if wanted and fresh and ticket.relative is not None and "relative" not in ticket.escalated:
        yield "relative"


def _possible(ticket: Ticket, step: Step, by_hall: frozenset[str]) -> bool:
    told = ticket.ticket_id in by_hall
    if step == "pager":
        return ticket.pager is not None
    if step == "sms":
        return ticket.phone_sealed is not None or told
    if step == "relative":
        return ticket.relative is not None
    return True


def escalate(case: Case, x: c.Escalate) -> list[f.Fact]:
    """One step is taken. Raises UnknownTicket, IllegalTransition when it is not due any more."""
    ticket = case.queue.tickets.get(x.ticket)
    if ticket is None:
        raise UnknownTicket(ticket=x.ticket)
    due = StepDue(ticket.ticket_id, x.call_no, x.step)
    if due not in escalation(case.queue, case.now, case.around.by_hall) or ticket.counter is None:
        raise IllegalTransition(label=ticket.label, state=ticket.state.value, action="escalate")
    told = {"counter": ticket.counter, "call_no": x.call_no, "step": x.step}
    by = notice_by(case, ticket.ticket_id) if x.step in ("sms", "relative") else None
    return [f.CallEscalated(**case.common, ticket_id=ticket.ticket_id, **told, notice_by=by)]
