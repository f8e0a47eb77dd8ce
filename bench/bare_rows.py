"""The floor under ingest: SQLAlchemy Core, one transaction per 100 rows, nothing decided or looked up.

Rows as in the method of the limits: unique (agent, n), and an upsert of the current state; the state is
the ticket's, as at the controller.
"""

import json
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, Text, create_engine, event, insert
from sqlalchemy.dialects import postgresql, sqlite

from bench.days import FactMessage

__all__ = ["BareRows"]

_METADATA = MetaData()
FACTS = Table(
    "bench_facts",
    _METADATA,
    Column("agent", String, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)
STATES = Table(
    "bench_states",
    _METADATA,
    Column("ticket_id", String, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("body", Text, nullable=False),
)


class BareRows:
    """A database as durable as the controller's, with the two tables."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        make: Any = postgresql.insert
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _as_durable)
            make = sqlite.insert
        statement = make(STATES)
        new = {"n": statement.excluded.n, "body": statement.excluded.body}
        self._upsert = statement.on_conflict_do_update(index_elements=["ticket_id"], set_=new)
        _METADATA.create_all(self._engine)

    def take(self, messages: Sequence[FactMessage]) -> float:
        """Seconds it takes to store them, one transaction each; preparing the rows does not count."""
        prepared = [(_facts(message), _states(message)) for message in messages]
        began = perf_counter()
        for facts, states in prepared:
            with self._engine.begin() as connection:
                connection.execute(insert(FACTS), facts)
                connection.execute(self._upsert, states)
        return perf_counter() - began

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _facts(message: FactMessage) -> list[dict[str, Any]]:
    return [
        {"agent": message.agent, "n": n, "body": body} for n, body in enumerate(message.bodies, message.first)
    ]


def _states(message: FactMessage) -> list[dict[str, Any]]:
    """One row per fact, also when several facts touch one ticket."""
    keys = (json.loads(body).get("ticket_id", "-") for body in message.bodies)
    return [
        {"ticket_id": f"{message.agent}/{key}", "n": n, "body": body}
        for n, (key, body) in enumerate(zip(keys, message.bodies, strict=True), message.first)
    ]


def _as_durable(connection: Any, _: object) -> None:
    connection.execute("PRAGMA journal_mode=wal")
    connection.execute("PRAGMA synchronous=FULL")
