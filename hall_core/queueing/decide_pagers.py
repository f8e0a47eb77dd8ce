"""Wishes about pagers: one pager belongs to one ticket that is still to be served."""

from hall_core.errors import IllegalTransition, PagerInUse, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.states import OPEN_STATES

__all__ = ["give_pager", "holder_of", "in_nobodys_hand"]


def give_pager(case: Case, x: c.GivePager) -> list[f.Fact]:
    """The ticket's holder carries this pager, or has handed it back.

    Raises UnknownTicket, IllegalTransition after the visit, PagerInUse.
    """
    ticket = case.queue.find(x.ticket)
    if ticket is None:
        raise UnknownTicket(ticket=x.ticket)
    if ticket.state not in OPEN_STATES:
        raise IllegalTransition(label=ticket.label, state=ticket.state.value, action="give-pager")
    if x.pager is not None:
        in_nobodys_hand(case.queue, x.pager, but=ticket.ticket_id)
    return [f.PagerGiven(**case.common, ticket_id=ticket.ticket_id, pager=x.pager)]


def in_nobodys_hand(queue: Queue, pager: int, *, but: str | None = None) -> None:
    """Raises PagerInUse when somebody else than `but` carries this pager."""
    holder = holder_of(queue, pager)
    if holder is not None and holder.ticket_id != but:
        raise PagerInUse(pager=pager, label=holder.label)


def holder_of(queue: Queue, pager: int) -> Ticket | None:
    """The ticket still to be served whose holder carries this pager."""
    return next((t for t in queue.tickets.values() if t.pager == pager and t.state in OPEN_STATES), None)
