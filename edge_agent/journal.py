"""The journal: facts on disk, append-only, and at once the outbox of the uplink.

SQLite in WAL mode with `synchronous=FULL`: a commit survives a power cut. One connection writes and
checkpoints, from one thread; a second one only reads. That keeps clear of the WAL-reset corruption
of SQLite up to 3.51.2, which needs two writing or checkpointing connections.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from hall_core.errors import JournalBroken, StorageUnavailable
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact, fact_adapter
from hall_core.queueing.queue import Queue

__all__ = ["Journal", "StoredFact", "WishCursor"]

#: a new snapshot of the queue after so many facts bounds the replay at start
SNAPSHOT_EVERY = 4_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
    n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS snapshots (n INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""
_queue_adapter: TypeAdapter[Queue] = TypeAdapter(Queue)


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact as it lies in the journal: its number and its JSON."""

    n: int
    body: str


@dataclass(frozen=True, slots=True)
class WishCursor:
    """How far the controller's wishes are applied."""

    stream: str
    applied: int


class Journal:
    """Open with `Journal.open`; `append` from one thread only; the rest from the event loop."""

    def __init__(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.path = path
        self._writer, self._reader = writer, reader
        self.stream = self._meta("stream") or ""
        self.boot = int(self._meta("boot") or 0)
        self.acked = int(self._meta("acked") or 0)
        self.last = int(self._one("SELECT COALESCE(MAX(n), 0) FROM facts"))
        self._snapshot_at = int(self._one("SELECT COALESCE(MAX(n), 0) FROM snapshots"))

    @classmethod
    def open(cls, path: Path, *, new_id: str, stamp: str) -> "Journal":
        """Open or create the journal; a malformed one is set aside as `*.corrupt.<stamp>`.

        `new_id` becomes the stream of a new file: a new incarnation that needs a zone of its own.
        Raises JournalBroken when the disk does not take it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if path.exists() and not _sound(path):
                _set_aside(path, stamp)
            writer = _connect(path, new_id)
            reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
            reader.execute("PRAGMA query_only=ON")
        except sqlite3.Error as error:
            msg = f"journal {path} cannot be opened: {error}; check the disk, then start again"
            raise JournalBroken(msg) from error
        return cls(path, writer, reader)

    def append(self, facts: Sequence[Fact], wishes: WishCursor | None = None, acked: int = 0) -> int:
        """Store facts and cursors in one transaction; returns the last number once it is on disk.

        Raises StorageUnavailable when nothing was stored and the box can go on (disk full),
        JournalBroken when it cannot be known (I/O error): then the program must end and reopen.
        """
        rows = [(fact.kind, fact.model_dump_json(exclude_none=True)) for fact in facts]
        write = self._writer.execute
        try:
            write("BEGIN IMMEDIATE")
            self._writer.executemany("INSERT INTO facts (kind, body) VALUES (?, ?)", rows)
            if wishes:
                self._put_meta("wish_stream", wishes.stream)
                self._put_meta("wishes_applied", str(wishes.applied))
            if acked:
                self._put_meta("acked", str(acked))
            write("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                write("ROLLBACK")
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
                raise StorageUnavailable from error
            msg = f"journal {self.path}: {error}; nothing more is issued until it is reopened"
            raise JournalBroken(msg) from error
        self.last += len(rows)
        return self.last

    def remember(self, queue: Queue) -> None:
        """Keep the queue's picture when enough facts have come, so that a restart need not replay all."""
        if self.last - self._snapshot_at < SNAPSHOT_EVERY or queue.applied != self.last:
            return
        body = _queue_adapter.dump_json(queue).decode()
        # A snapshot only saves time: when the disk refuses it, the facts are enough.
        with suppress(sqlite3.Error):
            self._writer.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?)", (self.last, body))
            self._writer.execute(
                "DELETE FROM snapshots WHERE n NOT IN (SELECT n FROM snapshots ORDER BY n DESC LIMIT 2)"
            )
        self._snapshot_at = self.last

    def queue(self) -> Queue:
        """The queue as all facts tell it: the last snapshot and what came after."""
        row = self._reader.execute("SELECT n, body FROM snapshots ORDER BY n DESC LIMIT 1").fetchone()
        queue, n = (_queue_adapter.validate_json(row[1]), row[0]) if row else (Queue(), 0)
        cursor = self._reader.execute("SELECT body FROM facts WHERE n > ? ORDER BY n", (n,))
        return replay(queue, (fact_adapter.validate_json(body, extra="ignore") for (body,) in cursor))

    def read(self, after: int, limit: int) -> list[StoredFact]:
        """Facts `after + 1` … in order."""
        cursor = self._reader.execute(
            "SELECT n, body FROM facts WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
        )
        return [StoredFact(n, body) for n, body in cursor]

    def facts_of(self, ticket_id: str) -> list[StoredFact]:
        """The life of one ticket."""
        cursor = self._reader.execute(
            "SELECT n, body FROM facts WHERE json_extract(body, '$.ticket_id') = ? ORDER BY n", (ticket_id,)
        )
        return [StoredFact(n, body) for n, body in cursor]

    def wishes(self) -> WishCursor | None:
        """How far the controller's wishes are applied."""
        stream = self._meta("wish_stream")
        return WishCursor(stream, int(self._meta("wishes_applied") or 0)) if stream else None

    def close(self) -> None:
        """Checkpoint and close; keeps the last acknowledgement."""
        with suppress(sqlite3.Error), self._writer:
            self._put_meta("acked", str(self.acked))
        self._reader.close()
        self._writer.close()

    def _meta(self, key: str) -> str | None:
        row = self._reader.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def _put_meta(self, key: str, value: str) -> None:
        self._writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _one(self, sql: str) -> int:
        return int(self._reader.execute(sql).fetchone()[0])


def _sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as probe:
            return bool(probe.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _set_aside(path: Path, stamp: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.corrupt.{stamp}{suffix}"))


def _connect(path: Path, new_id: str) -> sqlite3.Connection:
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    for name, value in (
        ("journal_mode", "wal"),
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("mmap_size", "0"),
    ):
        writer.execute(f"PRAGMA {name}={value}")
    mode = writer.execute("PRAGMA journal_mode").fetchone()[0]
    level = writer.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("wal", 2):
        msg = f"journal {path}: this disk gives journal_mode={mode} synchronous={level}, not wal and FULL"
        raise JournalBroken(msg)
    writer.executescript(_SCHEMA)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT OR IGNORE INTO meta VALUES ('stream', ?)", (new_id,))
    writer.execute("INSERT OR IGNORE INTO meta VALUES ('boot', '0')")
    writer.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'boot'")
    writer.execute("COMMIT")
    return writer
