"""The floor under a ticket: bare sqlite3, one FULL commit per ticket, in this process.

Rows as in the method of the limits: unique (agent, n), and an upsert of the current state.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

__all__ = ["BareCommits", "bare_commits"]

_SCHEMA = """
PRAGMA journal_mode=wal;
PRAGMA synchronous=FULL;
CREATE TABLE facts (agent TEXT, n INTEGER, body TEXT, PRIMARY KEY (agent, n)) WITHOUT ROWID;
CREATE TABLE states (agent TEXT PRIMARY KEY, n INTEGER, body TEXT) WITHOUT ROWID;
"""
_UPSERT = """
INSERT INTO states VALUES ('hall', ?, ?)
ON CONFLICT (agent) DO UPDATE SET n = excluded.n, body = excluded.body
"""


@dataclass(slots=True)
class BareCommits:
    """`run` commits for a while; `per_second` is the rate of all runs."""

    disk: sqlite3.Connection
    row: str
    count: int = 0
    spent: float = 0.0

    def run(self, seconds: float) -> None:
        """As fast as this disk and this sqlite3 go."""
        began = perf_counter()
        while perf_counter() - began < seconds:
            self.count += 1
            self.disk.execute("BEGIN IMMEDIATE")
            self.disk.execute("INSERT INTO facts VALUES ('hall', ?, ?)", (self.count, self.row))
            self.disk.execute(_UPSERT, (self.count, self.row))
            self.disk.execute("COMMIT")
        self.spent += perf_counter() - began

    @property
    def per_second(self) -> float:
        """Commits a second."""
        return self.count / self.spent


@contextmanager
def bare_commits(path: Path, row: str) -> Iterator[BareCommits]:
    """A new database for rows like this one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as disk:
        disk.executescript(_SCHEMA)
        yield BareCommits(disk, row)
