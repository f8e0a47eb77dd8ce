"""A credit comes back when the number that used it has ended without a call: given up, or the hall closed."""

from collections.abc import Iterable

from controller.store import promises as store
from controller.store import tickets as ticket_store
from controller.store.database import Tx
from controller.use_cases.promise_rules import GOODWILL
from hall_core.queueing.queue import Ticket
from hall_core.queueing.states import TicketState

__all__ = ["give_back", "give_back_uncalled"]

_ENDED = (TicketState.CANCELLED, TicketState.LAPSED)


def give_back_uncalled(tx: Tx, tickets: Iterable[Ticket]) -> None:
    """After they are stored: the credits of those among them that will never be called."""
    for ticket in tickets:
        if ticket.priority == GOODWILL and ticket.call_no == 0 and ticket.state in _ENDED:
            give_back(tx, ticket.ticket_id)


def give_back(tx: Tx, ticket_id: str) -> None:
    """What this number used is there for another visit, unless the number went on under another label."""
    row = ticket_store.ticket(tx, ticket_id)
    if row is None or row["merged_into"] is not None:
        return
    # The controller's own number stands for the one that was asked of the hall.
    request = ticket_store.request_shown(tx, ticket_id)
    for used_by in {ticket_id, request["ticket_id"] if request else ticket_id}:
        store.free_credit(tx, used_by)
