"""Queries about tickets, online requests, the controller's own numbers and ratings."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from controller.store.bulk import insert_new, upsert
from controller.store.database import Tx
from controller.store.tables import OFFLINE_NUMBERS, RATINGS, REQUESTS, TICKETS

__all__ = [
    "add_rating",
    "add_request",
    "add_ticket",
    "change_request",
    "change_ticket",
    "newest_tickets",
    "next_offline_number",
    "offline_waiting",
    "rating_of",
    "ratings_page",
    "request",
    "request_shown",
    "requests_waited_for",
    "ticket",
    "ticket_by_token",
    "tickets_page",
    "upsert_tickets",
]

Row = dict[str, Any]

#: what changes in a ticket's life; the rest, and with it every index, stays as it was first stored
_CHANGES = frozenset(
    {"state", "service", "counter", "call_no", "effective_at", "called_at", "started_at", "ended_at"}
    | {"updated_at"}
)
_STAYS = frozenset(column.name for column in TICKETS.columns) - _CHANGES


def upsert_tickets(tx: Tx, rows: Sequence[Row]) -> None:
    """Store tickets as their hall has them now. Raises Clash for a label two tickets claim."""
    upsert(tx, TICKETS, rows, keep=_STAYS)


def add_ticket(tx: Tx, row: Row) -> None:
    """A ticket of the controller's own series."""
    tx.execute(insert(TICKETS), row)


def change_ticket(tx: Tx, ticket_id: str, **changes: Any) -> None:
    """Set columns of one ticket."""
    tx.execute(update(TICKETS).where(TICKETS.c.ticket_id == ticket_id).values(**changes))


# Built once: for a small query building it costs more than running it.
_BY_ID = select(TICKETS).where(TICKETS.c.ticket_id == bindparam("this"))
_BY_TOKEN = select(TICKETS).where(TICKETS.c.token == bindparam("token"))


def ticket(tx: Tx, ticket_id: str) -> Row | None:
    """One ticket."""
    row = tx.execute(_BY_ID, {"this": ticket_id}).mappings().first()
    return dict(row) if row else None


def ticket_by_token(tx: Tx, token: str) -> Row | None:
    """The ticket a citizen's link stands for."""
    row = tx.execute(_BY_TOKEN, {"token": token}).mappings().first()
    return dict(row) if row else None


def tickets_page(tx: Tx, *, hall: str | None, day: date | None, after: str, limit: int) -> list[Row]:
    """Tickets in the order of their ids, which rise with time."""
    query = select(TICKETS).where(TICKETS.c.ticket_id > after).order_by(TICKETS.c.ticket_id).limit(limit)
    if hall is not None:
        query = query.where(TICKETS.c.hall == hall)
    if day is not None:
        query = query.where(TICKETS.c.day == day)
    return [dict(row) for row in tx.execute(query).mappings()]


def newest_tickets(tx: Tx, *, hall: str, limit: int) -> list[Row]:
    """The hall's last tickets, the newest first."""
    query = select(TICKETS).where(TICKETS.c.hall == hall).order_by(TICKETS.c.issued_at.desc()).limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def add_request(tx: Tx, row: Row) -> None:
    """A new online request. Raises Clash when its key is there already."""
    tx.execute(insert(REQUESTS), row)


def request(tx: Tx, owner: str, key: str) -> Row | None:
    """The request with this key, held until the transaction ends."""
    same = (REQUESTS.c.owner == owner) & (REQUESTS.c.key == key)
    row = tx.execute(select(REQUESTS).where(same).with_for_update()).mappings().first()
    return dict(row) if row else None


def requests_waited_for(tx: Tx, request_ids: Sequence[str]) -> dict[str, Row]:
    """Those of these requests that are known here, held until the transaction ends."""
    query = select(REQUESTS).where(REQUESTS.c.request_id.in_(request_ids)).order_by(REQUESTS.c.request_id)
    return {row["request_id"]: dict(row) for row in tx.execute(query.with_for_update()).mappings()}


def request_shown(tx: Tx, ticket_id: str) -> Row | None:
    """The request that was answered with this number of the controller's own."""
    row = tx.execute(select(REQUESTS).where(REQUESTS.c.offline_ticket == ticket_id)).mappings().first()
    return dict(row) if row else None


def offline_waiting(tx: Tx, hall: str) -> list[Row]:
    """The numbers of the controller's own that nobody has served or given up."""
    query = select(TICKETS).where(
        TICKETS.c.hall == hall,
        TICKETS.c.series == "offline",
        TICKETS.c.state == "waiting",
    )
    return [dict(row) for row in tx.execute(query.order_by(TICKETS.c.day, TICKETS.c.number)).mappings()]


def change_request(tx: Tx, request_id: str, /, **changes: Any) -> None:
    """Set columns of one request."""
    tx.execute(update(REQUESTS).where(REQUESTS.c.request_id == request_id).values(**changes))


def next_offline_number(tx: Tx, hall: str, day: date) -> int:
    """The next number of the controller's own series; numbers are never given twice."""
    insert_new(tx, OFFLINE_NUMBERS, [{"hall": hall, "day": day, "last": 0}])
    same = (OFFLINE_NUMBERS.c.hall == hall) & (OFFLINE_NUMBERS.c.day == day)
    raised = update(OFFLINE_NUMBERS).where(same).values(last=OFFLINE_NUMBERS.c.last + 1)
    return int(tx.execute(raised.returning(OFFLINE_NUMBERS.c.last)).scalar_one())


def add_rating(tx: Tx, row: Row) -> None:
    """Store a rating. Raises Clash when the visit was rated before."""
    tx.execute(insert(RATINGS), row)


def rating_of(tx: Tx, ticket_id: str) -> Row | None:
    """How this visit was rated."""
    row = tx.execute(select(RATINGS).where(RATINGS.c.ticket_id == ticket_id)).mappings().first()
    return dict(row) if row else None


def ratings_page(
    tx: Tx, *, hall: str | None, after: int = 0, limit: int, newest_first: bool = False
) -> list[Row]:
    """Ratings as they came, or the newest first."""
    order = RATINGS.c.id.desc() if newest_first else RATINGS.c.id
    query = select(RATINGS).where(RATINGS.c.id > after).order_by(order).limit(limit)
    if hall is not None:
        query = query.where(RATINGS.c.hall == hall)
    return [dict(row) for row in tx.execute(query).mappings()]
