"""Where somebody stands who lets others pass, needs a few minutes more, or comes after a missed call."""

from dataclasses import replace
from datetime import datetime, timedelta

from hall_core.errors import IllegalTransition, NothingToPostpone, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.ordering import in_order, waiting_for
from hall_core.queueing.queue import Ticket
from hall_core.queueing.states import TicketState

__all__ = ["LET_PASS", "come_later", "give_back", "postpone"]

#: so many go first when somebody asks to be later, and so often one may ask
LET_PASS, POSTPONED_AT_MOST = 3, 2


def postpone(case: Case, x: c.PostponeTicket) -> list[f.Fact]:
    """Those next in line pass. Raises UnknownTicket, NothingToPostpone, IllegalTransition."""
    ticket = _find(case, x.ticket)
    if ticket.state is not TicketState.WAITING or ticket.postponed >= POSTPONED_AT_MOST:
        raise IllegalTransition(label=ticket.label, state=ticket.state.value, action="postpone")
    waiting = in_order(case.queue, waiting_for(case.queue, ticket.service), case.now)
    behind = waiting[waiting.index(ticket) + 1 :]
    if not behind:
        raise NothingToPostpone(label=ticket.label)
    effective_at = _right_behind(case, ticket, behind[:LET_PASS][-1])
    return [case.move(x, ticket, f.TicketPostponed, effective_at=effective_at)]


def give_back(case: Case, x: c.Return) -> list[f.Fact]:
    """The ticket stands in line again: who was set aside where they stood, who missed a call after the next
    three, once; whoever misses another one stands at the end. Raises IllegalTransition.
    """
    ticket = case.ticket(x)
    missed = ticket.state is TicketState.NO_SHOW
    effective_at = _after_a_miss(case, ticket) if missed else ticket.effective_at
    return [case.move(x, ticket, f.TicketReturned, effective_at=effective_at)]


def come_later(case: Case, x: c.ComeLater) -> list[f.Fact]:
    """Who was called and is on the way gives the counter free and stands after the next three, once.

    Raises UnknownTicket, IllegalTransition.
    """
    ticket = _find(case, x.ticket)
    if ticket.state is not TicketState.CALLED or ticket.rescued:
        raise IllegalTransition(label=ticket.label, state=ticket.state.value, action="come-later")
    missed = case.move(x, ticket, f.TicketNoShow, counter=ticket.counter)
    effective_at = _after_a_miss(case, ticket)
    return [missed, f.TicketReturned(**case.common, ticket_id=ticket.ticket_id, effective_at=effective_at)]


def _after_a_miss(case: Case, ticket: Ticket) -> datetime:
    if ticket.rescued:
        return case.now
    line = in_order(case.queue, waiting_for(case.queue, ticket.service), case.now)
    # Somebody who is expected later does not hold up who is here.
    here = [other for other in line if other.effective_at <= case.now]
    return _right_behind(case, ticket, here[:LET_PASS][-1]) if here else case.now


def _right_behind(case: Case, ticket: Ticket, last: Ticket) -> datetime:
    """Behind the last who passes; the line has two parts, so the place is tried before it is given."""
    step = timedelta(microseconds=1)
    times = (last.effective_at + step, max(last.issued_at, last.effective_at) + step, case.now)
    for effective_at in times:
        moved = replace(ticket, state=TicketState.WAITING, effective_at=effective_at)
        if in_order(case.queue, (moved, last), case.now)[0] is last:
            break
    return effective_at


def _find(case: Case, wanted: str) -> Ticket:
    ticket = case.queue.find(wanted)
    if ticket is None:
        raise UnknownTicket(ticket=wanted)
    return ticket
