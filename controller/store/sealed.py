"""Where something of a person stands: every column and text that holds a sealed number, and what is left of a
row once it is erased.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, func, select, tuple_, update

from controller.store.database import Tx
from controller.store.tables import (
    APPOINTMENTS,
    DRAW_ENTRIES,
    FACTS,
    HALL_MANAGERS,
    HALLS,
    NOTICES,
    REQUESTS,
    SNAPSHOTS,
    TICKETS,
    WISHES,
)

__all__ = [
    "APPOINTMENT_PLACE",
    "ENTRY_PLACE",
    "FACT_PLACE",
    "NOTICE_PLACE",
    "PLACES",
    "REQUEST_PLACE",
    "SNAPSHOT_PLACE",
    "TICKET_PLACE",
    "WISH_PLACE",
    "Place",
    "needing_old_keys",
    "of_link",
    "page",
    "put",
]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """`column` of `table`. With `owner` it is one sealed number, and that column says what it is sealed to;
    without, JSON that holds some. `blank` are the values of an erased row.
    """

    table: Table
    column: str
    owner: str = ""
    masked: str = ""
    blank: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it: the table."""
        return self.table.name

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell its rows apart."""
        return tuple(column.name for column in self.table.primary_key)


_NO_PHONE = {"phone_sealed": None, "phone_masked": None}
TICKET_PLACE = Place(TICKETS, "phone_sealed", "ticket_id", "phone_masked", _NO_PHONE)
APPOINTMENT_PLACE = Place(
    *(APPOINTMENTS, "phone_sealed", "appointment_id", "phone_masked"),
    blank={**_NO_PHONE, "phone_index": None, "person": None, "fingerprint": ""},
)
# One registration for a person of a draw: erased, their ids keep them apart as well.
ENTRY_PLACE = Place(
    *(DRAW_ENTRIES, "phone_sealed", "entry_id", "phone_masked"),
    blank={
        "phone_sealed": "",
        "phone_masked": "",
        "phone_index": DRAW_ENTRIES.c.entry_id,
        "fingerprint": "",
    },
)
NOTICE_PLACE = Place(NOTICES, "phone_sealed", "ticket_id", blank={"phone_sealed": None, "to_key": ""})
MANAGER_PLACE = Place(HALL_MANAGERS, "phone_sealed", "hall", "phone_masked")
REQUEST_PLACE = Place(REQUESTS, "wish", blank={"phone_masked": None, "fingerprint": ""})
WISH_PLACE = Place(WISHES, "body")
FACT_PLACE = Place(FACTS, "body")
SNAPSHOT_PLACE = Place(SNAPSHOTS, "body")

PLACES = (
    *(TICKET_PLACE, APPOINTMENT_PLACE, ENTRY_PLACE, NOTICE_PLACE, MANAGER_PLACE),
    *(REQUEST_PLACE, WISH_PLACE, FACT_PLACE, SNAPSHOT_PLACE),
)


def page(tx: Tx, place: Place, after: Sequence[Any] | None, limit: int) -> list[Row]:
    """Rows with something sealed in them after the one with this key, in its order, held until the end."""
    columns = place.table.c
    key = [columns[name] for name in place.key]
    value = columns[place.column]
    names = dict.fromkeys((*place.key, place.column, *filter(None, (place.owner, place.masked))))
    query = select(*(columns[name] for name in names)).order_by(*key).limit(limit).with_for_update()
    query = query.where(value.is_not(None), value != "") if place.owner else query.where(value.like(_SEALED))
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return [dict(row) for row in tx.execute(query).mappings()]


_SEALED = '%"phone_sealed":"%'


def put(tx: Tx, place: Place, row: Row, **values: Any) -> None:
    """Other values in the row with this key."""
    which = and_(*(place.table.c[name] == row[name] for name in place.key))
    tx.execute(update(place.table).where(which).values(**values))


def needing_old_keys(tx: Tx, since: datetime) -> tuple[list[str], int]:
    """The halls whose box was not heard since then, and how many appointments booked before are to come."""
    halls = select(HALLS.c.hall).where(HALLS.c.stream.is_not(None))
    silent = halls.where(HALLS.c.last_seen.is_(None) | (HALLS.c.last_seen < since)).order_by(HALLS.c.hall)
    c = APPOINTMENTS.c
    booked = select(func.count()).where(
        c.phone_sealed.is_not(None), c.state == "booked", c.updated_at < since
    )
    return list(tx.execute(silent).scalars()), int(tx.execute(booked).scalar_one())


def of_link(tx: Tx, token: str) -> tuple[str, str] | None:
    """The sealed number behind a citizen's link, and what it is sealed to."""
    for place in (TICKET_PLACE, APPOINTMENT_PLACE, ENTRY_PLACE):
        columns = place.table.c
        query = select(columns.phone_sealed, columns[place.owner]).where(columns.token == token)
        row = tx.execute(query).first()
        if row is not None and row[0]:
            return row[0], row[1]
    return None
