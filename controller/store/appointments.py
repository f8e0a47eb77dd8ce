"""Queries about appointments and the places of slots."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update

from controller.store.bulk import insert_new
from controller.store.database import Tx
from controller.store.tables import APPOINTMENTS, FREED_PLACES, NOTICES, SLOTS_TAKEN

__all__ = [
    "add_appointment",
    "appointment",
    "appointment_by_key",
    "appointment_by_token",
    "appointments_page",
    "booked_from",
    "booked_times",
    "booked_untold",
    "change_appointment",
    "code_in_use",
    "freed_due",
    "give_place",
    "open_for_person",
    "return_place",
    "take_place",
    "taken_on",
]

Row = dict[str, Any]
_A, _S, _F = APPOINTMENTS.c, SLOTS_TAKEN.c, FREED_PLACES.c


def add_appointment(tx: Tx, row: Row) -> bool:
    """A new appointment; False when its key, or an open one of its person on the day, is there already."""
    insert_new(tx, APPOINTMENTS, [row])
    query = select(_A.owner).where(_A.appointment_id == row["appointment_id"])
    return tx.execute(query).first() is not None


def open_for_person(tx: Tx, row: Row) -> bool:
    """True when this person is expected already, on the same day for the same service."""
    same = (_A.person == row["person"]) & (_A.service == row["service"]) & (_A.day == row["day"])
    query = select(_A.appointment_id).where(same, _A.state == "booked")
    return tx.execute(query.limit(1)).first() is not None


def booked_times(tx: Tx, now: datetime) -> list[Row]:
    """`{hall, service, starts_at, count}` of all appointments to come."""
    place = (_A.hall, _A.service, _A.starts_at)
    query = select(*place, func.count().label("count")).where(_A.state == "booked", _A.starts_at > now)
    return [dict(row) for row in tx.execute(query.group_by(*place)).mappings()]


def booked_untold(tx: Tx, hall: str, service: str, starts_at: datetime, kind: str) -> list[Row]:
    """Appointments of one slot whose holders left a number and have no notice of this kind yet."""
    told = exists().where(NOTICES.c.ticket_id == _A.appointment_id, NOTICES.c.kind == kind)
    slot = (_A.hall == hall) & (_A.service == service) & (_A.starts_at == starts_at)
    query = select(APPOINTMENTS).where(slot, _A.state == "booked", _A.phone_sealed.is_not(None), ~told)
    return [dict(row) for row in tx.execute(query).mappings()]


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


def return_place(tx: Tx, row: Row) -> None:
    """A place that counts as taken until `returns_at`: `{hall, service, starts_at, returns_at}`."""
    tx.execute(insert(FREED_PLACES), row)


def freed_due(tx: Tx, now: datetime, limit: int, *, take: bool = False) -> list[Row]:
    """Places whose time to return has come; with `take` they are this transaction's, and nobody else's."""
    query = select(FREED_PLACES).where(_F.returns_at <= now).order_by(_F.returns_at).limit(limit)
    if not take:
        return [dict(row) for row in tx.execute(query).mappings()]
    rows = [dict(row) for row in tx.execute(query.with_for_update(skip_locked=True)).mappings()]
    if rows:
        tx.execute(delete(FREED_PLACES).where(_F.id.in_([row["id"] for row in rows])))
    return rows


def _slot(hall: str, service: str, starts_at: datetime) -> Any:
    return (_S.hall == hall) & (_S.service == service) & (_S.starts_at == starts_at)
