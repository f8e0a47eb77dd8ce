"""Queries about missed appointments, appeals and credits."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from controller.store.bulk import insert_new
from controller.store.database import Tx
from controller.store.tables import ALARMS, APPEALS, APPOINTMENTS, CREDITS

__all__ = [
    "add_appeal",
    "add_credit",
    "appeal",
    "appeal_of",
    "appeals_page",
    "credit_of",
    "credits_about",
    "decide",
    "free_credit",
    "misses",
    "open_alarms",
    "open_appeals_that_suspend",
    "suspended_since",
    "to_tell",
    "use_credit",
]

Row = dict[str, Any]
_A, _P, _C = APPOINTMENTS.c, APPEALS.c, CREDITS.c


def misses(tx: Tx, phone_index: str, since: datetime) -> list[Row]:
    """`{day, starts_at}` of what this number was expected for in vain and not excused for, oldest first."""
    query = select(_A.day, _A.starts_at).where(
        _A.phone_index == phone_index, _A.state == "missed", _A.starts_at > since
    )
    return [dict(row) for row in tx.execute(query.order_by(_A.starts_at)).mappings()]


def to_tell(tx: Tx, since: date, limit: int) -> list[Row]:
    """Missed appointments whose holders have not been told, of days from `since` on; held by this
    transaction, so that two controllers do not tell twice.
    """
    told = (_A.state == "missed") & _A.told_at.is_(None) & (_A.day >= since)
    query = select(APPOINTMENTS).where(told).order_by(_A.starts_at).limit(limit)
    return [dict(row) for row in tx.execute(query.with_for_update(skip_locked=True)).mappings()]


def add_appeal(tx: Tx, row: Row) -> Row:
    """The appointment's appeal: this one, or the one that was there."""
    insert_new(tx, APPEALS, [row])
    found = appeal_of(tx, row["appointment_id"])
    assert found is not None
    return found


def appeal_of(tx: Tx, appointment_id: str) -> Row | None:
    """The appeal against having missed this appointment."""
    row = tx.execute(select(APPEALS).where(_P.appointment_id == appointment_id)).mappings().first()
    return dict(row) if row else None


_SHOWN = select(APPEALS, _A.service, _A.day, _A.starts_at, _A.ends_at, _A.phone_masked, _A.phone_index).join(
    APPOINTMENTS, _A.appointment_id == _P.appointment_id
)


def appeal(tx: Tx, appeal_id: int, *, lock: bool = False) -> Row | None:
    """One appeal with what was missed; with `lock` held until the transaction ends."""
    query = _SHOWN.where(_P.id == appeal_id)
    row = tx.execute(query.with_for_update(of=APPEALS) if lock else query).mappings().first()
    return dict(row) if row else None


def appeals_page(tx: Tx, *, hall: str | None, state: str | None, after: int, limit: int) -> list[Row]:
    """Appeals with what was missed, the newest first where `after` is 0, else those after this id."""
    query = _SHOWN.where(_P.id > after).order_by(_P.id if after else _P.id.desc()).limit(limit)
    if hall is not None:
        query = query.where(_P.hall == hall)
    if state is not None:
        query = query.where(_P.state == state)
    return [dict(row) for row in tx.execute(query).mappings()]


def decide(tx: Tx, appeal_id: int, **changes: Any) -> None:
    """Set what came of an appeal."""
    tx.execute(update(APPEALS).where(_P.id == appeal_id).values(**changes))


def open_appeals_that_suspend(tx: Tx, phone_index: str) -> bool:
    """True while a decision is awaited that keeps this number's booking from being paused."""
    mine = select(_A.appointment_id).where(_A.phone_index == phone_index)
    query = select(_P.id).where(_P.appointment_id.in_(mine), _P.state == "open", _P.suspends)
    return tx.execute(query.limit(1)).first() is not None


def suspended_since(tx: Tx, phone_index: str, since: datetime) -> bool:
    """True when an appeal of this number has kept booking from being paused since then."""
    mine = select(_A.appointment_id).where(_A.phone_index == phone_index)
    query = select(_P.id).where(_P.appointment_id.in_(mine), _P.suspends, _P.made_at > since)
    return tx.execute(query.limit(1)).first() is not None


def add_credit(tx: Tx, row: Row) -> None:
    """The hall owes something for this appointment; told once."""
    insert_new(tx, CREDITS, [row])


#: built once: every look at a ticket asks it
_ABOUT = select(CREDITS).where(or_(_C.appointment_id == bindparam("this"), _C.used_by == bindparam("this")))


def credits_about(tx: Tx, visit_id: str) -> tuple[Row | None, Row | None]:
    """What the hall owes for being late for this appointment, and the credit that moves it, or this ticket,
    forward.
    """
    rows = [dict(row) for row in tx.execute(_ABOUT, {"this": visit_id}).mappings()]
    owed = next((row for row in rows if row["appointment_id"] == visit_id), None)
    return owed, next((row for row in rows if row["used_by"] == visit_id), None)


def credit_of(tx: Tx, appointment_id: str) -> Row | None:
    """What the hall owes for being late for this appointment."""
    row = tx.execute(select(CREDITS).where(_C.appointment_id == appointment_id)).mappings().first()
    return dict(row) if row else None


def use_credit(tx: Tx, phone_index: str, appointment_id: str, now: datetime) -> bool:
    """Take the oldest credit of this number for this appointment; False when there is none."""
    mine = select(_A.appointment_id).where(_A.phone_index == phone_index)
    unused = _C.appointment_id.in_(mine) & _C.used_by.is_(None) & (_C.minutes > 0)
    query = select(_C.appointment_id).where(unused).order_by(_C.given_at).limit(1).with_for_update()
    row = tx.execute(query).first()
    if row is None:
        return False
    change = update(CREDITS).where(_C.appointment_id == row.appointment_id)
    tx.execute(change.values(used_by=appointment_id, used_at=now))
    return True


def free_credit(tx: Tx, appointment_id: str) -> None:
    """The appointment that used it was given up in time: it is there for another one."""
    tx.execute(update(CREDITS).where(_C.used_by == appointment_id).values(used_by=None, used_at=None))


def open_alarms(tx: Tx, kind: str) -> set[tuple[str, str]]:
    """Hall and subject of the alarms of this kind that are open."""
    query = select(ALARMS.c.hall, ALARMS.c.subject).where(ALARMS.c.closed_at.is_(None), ALARMS.c.kind == kind)
    return {(row.hall, row.subject) for row in tx.execute(query)}
