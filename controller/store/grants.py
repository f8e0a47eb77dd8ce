"""Queries about grants. They are only ever added."""

from datetime import date
from typing import Any

from sqlalchemy import insert, select

from controller.store.database import Tx
from controller.store.tables import GRANTS

__all__ = ["add_grant", "grant_named", "grants_of"]

Row = dict[str, Any]


def grants_of(tx: Tx, hall: str, since: date) -> list[Row]:
    """The hall's grants that reach `since` or later."""
    query = select(GRANTS).where(GRANTS.c.hall == hall, GRANTS.c.last_day >= since)
    return [dict(row) for row in tx.execute(query.order_by(GRANTS.c.first_day)).mappings()]


def grant_named(tx: Tx, grant_id: str) -> bool:
    """True when this grant is known."""
    return tx.execute(select(GRANTS.c.grant_id).where(GRANTS.c.grant_id == grant_id)).first() is not None


def add_grant(tx: Tx, row: Row) -> None:
    """Give a zone, for good."""
    tx.execute(insert(GRANTS), row)
