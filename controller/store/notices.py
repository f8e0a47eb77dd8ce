"""Queries about notices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, case, false, func, or_, select, update

from controller.store.bulk import insert_new
from controller.store.columns import UtcTime
from controller.store.database import Tx
from controller.store.tables import NOTICES, TICKETS

__all__ = [
    "ASKED_FOR",
    "WECHAT",
    "Claimable",
    "add_notices",
    "change_notice",
    "change_suppressed",
    "claim",
    "claimed_left_over",
    "counts",
    "next_due",
    "notices_page",
    "put_away_stale",
    "sent_to",
    "with_ticket",
    "withdraw",
]

Row = dict[str, Any]

#: states in which a worker has something to do, once `next_at` has come
_DUE = ("pending", "unknown", "accepted")
#: how sealed addresses that are WeChat openids begin
WECHAT = "wechat."
#: nobody asks about a notice any longer than this
ASKED_FOR = timedelta(hours=24)


def add_notices(tx: Tx, rows: Sequence[Row]) -> None:
    """Write notices; one that exists for its ticket, kind and call is left alone."""
    insert_new(tx, NOTICES, rows)


#: sealed numbers are sealed to a ticket; before there is one the notice holds it, and a relative's always
_SEALED = case(
    (NOTICES.c.kind == "relative", NOTICES.c.phone_sealed),
    else_=func.coalesce(TICKETS.c.phone_sealed, NOTICES.c.phone_sealed),
)
# Built once: for a small query building it costs more than running it.
_JOINED = select(
    *(column for column in NOTICES.c if column.name != "phone_sealed"),
    TICKETS.c.state.label("ticket_state"),
    TICKETS.c.call_no.label("ticket_call_no"),
    TICKETS.c.merged_into,
    _SEALED.label("phone_sealed"),
).join(TICKETS, TICKETS.c.ticket_id == NOTICES.c.ticket_id, isouter=True)
_ONE = _JOINED.where(NOTICES.c.id == bindparam("this"))
_CHANGE = update(NOTICES).where(NOTICES.c.id == bindparam("this"))
_CHANGE_IF = _CHANGE.where(NOTICES.c.state.in_(bindparam("was", expanding=True)))
_SENT_TO = select(
    func.coalesce(
        func.sum(case((NOTICES.c.sent_at > bindparam("since_minute", type_=UtcTime), 1), else_=0)), 0
    ),
    func.count(),
).where(NOTICES.c.to_key == bindparam("to_key"), NOTICES.c.sent_at > bindparam("since_day", type_=UtcTime))


def with_ticket(tx: Tx, notice_id: int) -> Row:
    """A notice and what its ticket is now."""
    return dict(tx.execute(_ONE, {"this": notice_id}).mappings().one())


@dataclass(frozen=True, slots=True)
class Claimable:
    """What may be claimed now: notices nobody was given yet, by way (`sms`, `wechat`), and those that
    were given to one of `again` before. Those of gateways that are not `known` any more are put away.
    """

    ways: Collection[str]
    again: Collection[str]
    known: Collection[str]


_NOW = bindparam("now", type_=UtcTime)
_NOT_IN_HAND = NOTICES.c.id.not_in(bindparam("skip", expanding=True))
# An expression, so that SQLite reads in the order that is wanted instead of sorting whatever is due.
_DUE_NOW = func.coalesce(NOTICES.c.next_at, NOTICES.c.made_at) <= _NOW
_MOST = bindparam("most", type_=Integer)


@cache
def _to_send(*, sms: bool, wechat: bool) -> Select[Any]:
    """In the order of the index on state, priority and time: a long queue costs no more than a short one."""
    is_wechat = func.coalesce(_SEALED, "").like(f"{WECHAT}%")
    ways = [*([~is_wechat] if sms else []), *([is_wechat] if wechat else [])]
    again = NOTICES.c.provider.in_(bindparam("again", expanding=True))
    unknown = NOTICES.c.provider.not_in(bindparam("known", expanding=True))
    given = again | ((NOTICES.c.provider != "") & unknown)
    may = ((NOTICES.c.provider == "") & or_(false(), *ways)) | given
    query = _JOINED.where(NOTICES.c.state == "pending", _DUE_NOW, _NOT_IN_HAND, may)
    return _held(query.order_by(NOTICES.c.priority, NOTICES.c.next_at, NOTICES.c.id))


def _held(query: Select[Any]) -> Select[Any]:
    return query.limit(_MOST).with_for_update(of=NOTICES, skip_locked=True)


_TO_ASK = _held(
    _JOINED.where(
        NOTICES.c.state.in_(("unknown", "accepted")), NOTICES.c.next_at <= _NOW, _NOT_IN_HAND
    ).order_by(NOTICES.c.next_at)
)


def claim(tx: Tx, now: datetime, skip: Sequence[int], may: Claimable, limit: int) -> list[Row]:
    """The most urgent notices that are due, with their tickets' states, held until the transaction ends.

    Those to be sent come before those to be asked about; of equally urgent ones that which is due longest.
    """
    about: dict[str, Any] = {"now": now, "skip": list(skip)}
    given = {"again": list(may.again), "known": list(may.known), "most": limit}
    send = _to_send(sms="sms" in may.ways, wechat="wechat" in may.ways)
    rows = [dict(row) for row in tx.execute(send, about | given).mappings()]
    if len(rows) < limit:
        ask = tx.execute(_TO_ASK, about | {"most": limit - len(rows)}).mappings()
        rows += [dict(row) for row in ask]
    return rows


_STALE = (
    update(NOTICES)
    .where(NOTICES.c.state == "pending", NOTICES.c.not_after <= _NOW)
    .values(state="suppressed", reason="stale", updated_at=_NOW, phone_sealed=None)
)


def put_away_stale(tx: Tx, now: datetime) -> int:
    """Notices whose time has passed while they waited will not be sent; gives how many."""
    return tx.execute(_STALE, {"now": now}).rowcount


def sent_to(tx: Tx, to_key: str, now: datetime) -> tuple[int, int]:
    """How many notices were handed over for this number within a minute, and within a day."""
    since = {"since_minute": now - timedelta(minutes=1), "since_day": now - timedelta(days=1)}
    row = tx.execute(_SENT_TO, {"to_key": to_key, **since}).one()
    return int(row[0]), int(row[1])


def withdraw(tx: Tx, ticket_id: str, kind: str, kept: int | None, now: datetime) -> None:
    """Notices of this kind that wait will not be sent, except the one with this number."""
    these = (NOTICES.c.ticket_id == ticket_id) & (NOTICES.c.kind == kind) & (NOTICES.c.state == "pending")
    if kept is not None:
        these &= NOTICES.c.call_no != kept
    changes = {"state": "suppressed", "reason": "overtaken", "updated_at": now, "phone_sealed": None}
    tx.execute(update(NOTICES).where(these).values(**changes))


# The first of each state, by its index.
_NEXT_DUE = tuple(
    select(NOTICES.c.next_at)
    .where(NOTICES.c.state == state, _NOT_IN_HAND)
    .order_by(NOTICES.c.next_at)
    .limit(1)
    for state in _DUE
)


def next_due(tx: Tx, skip: Sequence[int]) -> datetime | None:
    """When the next notice becomes due, not counting those in hand."""
    found = [tx.execute(query, {"skip": list(skip)}).scalar() for query in _NEXT_DUE]
    return min((at for at in found if at is not None), default=None)


def change_notice(tx: Tx, notice_id: int, *, was: Collection[str] = (), **changes: Any) -> bool:
    """Set columns of one notice, if it still is in one of the states `was`; gives whether it was."""
    if not was:
        return bool(tx.execute(_CHANGE, {"this": notice_id, **changes}).rowcount)
    return bool(tx.execute(_CHANGE_IF, {"this": notice_id, "was": list(was), **changes}).rowcount)


def change_suppressed(tx: Tx, ticket_id: str, kind: str, call_no: int, **changes: Any) -> None:
    """Set columns of the notice of one ticket, kind and call, if it is one that is not sent from here."""
    this = (NOTICES.c.ticket_id == ticket_id) & (NOTICES.c.kind == kind) & (NOTICES.c.call_no == call_no)
    tx.execute(update(NOTICES).where(this, NOTICES.c.state == "suppressed").values(**changes))


def claimed_left_over(tx: Tx, before: datetime, **changes: Any) -> int:
    """Change notices that were being sent when their sender stopped; gives how many."""
    left = (NOTICES.c.state == "sending") & (NOTICES.c.updated_at < before)
    return tx.execute(update(NOTICES).where(left).values(**changes)).rowcount


def counts(tx: Tx, since: datetime) -> dict[str, int]:
    """How many notices made since then are in each state."""
    query = select(NOTICES.c.state, func.count()).where(NOTICES.c.made_at >= since).group_by(NOTICES.c.state)
    return {row[0]: row[1] for row in tx.execute(query)}


def notices_page(tx: Tx, *, ticket: str | None, hall: str | None, after: int, limit: int) -> list[Row]:
    """Notices as they were written, with the masked number they go to."""
    query = (
        select(NOTICES, TICKETS.c.phone_masked.label("phone"), TICKETS.c.label)
        .join(TICKETS, TICKETS.c.ticket_id == NOTICES.c.ticket_id, isouter=True)
        .where(NOTICES.c.id > after)
        .order_by(NOTICES.c.id)
        .limit(limit)
    )
    if ticket is not None:
        query = query.where(NOTICES.c.ticket_id == ticket)
    if hall is not None:
        query = query.where(NOTICES.c.hall == hall)
    return [dict(row) for row in tx.execute(query).mappings()]
