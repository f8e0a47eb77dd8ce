"""Queries about wishes: numbered per incarnation of a box, kept until it has acknowledged them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from controller.store.database import Tx
from controller.store.tables import WISH_STREAMS, WISHES

__all__ = [
    "acknowledge",
    "add_wish_stream",
    "add_wishes",
    "carry_over",
    "forget_acknowledged",
    "newest_stream",
    "unsent",
    "wish_stream",
]

Row = dict[str, Any]


def newest_stream(tx: Tx, agent: str, incarnation: str) -> Row | None:
    """The stream that wishes to this incarnation are written to."""
    query = select(WISH_STREAMS).where(
        WISH_STREAMS.c.agent == agent, WISH_STREAMS.c.incarnation == incarnation
    )
    row = (
        tx.execute(query.order_by(WISH_STREAMS.c.opened_at.desc(), WISH_STREAMS.c.stream.desc()).limit(1))
        .mappings()
        .first()
    )
    return dict(row) if row else None


def wish_stream(tx: Tx, stream: str) -> Row | None:
    """One stream, held until the transaction ends."""
    query = select(WISH_STREAMS).where(WISH_STREAMS.c.stream == stream).with_for_update()
    row = tx.execute(query).mappings().first()
    return dict(row) if row else None


def add_wish_stream(tx: Tx, row: Row) -> None:
    """Open a stream to an incarnation."""
    tx.execute(insert(WISH_STREAMS), row)


def add_wishes(tx: Tx, stream: str, wishes: Sequence[Row], at: datetime) -> int:
    """Number wishes and store them; gives the last number."""
    held = wish_stream(tx, stream)
    assert held is not None
    last = int(held["last"])
    rows = [
        {"stream": stream, "n": last + i, "wished_at": at, **wish} for i, wish in enumerate(wishes, start=1)
    ]
    if rows:
        tx.execute(insert(WISHES), rows)
        tx.execute(update(WISH_STREAMS).where(WISH_STREAMS.c.stream == stream).values(last=last + len(rows)))
    return last + len(rows)


def carry_over(tx: Tx, old: str, new: str, at: datetime) -> None:
    """Move what the old stream's box has not acknowledged to a new stream, in order."""
    acked = select(WISH_STREAMS.c.acked).where(WISH_STREAMS.c.stream == old).scalar_subquery()
    left = (WISHES.c.stream == old) & (WISHES.c.n > acked)
    query = select(WISHES.c.request_id, WISHES.c.kind, WISHES.c.body).where(left).order_by(WISHES.c.n)
    rows = [dict(row) for row in tx.execute(query).mappings()]
    tx.execute(delete(WISHES).where(left))
    add_wishes(tx, new, rows, at)


def acknowledge(tx: Tx, stream: str, applied: int) -> None:
    """The box holds everything up to `applied`; an earlier position means it was set back."""
    tx.execute(update(WISH_STREAMS).where(WISH_STREAMS.c.stream == stream).values(acked=applied))


def unsent(tx: Tx, stream: str, after: int, limit: int) -> list[tuple[int, str]]:
    """Numbers and JSON of the wishes after `after`."""
    query = select(WISHES.c.n, WISHES.c.body).where(WISHES.c.stream == stream, WISHES.c.n > after)
    return [(n, body) for n, body in tx.execute(query.order_by(WISHES.c.n).limit(limit))]


def forget_acknowledged(tx: Tx, before: datetime) -> int:
    """Remove wishes that were acknowledged and are older than `before`; gives how many."""
    done = (
        select(WISH_STREAMS.c.stream)
        .where(WISH_STREAMS.c.stream == WISHES.c.stream, WISH_STREAMS.c.acked >= WISHES.c.n)
        .exists()
    )
    return tx.execute(delete(WISHES).where(done, WISHES.c.wished_at < before)).rowcount
