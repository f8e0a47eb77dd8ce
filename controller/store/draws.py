"""Queries about draws and who registered for them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from controller.store.bulk import insert_new
from controller.store.database import Tx
from controller.store.tables import DRAW_ENTRIES, DRAWS

__all__ = [
    "add_draw",
    "add_entry",
    "announced",
    "change_draw",
    "change_entry",
    "draw",
    "draw_of_day",
    "draws_due",
    "draws_of_hall",
    "entries",
    "entry_by_key",
    "entry_by_token",
    "next_entries",
    "rank",
    "registered",
    "waiting",
]

Row = dict[str, Any]
_D, _E = DRAWS.c, DRAW_ENTRIES.c


def add_draw(tx: Tx, row: Row) -> None:
    """A draw for this hall, service and day, unless there is one."""
    insert_new(tx, DRAWS, [row])


def draw(tx: Tx, draw_id: str, *, lock: bool = False) -> Row | None:
    """One draw, with `lock` held until the transaction ends."""
    return _one(tx, _D.draw_id == draw_id, lock=lock)


def draw_of_day(tx: Tx, hall: str, service: str, day: date) -> Row | None:
    """The draw of this day's places."""
    return _one(tx, (_D.hall == hall) & (_D.service == service) & (_D.day == day))


def _one(tx: Tx, which: Any, *, lock: bool = False) -> Row | None:
    query = select(DRAWS).where(which)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return dict(row) if row else None


def draws_of_hall(tx: Tx, hall: str, since: datetime) -> list[Row]:
    """Those that are to come and those that closed since then, by their opening."""
    query = select(DRAWS).where(_D.hall == hall, _D.closes_at >= since)
    return [dict(r) for r in tx.execute(query.order_by(_D.opens_at, _D.service)).mappings()]


def draws_due(tx: Tx, now: datetime) -> list[Row]:
    """Those whose window has closed and that are not over."""
    query = select(DRAWS).where(_D.state.in_(("open", "drawn")), _D.closes_at <= now)
    return [dict(r) for r in tx.execute(query.order_by(_D.closes_at)).mappings()]


def announced(tx: Tx) -> list[Row]:
    """Those whose order is not made yet, held until the transaction ends."""
    query = select(DRAWS).where(_D.state == "open").with_for_update()
    return [dict(r) for r in tx.execute(query).mappings()]


def change_draw(tx: Tx, draw_id: str, **changes: Any) -> None:
    """Set columns of one draw."""
    tx.execute(update(DRAWS).where(_D.draw_id == draw_id).values(**changes))


def add_entry(tx: Tx, row: Row) -> bool:
    """A registration; False when the person or the request has one already."""
    insert_new(tx, DRAW_ENTRIES, [row])
    return tx.execute(select(_E.owner).where(_E.entry_id == row["entry_id"])).first() is not None


def registered(tx: Tx, draw_id: str, phone_index: str) -> bool:
    """True when this person has registered."""
    query = select(_E.entry_id).where(_E.draw_id == draw_id, _E.phone_index == phone_index)
    return tx.execute(query).first() is not None


def entry_by_key(tx: Tx, owner: str, key: str) -> Row | None:
    """The registration that this request made."""
    return _entry(tx, (_E.owner == owner) & (_E.key == key))


def entry_by_token(tx: Tx, token: str) -> Row | None:
    """The registration a citizen's link stands for, held until the transaction ends."""
    return _entry(tx, _E.token == token)


def _entry(tx: Tx, which: Any) -> Row | None:
    row = tx.execute(select(DRAW_ENTRIES).where(which).with_for_update()).mappings().first()
    return dict(row) if row else None


def change_entry(tx: Tx, entry_id: str, **changes: Any) -> None:
    """Set columns of one registration."""
    tx.execute(update(DRAW_ENTRIES).where(_E.entry_id == entry_id).values(**changes))


def entries(tx: Tx, draw_id: str) -> list[tuple[str, int | None]]:
    """Every registration's id and rank, by id."""
    query = select(_E.entry_id, _E.rank).where(_E.draw_id == draw_id).order_by(_E.entry_id)
    return [(row.entry_id, row.rank) for row in tx.execute(query)]


def rank(tx: Tx, order: Sequence[str]) -> None:
    """Number these registrations from 1."""
    rows = [{"of": entry_id, "to": n} for n, entry_id in enumerate(order, start=1)]
    if rows:
        change = update(DRAW_ENTRIES).where(_E.entry_id == bindparam("of")).values(rank=bindparam("to"))
        tx.execute(change, rows)


def next_entries(tx: Tx, draw_id: str, limit: int) -> list[Row]:
    """Those that have no outcome yet, in the order of the draw."""
    query = select(DRAW_ENTRIES).where(_E.draw_id == draw_id, _E.state == "registered")
    return [dict(r) for r in tx.execute(query.order_by(_E.rank).limit(limit)).mappings()]


def waiting(tx: Tx, hall: str, service: str, day: date, wish: str) -> list[Row]:
    """Who still waits for a place of this slot, in the order of the draw."""
    query = (
        select(DRAW_ENTRIES)
        .join(DRAWS, _D.draw_id == _E.draw_id)
        .where(_D.hall == hall, _D.service == service, _D.day == day, _E.state == "waiting-list")
        .where(_E.wishes.contains(wish, autoescape=True))
    )
    return [dict(r) for r in tx.execute(query.order_by(_E.rank).with_for_update(of=DRAW_ENTRIES)).mappings()]
