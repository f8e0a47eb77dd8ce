"""Queries about alarms."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from controller.store.database import Tx
from controller.store.tables import ALARMS

__all__ = ["alarms_page", "close_alarm", "open_alarm", "open_count", "open_since"]

Row = dict[str, Any]


def _same(kind: str, hall: str | None, subject: str) -> Any:
    here = ALARMS.c.hall.is_(None) if hall is None else ALARMS.c.hall == hall
    return ALARMS.c.closed_at.is_(None) & (ALARMS.c.kind == kind) & here & (ALARMS.c.subject == subject)


def open_alarm(tx: Tx, row: Row, at: datetime) -> Row:
    """Raise an alarm; while it is open, raising it again counts it up. Gives its row."""
    same = _same(row["kind"], row["hall"], row["subject"])
    again = update(ALARMS).where(same).values(count=ALARMS.c.count + 1, seen_at=at).returning(ALARMS)
    found = tx.execute(again).mappings().first()
    if found is None:
        fresh = {**row, "opened_at": at, "seen_at": at, "count": 1}
        found = tx.execute(insert(ALARMS).values(**fresh).returning(ALARMS)).mappings().one()
    return dict(found)


def close_alarm(tx: Tx, kind: str, hall: str | None, subject: str, at: datetime) -> list[Row]:
    """The trouble is over; gives the alarms that were closed by this."""
    closed = update(ALARMS).where(_same(kind, hall, subject)).values(closed_at=at).returning(ALARMS)
    return [dict(row) for row in tx.execute(closed).mappings()]


def open_since(tx: Tx, kind: str) -> dict[tuple[str, str], datetime]:
    """When the open alarms of this kind were opened, by hall and subject."""
    query = select(ALARMS.c.hall, ALARMS.c.subject, ALARMS.c.opened_at)
    found = tx.execute(query.where(ALARMS.c.closed_at.is_(None), ALARMS.c.kind == kind))
    return {(row.hall, row.subject): row.opened_at for row in found}


def open_count(tx: Tx) -> int:
    """How many alarms are open."""
    return int(
        tx.execute(select(func.count()).select_from(ALARMS).where(ALARMS.c.closed_at.is_(None))).scalar_one()
    )


def alarms_page(
    tx: Tx, *, hall: str | None, open_only: bool, after: int, limit: int, newest_first: bool = False
) -> Sequence[Row]:
    """Alarms as they came, or the newest first."""
    order = ALARMS.c.id.desc() if newest_first else ALARMS.c.id
    query = select(ALARMS).where(ALARMS.c.id > after).order_by(order).limit(limit)
    if hall is not None:
        query = query.where(ALARMS.c.hall == hall)
    if open_only:
        query = query.where(ALARMS.c.closed_at.is_(None))
    return [dict(row) for row in tx.execute(query).mappings()]
