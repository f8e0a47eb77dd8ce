"""Queries about the administrators' calendar."""

from datetime import date
from typing import Any

from sqlalchemy import delete, select

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.tables import CALENDAR

__all__ = ["EVERYWHERE", "days_between", "put_day", "remove_day"]

Row = dict[str, Any]
#: the scope that means all halls
EVERYWHERE = "*"


def days_between(tx: Tx, first: date, last: date) -> list[Row]:
    """What was said about these days (both included), of all scopes, earliest first."""
    query = select(CALENDAR).where(CALENDAR.c.day >= first, CALENDAR.c.day <= last)
    return [dict(row) for row in tx.execute(query.order_by(CALENDAR.c.day, CALENDAR.c.scope)).mappings()]


def put_day(tx: Tx, row: Row) -> None:
    """Say something about a day; what was said before is replaced."""
    upsert(tx, CALENDAR, [row])


def remove_day(tx: Tx, scope: str, day: date) -> bool:
    """Say nothing about it any more; False when nothing was said."""
    gone = delete(CALENDAR).where(CALENDAR.c.scope == scope, CALENDAR.c.day == day)
    return bool(tx.execute(gone).rowcount)
