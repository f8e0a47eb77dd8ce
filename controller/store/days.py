"""The facts of one hall's business day, from every box that had a part in it, the oldest box first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from controller.store.bulk import insert_new
from controller.store.database import Tx
from controller.store.tables import FACTS, STREAM_DAYS, STREAMS

__all__ = ["Span", "add_days", "bodies", "days_of", "setup_before", "spans"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Facts `first` … of a stream belong to the day, up to the one before `end`; None: all that come."""

    agent: str
    stream: str
    first: int
    end: int | None


def add_days(tx: Tx, rows: Sequence[Row]) -> None:
    """Note where days begin: `{stream, n, day}`."""
    insert_new(tx, STREAM_DAYS, rows)


def days_of(tx: Tx, hall: str, since: date) -> list[date]:
    """The hall's business days from `since` on."""
    query = select(STREAM_DAYS.c.day).join(STREAMS, STREAMS.c.stream == STREAM_DAYS.c.stream)
    query = query.where(STREAMS.c.hall == hall, STREAM_DAYS.c.day >= since)
    return list(tx.execute(query.distinct().order_by(STREAM_DAYS.c.day)).scalars())


def spans(tx: Tx, hall: str, day: date) -> list[Span]:
    """Where the day's facts are."""
    own, other = STREAM_DAYS, STREAM_DAYS.alias()
    end = (
        select(other.c.n)
        .where(other.c.stream == own.c.stream, other.c.n > own.c.n, other.c.day != day)
        .order_by(other.c.n)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(STREAMS.c.agent, own.c.stream, own.c.n, end.label("end"))
        .join(STREAMS, STREAMS.c.stream == own.c.stream)
        .where(STREAMS.c.hall == hall, own.c.day == day)
        .order_by(STREAMS.c.first_seen, own.c.stream, own.c.n)
    )
    found: list[Span] = []
    for agent, stream, first, last in tx.execute(query):
        before = found[-1] if found else None
        # A day that is opened once more goes on; it does not begin anew.
        if before is None or before.stream != stream or (before.end is not None and before.end <= first):
            found.append(Span(agent, stream, first, last))
    return found


def bodies(tx: Tx, span: Span, after: int) -> list[tuple[int, str]]:
    """`(n, JSON)` of the span's facts after the n-th, in order."""
    c = FACTS.c
    query = select(c.n, c.body).where(c.agent == span.agent, c.stream == span.stream)
    query = query.where(c.n >= span.first, c.n > after).order_by(c.n)
    if span.end is not None:
        query = query.where(c.n < span.end)
    return [(n, body) for n, body in tx.execute(query)]


def setup_before(tx: Tx, span: Span) -> str | None:
    """The JSON of the set-up that held when the day began."""
    c = FACTS.c
    query = select(c.body).where(c.agent == span.agent, c.stream == span.stream, c.n < span.first)
    query = query.where(c.kind == "hall-configured").order_by(c.n.desc()).limit(1)
    return tx.execute(query).scalar()
