"""Queries about chains of calls: the calls of a day, and the heads that were sealed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.days import Span
from controller.store.tables import CHAIN_HEADS, FACTS

__all__ = ["calls", "first_missing", "head", "heads", "keep_heads"]

Row = dict[str, Any]

_CALLS = ("ticket-called", "ticket-recalled")


def calls(tx: Tx, span: Span, after: int = 0) -> list[tuple[int, str]]:
    """`(n, JSON)` of the span's calls and recalls after the n-th fact, in order."""
    query = select(FACTS.c.n, FACTS.c.body).where(*_of(span), FACTS.c.n > after)
    query = query.where(FACTS.c.kind.in_(_CALLS)).order_by(FACTS.c.n)
    return [(n, body) for n, body in tx.execute(query)]


def first_missing(tx: Tx, span: Span, last: int) -> int | None:
    """The first fact of the span up to `last` that is not stored; None when all are."""
    there = list(tx.execute(select(FACTS.c.n).where(*_of(span), FACTS.c.n <= last)).scalars())
    gone = set(range(span.first, last + 1)) - set(there)
    return min(gone) if gone else None


def _of(span: Span) -> list[Any]:
    c = FACTS.c
    within = [c.agent == span.agent, c.stream == span.stream, c.n >= span.first]
    return within if span.end is None else [*within, c.n < span.end]


def head(tx: Tx, stream: str, day: date) -> Row | None:
    """What was sealed of a stream's day."""
    c = CHAIN_HEADS.c
    row = tx.execute(select(CHAIN_HEADS).where(c.stream == stream, c.day == day)).mappings().first()
    return dict(row) if row else None


def heads(tx: Tx, hall: str, day: date) -> list[Row]:
    """Everything that was sealed of a hall's day, also of streams whose facts are gone."""
    c = CHAIN_HEADS.c
    query = select(CHAIN_HEADS).where(c.hall == hall, c.day == day).order_by(c.stream)
    return [dict(row) for row in tx.execute(query).mappings()]


def keep_heads(tx: Tx, rows: Sequence[Row]) -> None:
    """Seal further; what was sealed before is a part of it."""
    upsert(tx, CHAIN_HEADS, rows)
