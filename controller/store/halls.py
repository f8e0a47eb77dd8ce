"""Queries about halls and their devices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.tables import DEVICES, HALLS

__all__ = [
    "all_devices",
    "all_halls",
    "change_hall",
    "devices_page",
    "enrol",
    "hall_of_agent",
    "lock_hall",
    "replace_devices",
    "touch",
]

Row = dict[str, Any]


def enrol(tx: Tx, row: Row) -> None:
    """Add a hall, or change its name, level, parent and agent."""
    upsert(tx, HALLS, [row], keep=frozenset({"enrolled_at"}))


def all_halls(tx: Tx) -> list[Row]:
    """Every enrolled hall."""
    return [dict(row) for row in tx.execute(select(HALLS).order_by(HALLS.c.hall)).mappings()]


def hall_of_agent(tx: Tx, agent: str) -> Row | None:
    """The hall this agent was enrolled for."""
    row = tx.execute(select(HALLS).where(HALLS.c.agent == agent)).mappings().first()
    return dict(row) if row else None


def lock_hall(tx: Tx, hall: str) -> Row | None:
    """The hall, held until the transaction ends: grants and numbers of one hall are given one at a time."""
    row = tx.execute(select(HALLS).where(HALLS.c.hall == hall).with_for_update()).mappings().first()
    return dict(row) if row else None


def change_hall(tx: Tx, hall: str, **changes: Any) -> None:
    """Set columns of one hall."""
    tx.execute(update(HALLS).where(HALLS.c.hall == hall).values(**changes))


def touch(tx: Tx, halls: Sequence[str], at: datetime) -> None:
    """These halls were heard at `at`."""
    if halls:
        tx.execute(update(HALLS).where(HALLS.c.hall.in_(halls)).values(last_seen=at))


def replace_devices(tx: Tx, hall: str, rows: Sequence[Row]) -> None:
    """The hall has these devices and no others."""
    names = [row["name"] for row in rows]
    tx.execute(delete(DEVICES).where(DEVICES.c.hall == hall, DEVICES.c.name.not_in(names)))
    upsert(tx, DEVICES, rows)


def all_devices(tx: Tx) -> dict[str, list[Row]]:
    """Every hall's devices as reported last."""
    found: dict[str, list[Row]] = {}
    for row in tx.execute(select(DEVICES).order_by(DEVICES.c.hall, DEVICES.c.name)).mappings():
        found.setdefault(row["hall"], []).append(dict(row))
    return found


def devices_page(tx: Tx, *, hall: str | None, after: str | None, limit: int) -> list[Row]:
    """Devices by hall and name; `after` is the `id` (`hall/name`) of the last one seen."""
    key = DEVICES.c.hall + "/" + DEVICES.c.name
    query = select(key.label("id"), DEVICES).order_by(key).limit(limit)
    if hall is not None:
        query = query.where(DEVICES.c.hall == hall)
    if after is not None:
        query = query.where(key > after)
    return [dict(row) for row in tx.execute(query).mappings()]
