"""A hall gets another box: the one before is retired, and those who wait are taken over."""

from datetime import date

from controller.store import facts as fact_store
from controller.store.database import Tx
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.clock import Clock
from hall_core.queueing.commands import TakenOver, TakeOver
from hall_core.queueing.numbering import OFFLINE_LINE
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.states import TicketState

__all__ = ["replace_box", "take_over"]

#: tickets in one wish
CHUNK = 50
#: who was at a counter or set aside stands in line again, in their old place
_STILL_HERE = (TicketState.WAITING, TicketState.CALLED, TicketState.SERVING, TicketState.HELD)


def replace_box(tx: Tx, hall: str, clock: Clock) -> int:
    """Retire whatever box the hall has; gives how many were retired. The next new one to come moves in."""
    return fact_store.retire_streams(tx, hall, clock.now())


def take_over(
    draft: Draft, hall: LiveHall, before: Queue, today: date, *, but: frozenset[str] = frozenset()
) -> None:
    """Wish the new box to go on with those who waited at the one before, as far as it had told.

    Left out are the tickets in `but`: their holders were shown another number, which counts.
    """
    waiting = [
        _taken(t)
        for t in before.tickets.values()
        if t.ticket_id not in but and t.state in _STILL_HERE and t.line != OFFLINE_LINE and t.day == today
    ]
    box = draft.box(hall) or ""
    for start in range(0, len(waiting), CHUNK):
        request_id = f"{REQUEST_PREFIX}take-over-{box[-20:]}-{start}"
        wish(draft, hall, [TakeOver(request_id=request_id, tickets=tuple(waiting[start : start + CHUNK]))])


def _taken(ticket: Ticket) -> TakenOver:
    return TakenOver(**{name: getattr(ticket, name) for name in TakenOver.model_fields})
