"""Queries about streams and facts: the cursor moves in the transaction that stores."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from controller.store.bulk import add_rows, upsert
from controller.store.database import Tx
from controller.store.tables import FACTS, QUARANTINE, SNAPSHOTS, STREAMS

__all__ = [
    "add_facts",
    "add_stream",
    "bodies_after",
    "cursors",
    "facts_page",
    "move_cursor",
    "quarantine",
    "retire_streams",
    "save_snapshot",
    "snapshot",
    "stream_row",
    "streams_of",
    "told_last",
]

Row = dict[str, Any]

# Statements of the hot path are built once: building takes as long as running.
_CURSORS = (
    select(STREAMS)
    .where(STREAMS.c.stream.in_(bindparam("streams", expanding=True)))
    .order_by(STREAMS.c.stream)
    .with_for_update()
)
_MOVE = update(STREAMS).where(STREAMS.c.stream == bindparam("of")).values(applied=bindparam("to"))


def stream_row(tx: Tx, stream: str) -> Row | None:
    """The stream, held until the transaction ends."""
    row = tx.execute(select(STREAMS).where(STREAMS.c.stream == stream).with_for_update()).mappings().first()
    return dict(row) if row else None


def cursors(tx: Tx, streams: Sequence[str]) -> dict[str, Row]:
    """These streams by name, held until the transaction ends, always locked in one order."""
    rows = tx.execute(_CURSORS, {"streams": streams}).mappings()
    return {row["stream"]: dict(row) for row in rows}


def streams_of(tx: Tx, hall: str) -> list[Row]:
    """All streams this hall ever had, the oldest first."""
    query = select(STREAMS).where(STREAMS.c.hall == hall).order_by(STREAMS.c.first_seen, STREAMS.c.stream)
    return [dict(row) for row in tx.execute(query).mappings()]


def add_stream(tx: Tx, row: Row) -> None:
    """A box was born that nobody knew."""
    tx.execute(insert(STREAMS), row)


def retire_streams(tx: Tx, hall: str, at: datetime) -> int:
    """All boxes the hall ever had are replaced; gives how many were not before."""
    these = (STREAMS.c.hall == hall) & (STREAMS.c.retired_at.is_(None))
    return tx.execute(update(STREAMS).where(these).values(retired_at=at)).rowcount


def move_cursor(tx: Tx, stream: str, applied: int) -> None:
    """Everything up to `applied` is stored."""
    tx.execute(_MOVE, {"of": stream, "to": applied})


def told_last(tx: Tx, stream: str, last: int) -> None:
    """The box has told how many facts it holds."""
    tx.execute(update(STREAMS).where(STREAMS.c.stream == stream).values(last=last))


def add_facts(tx: Tx, rows: Sequence[Row]) -> None:
    """Store facts; raises Clash when one of them is there already."""
    add_rows(tx, FACTS, rows)


def bodies_after(tx: Tx, stream: str, n: int) -> list[str]:
    """The JSON of a stream's facts after the n-th, in order."""
    query = select(FACTS.c.body).where(FACTS.c.stream == stream, FACTS.c.n > n).order_by(FACTS.c.n)
    agent = select(STREAMS.c.agent).where(STREAMS.c.stream == stream).scalar_subquery()
    return list(tx.execute(query.where(FACTS.c.agent == agent)).scalars())


def snapshot(tx: Tx, stream: str) -> tuple[int, str] | None:
    """The last snapshot of a stream's queue and the fact it was taken after."""
    row = tx.execute(select(SNAPSHOTS.c.n, SNAPSHOTS.c.body).where(SNAPSHOTS.c.stream == stream)).first()
    return (row[0], row[1]) if row else None


def save_snapshot(tx: Tx, stream: str, n: int, body: str) -> None:
    """Replace the stream's snapshot."""
    upsert(tx, SNAPSHOTS, [{"stream": stream, "n": n, "body": body}])


def facts_page(tx: Tx, *, hall: str | None, stream: str | None, after: int, limit: int) -> list[Row]:
    """Facts in order. Of one stream `after` counts its own numbers `n`, of all halls the `id` here."""
    query = select(FACTS).limit(limit)
    if stream is not None:
        agent = select(STREAMS.c.agent).where(STREAMS.c.stream == stream).scalar_subquery()
        query = query.where(FACTS.c.agent == agent, FACTS.c.stream == stream, FACTS.c.n > after)
        query = query.order_by(FACTS.c.n)
    else:
        query = query.where(FACTS.c.id > after).order_by(FACTS.c.id)
    if hall is not None:
        query = query.where(FACTS.c.hall == hall)
    return [_fact(dict(row), of_stream=stream is not None) for row in tx.execute(query).mappings()]


def _fact(row: Row, *, of_stream: bool) -> Row:
    place = {} if of_stream else {"id": row["id"]}
    origin = {"hall": row["hall"], "stream": row["stream"], "n": row["n"]}
    return {**place, **origin, **json.loads(row["body"]), "recorded_at": row["recorded_at"].isoformat()}


def quarantine(tx: Tx, row: Row, at: datetime) -> bool:
    """Note a message that was not applied; False when the same message was noted before."""
    same = (QUARANTINE.c.agent == row["agent"]) & (QUARANTINE.c.digest == row["digest"])
    counted = tx.execute(update(QUARANTINE).where(same).values(count=QUARANTINE.c.count + 1, last_at=at))
    if counted.rowcount:
        return False
    tx.execute(insert(QUARANTINE), {**row, "first_at": at, "last_at": at})
    return True
