"""Queries about the keys of other programs, and what was asked for with them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.tables import API_KEYS, APPOINTMENTS, REQUESTS

__all__ = ["Tx", "key_of", "made", "made_since", "put_key"]

Row = dict[str, Any]


def put_key(tx: Tx, row: Row) -> None:
    """Add an API key, or replace the one of this name."""
    upsert(tx, API_KEYS, [row])


#: built once: every request of a program asks it
_BY_DIGEST = select(API_KEYS).where(API_KEYS.c.digest == bindparam("digest"))


def key_of(tx: Tx, digest: str) -> Row | None:
    """The key with this digest: its program's name and limits."""
    row = tx.execute(_BY_DIGEST, {"digest": digest}).mappings().first()
    return dict(row) if row else None


def made_since(tx: Tx, owner: str, since: datetime, limit: int) -> int:
    """How many tickets and appointments this owner has asked for; counting ends at `limit`."""
    # Nothing but what stands in the index: the rows themselves are not read.
    tickets = select(REQUESTS.c.owner).where(REQUESTS.c.owner == owner, REQUESTS.c.requested_at >= since)
    booked = select(APPOINTMENTS.c.owner).where(
        APPOINTMENTS.c.owner == owner, APPOINTMENTS.c.booked_at >= since
    )
    count = _count(tx, tickets, limit)
    return count if count >= limit else count + _count(tx, booked, limit - count)


def _count(tx: Tx, query: Select[Any], limit: int) -> int:
    return int(tx.execute(select(func.count()).select_from(query.limit(limit).subquery())).scalar_one())


def made(tx: Tx, owner: str, key: str) -> bool:
    """True when this very request was asked before."""
    ticket = select(REQUESTS.c.key).where(REQUESTS.c.owner == owner, REQUESTS.c.key == key)
    booked = select(APPOINTMENTS.c.key).where(APPOINTMENTS.c.owner == owner, APPOINTMENTS.c.key == key)
    return any(tx.execute(query.limit(1)).first() is not None for query in (ticket, booked))
