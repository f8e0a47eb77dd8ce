"""Queries about notices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from controller.store.bulk import insert_new
from controller.store.database import Tx
from controller.store.tables import NOTICES, TICKETS

__all__ = [
    "add_notices",
    "change_notice",
    "claim",
    "claimed_left_over",
    "counts",
    "next_due",
    "notices_page",
    "with_ticket",
]

Row = dict[str, Any]

#: states in which a worker has something to do, once `next_at` has come
_DUE = ("pending", "unknown")


def add_notices(tx: Tx, rows: Sequence[Row]) -> None:
    """Write notices; one that exists for its ticket, kind and call is left alone."""
    insert_new(tx, NOTICES, rows)


def with_ticket(tx: Tx, notice_id: int) -> Row:
    """A notice and what its ticket is now."""
    return dict(tx.execute(_joined().where(NOTICES.c.id == notice_id)).mappings().one())


def _joined() -> Any:
    return select(
        NOTICES,
        TICKETS.c.state.label("ticket_state"),
        TICKETS.c.call_no.label("ticket_call_no"),
        TICKETS.c.merged_into,
        TICKETS.c.phone_sealed,
    ).join(TICKETS, TICKETS.c.ticket_id == NOTICES.c.ticket_id)


def claim(tx: Tx, now: datetime, skip: Sequence[int]) -> Row | None:
    """The most urgent notice that is due, with its ticket's state, held until the transaction ends."""
    query = (
        _joined()
        .where(NOTICES.c.state.in_(_DUE), NOTICES.c.next_at <= now, NOTICES.c.id.not_in(skip))
        .order_by(NOTICES.c.priority, NOTICES.c.id)
        .limit(1)
    )
    row = tx.execute(query.with_for_update(of=NOTICES, skip_locked=True)).mappings().first()
    return dict(row) if row else None


def next_due(tx: Tx, skip: Sequence[int]) -> datetime | None:
    """When the next notice becomes due, not counting those in hand."""
    waiting = NOTICES.c.state.in_(_DUE) & NOTICES.c.id.not_in(skip)
    return tx.execute(select(func.min(NOTICES.c.next_at)).where(waiting)).scalar()


def change_notice(tx: Tx, notice_id: int, **changes: Any) -> None:
    """Set columns of one notice."""
    tx.execute(update(NOTICES).where(NOTICES.c.id == notice_id).values(**changes))


def claimed_left_over(tx: Tx, before: datetime, **changes: Any) -> int:
    """Change notices that were being sent when their sender stopped; gives how many."""
    left = (NOTICES.c.state == "sending") & (NOTICES.c.updated_at < before)
    return tx.execute(update(NOTICES).where(left).values(**changes)).rowcount


def counts(tx: Tx, since: datetime) -> dict[str, int]:
    """How many notices made since then are in each state."""
    query = select(NOTICES.c.state, func.count()).where(NOTICES.c.made_at >= since).group_by(NOTICES.c.state)
    return {row[0]: row[1] for row in tx.execute(query)}


def notices_page(tx: Tx, *, ticket: str | None, hall: str | None, after: int, limit: int) -> list[Row]:
    """Notices as they were written, with the masked number they go to."""
    query = (
        select(NOTICES, TICKETS.c.phone_masked.label("phone"), TICKETS.c.label)
        .join(TICKETS, TICKETS.c.ticket_id == NOTICES.c.ticket_id)
        .where(NOTICES.c.id > after)
        .order_by(NOTICES.c.id)
        .limit(limit)
    )
    if ticket is not None:
        query = query.where(NOTICES.c.ticket_id == ticket)
    if hall is not None:
        query = query.where(NOTICES.c.hall == hall)
    return [dict(row) for row in tx.execute(query).mappings()]
