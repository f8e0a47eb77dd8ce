"""Queries about waits: noted once each, counted by service and by hour."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, select

from controller.store.bulk import insert_new
from controller.store.database import Tx
from controller.store.tables import WAITS

__all__ = ["add_waits", "figures"]

Row = dict[str, Any]


def add_waits(tx: Tx, rows: Sequence[Row]) -> None:
    """Note waits; the first call of a ticket is the one that counts."""
    insert_new(tx, WAITS, rows)


def figures(tx: Tx, hall: str | None, first: date, last: date) -> list[Row]:
    """`{service, hour, all, n, held, sooner, later, width}` of these business days; `width` is the sum."""
    c = WAITS.c
    query = select(
        c.service,
        c.hour,
        func.count().label("all"),
        func.count(c.low).label("n"),
        _number(and_(c.minutes >= c.low, c.minutes <= c.high)).label("held"),
        _number(c.minutes < c.low).label("sooner"),
        _number(c.minutes > c.high).label("later"),
        func.coalesce(func.sum(c.high - c.low), 0).label("width"),
    ).where(c.day >= first, c.day <= last)
    if hall is not None:
        query = query.where(c.hall == hall)
    return [dict(row) for row in tx.execute(query.group_by(c.service, c.hour)).mappings()]


def _number(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
