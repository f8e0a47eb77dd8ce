"""What is old enough to be erased, a chunk at a time: numbers, their masks and their digests.

What a notice that still waits needs is not touched: it goes once the notice has ended.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, exists, or_, select, update

from controller.store.alarms import close_alarm
from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.sealed import (
    APPOINTMENT_PLACE,
    ENTRY_PLACE,
    NOTICE_PLACE,
    REQUEST_PLACE,
    SNAPSHOT_PLACE,
    TICKET_PLACE,
    WISH_PLACE,
    Place,
)
from controller.store.tables import (
    APPEALS,
    APPOINTMENTS,
    DOCUMENTS,
    DRAW_ENTRIES,
    DRAWS,
    FACTS,
    NOTICES,
    REQUESTS,
    SNAPSHOTS,
    STREAMS,
    TICKETS,
    WISHES,
)

__all__ = [
    "APPEAL",
    "erase_appeals",
    "erase_appointments",
    "erase_draw_entries",
    "erase_notices",
    "erase_tickets",
    "facts_after",
    "facts_erased_to",
    "old_requests",
    "old_snapshots",
    "old_wishes",
    "set_facts_erased_to",
    "withdraw_notices",
]

Row = dict[str, Any]

#: a notice in one of these states may still be sent, or asked about, with the number
_WAITING = ("pending", "sending", "unknown")
#: how far facts were looked through
_FACTS_ERASED = "phones-erased"
_SEALED = '%"phone_sealed":"%'
#: the kind of the alarm that is open while an appeal is
APPEAL = "appeal"


def _still_needed(owner: Any) -> Any:
    return exists().where(NOTICES.c.ticket_id == owner, NOTICES.c.state.in_(_WAITING))


def _erase(tx: Tx, place: Place, key: Any, which: Any, limit: int) -> int:
    these = select(key).where(which).limit(limit).scalar_subquery()
    return tx.execute(update(place.table).where(key.in_(these)).values(**place.blank)).rowcount


def erase_tickets(tx: Tx, before: date, limit: int) -> int:
    """Tickets of days before this one; gives how many."""
    c = TICKETS.c
    which = c.phone_masked.is_not(None) & (c.day < before) & ~_still_needed(c.ticket_id)
    return _erase(tx, TICKET_PLACE, c.ticket_id, which, limit)


def erase_appointments(tx: Tx, before: date, limit: int) -> int:
    """Appointments of days before this one; gives how many."""
    c = APPOINTMENTS.c
    which = c.phone_masked.is_not(None) & (c.day < before) & ~_still_needed(c.appointment_id)
    return _erase(tx, APPOINTMENT_PLACE, c.appointment_id, which, limit)


def erase_appeals(tx: Tx, before: date, now: datetime, limit: int) -> int:
    """What was said about appointments of days before this one; gives how many appeals."""
    old = select(APPOINTMENTS.c.appointment_id).where(APPOINTMENTS.c.day < before)
    return _erase_appeals(tx, APPEALS.c.appointment_id.in_(old), now, limit)


def _erase_appeals(tx: Tx, which: Any, now: datetime, limit: int) -> int:
    """Reason and answer go, what was decided stays; what nobody has decided by now has lapsed."""
    c = APPEALS.c
    these = select(c.id).where(which, or_(c.text != "", c.answer != "")).order_by(c.id).limit(limit)
    is_open = c.state == "open"
    ended = {
        "state": case((is_open, "lapsed"), else_=c.state),
        "decided_at": case((is_open, now), else_=c.decided_at),
    }
    change = update(APPEALS).where(c.id.in_(these.scalar_subquery())).values(text="", answer="", **ended)
    gone = tx.execute(change.returning(c.id, c.hall, c.state)).all()
    for row in gone:
        if row.state == "lapsed":
            close_alarm(tx, APPEAL, row.hall, str(row.id), now)
    return len(gone)


def erase_draw_entries(tx: Tx, before: date, limit: int) -> int:
    """Registrations for draws of days before this one; gives how many."""
    c = DRAW_ENTRIES.c
    old = select(DRAWS.c.draw_id).where(DRAWS.c.day < before)
    return _erase(tx, ENTRY_PLACE, c.entry_id, (c.phone_sealed != "") & c.draw_id.in_(old), limit)


def erase_notices(tx: Tx, before: datetime, limit: int) -> int:
    """Notices made before then that do not wait any more; gives how many."""
    c = NOTICES.c
    held = (c.to_key != "") | c.phone_sealed.is_not(None)
    which = held & (c.made_at < before) & c.state.not_in(_WAITING)
    return _erase(tx, NOTICE_PLACE, c.id, which, limit)


def old_requests(tx: Tx, before: datetime, limit: int) -> list[Row]:
    """Requests made before then with a number."""
    c = REQUESTS.c
    query = select(*(c[name] for name in (*REQUEST_PLACE.key, "wish")))
    query = query.where(c.phone_masked.is_not(None), c.requested_at < before).limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def old_wishes(tx: Tx, before: datetime) -> list[Row]:
    """Wishes made before then that hold numbers: few, for those that were heard are removed."""
    c = WISHES.c
    query = select(*(c[name] for name in (*WISH_PLACE.key, "body")))
    found = tx.execute(query.where(c.wished_at < before, c.body.like(_SEALED))).mappings()
    return [dict(row) for row in found]


def old_snapshots(tx: Tx, before: datetime) -> list[Row]:
    """Pictures of queues whose last fact came before then: of boxes that are gone, or silent."""
    c = SNAPSHOTS.c
    agent = select(STREAMS.c.agent).where(STREAMS.c.stream == c.stream).scalar_subquery()
    # One look for each picture: joined, years of facts might be read from the other end.
    last = select(FACTS.c.recorded_at).where(
        FACTS.c.agent == agent, FACTS.c.stream == c.stream, FACTS.c.n == c.n
    )
    query = select(*(c[name] for name in (*SNAPSHOT_PLACE.key, "body")))
    query = query.where(last.correlate(SNAPSHOTS).scalar_subquery() < before, c.body.like(_SEALED))
    return [dict(row) for row in tx.execute(query).mappings()]


def facts_after(tx: Tx, after: int, before: datetime, limit: int) -> list[Row]:
    """The facts after the one with this `id` that were recorded before then, in order."""
    c = FACTS.c
    query = select(c.id, c.body, c.recorded_at).where(c.id > after).order_by(c.id).limit(limit)
    found = []
    for row in tx.execute(query).mappings():
        if row["recorded_at"] >= before:
            break
        found.append(dict(row))
    return found


def facts_erased_to(tx: Tx) -> int:
    """The `id` of the fact up to which no numbers are left."""
    query = select(DOCUMENTS.c.rev).where(DOCUMENTS.c.name == _FACTS_ERASED)
    return int(tx.execute(query).scalar() or 0)


def set_facts_erased_to(tx: Tx, fact_id: int) -> None:
    """Up to here no numbers are left."""
    upsert(tx, DOCUMENTS, [{"name": _FACTS_ERASED, "rev": fact_id, "body": ""}])


def withdraw_notices(tx: Tx, to_key: str, owners: Sequence[str], now: datetime) -> int:
    """Nothing more is sent to this number or about these tickets, no notice tells whose it was, and what was
    said about their appointments is gone.
    """
    c = NOTICES.c
    theirs = c.ticket_id.in_(owners)
    waiting = theirs & (c.state == "pending")
    tx.execute(update(NOTICES).where(waiting).values(state="suppressed", reason="erased", updated_at=now))
    _erase_appeals(tx, APPEALS.c.appointment_id.in_(owners), now, limit=len(owners))
    held = (c.to_key == to_key) | (theirs & ((c.to_key != "") | c.phone_sealed.is_not(None)))
    return tx.execute(update(NOTICES).where(held).values(**NOTICE_PLACE.blank)).rowcount
