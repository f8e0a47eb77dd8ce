"""Many rows at once: one statement per table, executed by the driver with plain tuples.

SQLite and PostgreSQL spell INSERT … ON CONFLICT alike. SQLAlchemy's own executemany takes three times
as long, most of it in preparing each row anew.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Date, Table
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from controller.store.columns import UtcTime
from controller.store.database import Tx

__all__ = ["add_rows", "insert_new", "upsert"]

Row = dict[str, Any]


def add_rows(tx: Tx, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, all with the same columns. Raises Clash when one is there already."""
    _execute(tx, table, rows, "")


def insert_new(tx: Tx, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; those that break a unique constraint are there already and are left alone."""
    _execute(tx, table, rows, "ON CONFLICT DO NOTHING")


def upsert(tx: Tx, table: Table, rows: Sequence[Row], keep: frozenset[str] = frozenset()) -> None:
    """Insert rows, or replace those with the same primary key; columns in `keep` stay as they are."""
    if rows:
        _execute(tx, table, rows, _replacing(table, tuple(rows[0]), keep))


def _execute(tx: Tx, table: Table, rows: Sequence[Row], tail: str) -> None:
    if not rows:
        return
    dialect, names = tx.dialect.name, tuple(rows[0])
    plan, (left_out, rest) = _plan(dialect, table, names), _defaults(table, names)
    values = [(*[to(row[name]) if to else row[name] for name, to in plan], *rest) for row in rows]
    tx.exec_driver_sql(_insert(dialect, table, names + left_out) + tail, values)


@cache
def _insert(dialect: str, table: Table, names: tuple[str, ...]) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    columns = ", ".join(f'"{table.c[name].name}"' for name in names)
    return f'INSERT INTO "{table.name}" ({columns}) VALUES ({", ".join([mark] * len(names))}) '  # noqa: S608


@cache
def _defaults(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Columns the rows leave out, and the values the table's class gives them."""
    found = {
        c.name: c.default.arg
        for c in table.columns
        if c.name not in names and isinstance(c.default, ScalarElementColumnDefault)
    }
    return tuple(found), tuple(found.values())


@cache
def _replacing(table: Table, names: tuple[str, ...], keep: frozenset[str]) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f'"{n}" = excluded."{n}"' for n in names if n not in keys and n not in keep)
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


@cache
def _plan(
    dialect: str, table: Table, names: tuple[str, ...]
) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """How each column's values become what the driver takes; PostgreSQL's takes them as they are."""

    def to(name: str) -> Callable[[Any], Any] | None:
        if dialect != "sqlite":
            return None
        kind = table.c[name].type
        return _time_text if isinstance(kind, UtcTime) else _date_text if isinstance(kind, Date) else None

    return tuple((name, to(name)) for name in names)


def _time_text(value: datetime | None) -> str | None:
    """As SQLAlchemy's DateTime writes it into SQLite."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _date_text(value: date | None) -> str | None:
    return value.isoformat() if value else None
