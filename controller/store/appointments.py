"""Queries about appointments and the places of slots."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update

from controller.store.bulk import insert_new
from controller.store.database import Tx
from controller.store.tables import APPOINTMENTS, SLOTS_TAKEN

__all__ = [
    "add_appointment",
    "appointment",
    "appointment_by_key",
    "appointment_by_token",
    "appointments_page",
    "booked_from",
    "change_appointment",
    "code_in_use",
    "give_place",
    "missed_since",
    "take_place",
    "taken_on",
]

Row = dict[str, Any]
_A, _S = APPOINTMENTS.c, SLOTS_TAKEN.c


def add_appointment(tx: Tx, row: Row) -> None:
    """A new appointment. Raises Clash when its key is there already."""
    tx.execute(insert(APPOINTMENTS), row)


def appointment(tx: Tx, appointment_id: str) -> Row | None:
    """One appointment, held until the transaction ends."""
    return _one(tx, _A.appointment_id == appointment_id)


def appointment_by_token(tx: Tx, token: str) -> Row | None:
    """The appointment a citizen's link stands for."""
    return _one(tx, _A.token == token)


def appointment_by_key(tx: Tx, owner: str, key: str) -> Row | None:
    """The appointment that this request made."""
    return _one(tx, (_A.owner == owner) & (_A.key == key))


def _one(tx: Tx, which: Any) -> Row | None:
    row = tx.execute(select(APPOINTMENTS).where(which).with_for_update()).mappings().first()
    return dict(row) if row else None


def change_appointment(tx: Tx, appointment_id: str, **changes: Any) -> None:
    """Set columns of one appointment."""
    tx.execute(update(APPOINTMENTS).where(_A.appointment_id == appointment_id).values(**changes))


def code_in_use(tx: Tx, hall: str, code: str) -> bool:
    """True when somebody who is still expected has this code."""
    query = select(_A.appointment_id).where(_A.hall == hall, _A.state == "booked", _A.code == code)
    return tx.execute(query.limit(1)).first() is not None


def booked_from(tx: Tx, hall: str, day: date) -> list[Row]:
    """Everybody the hall should expect from this day on."""
    query = select(APPOINTMENTS).where(_A.hall == hall, _A.state == "booked", _A.day >= day)
    return [dict(row) for row in tx.execute(query.order_by(_A.starts_at)).mappings()]


def appointments_page(tx: Tx, *, hall: str | None, day: date | None, after: str, limit: int) -> list[Row]:
    """Appointments in the order of their ids, which rise with the time of booking."""
    query = select(APPOINTMENTS).where(_A.appointment_id > after).order_by(_A.appointment_id).limit(limit)
    if hall is not None:
        query = query.where(_A.hall == hall)
    if day is not None:
        query = query.where(_A.day == day)
    return [dict(row) for row in tx.execute(query).mappings()]


def missed_since(tx: Tx, phone_index: str, since: datetime) -> Sequence[datetime]:
    """When this number was expected in vain."""
    query = select(_A.starts_at).where(
        _A.phone_index == phone_index, _A.state == "missed", _A.starts_at > since
    )
    return list(tx.execute(query.order_by(_A.starts_at)).scalars())


def taken_on(tx: Tx, hall: str, service: str, first: datetime, last: datetime) -> dict[datetime, int]:
    """How many places are taken, by the slot's beginning, from `first` to `last`."""
    query = select(_S.starts_at, _S.taken).where(
        _S.hall == hall, _S.service == service, _S.starts_at >= first, _S.starts_at <= last
    )
    return {row.starts_at: row.taken for row in tx.execute(query)}


def take_place(tx: Tx, hall: str, service: str, starts_at: datetime, places: int) -> bool:
    """One place more is taken; False when all are."""
    insert_new(tx, SLOTS_TAKEN, [{"hall": hall, "service": service, "starts_at": starts_at, "taken": 0}])
    free = _slot(hall, service, starts_at) & (_S.taken < places)
    return bool(tx.execute(update(SLOTS_TAKEN).where(free).values(taken=_S.taken + 1)).rowcount)


def give_place(tx: Tx, hall: str, service: str, starts_at: datetime) -> None:
    """One place is free again."""
    taken = _slot(hall, service, starts_at) & (_S.taken > 0)
    tx.execute(update(SLOTS_TAKEN).where(taken).values(taken=_S.taken - 1))


def _slot(hall: str, service: str, starts_at: datetime) -> Any:
    return (_S.hall == hall) & (_S.service == service) & (_S.starts_at == starts_at)
