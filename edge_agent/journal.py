"""The journal: facts on disk, append-only, and at once the outbox of the uplink.

SQLite in WAL mode with `synchronous=FULL`: a commit survives a power cut. One connection writes and
checkpoints, from one thread; a second one only reads. That keeps clear of the WAL-reset corruption
of SQLite up to 3.51.2, which needs two writing or checkpointing connections.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from edge_agent.journal_file import (
    BEGUN_AHEAD,
    begun_ahead,
    open_reader,
    open_writer,
    primary,
    set_aside,
    set_aside_before,
    sound,
)
from hall_core.errors import JournalBroken, StorageUnavailable
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact, fact_adapter
from hall_core.queueing.queue import Queue

__all__ = ["Foundation", "Journal", "LeftOver", "StoredFact", "WishCursor", "queue_of"]

#: a new snapshot of the queue after so many facts bounds the replay at start
SNAPSHOT_EVERY = 4_000
#: so many facts are removed in one transaction: no commit waits long behind it
PRUNE_AT_ONCE = 500
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


@dataclass(frozen=True, slots=True)
class Foundation:
    """A picture of the queue after fact `n`, as JSON: facts after it can be told without those before."""

    n: int
    body: str


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A stream that ended with a lost journal: `first` … `last` of it are kept until the centre has them."""

    stream: str
    boot: int
    first: int
    last: int
    wishes: WishCursor | None = None


def queue_of(body: str) -> Queue:
    """The queue that a snapshot holds."""
    return _queue_adapter.validate_json(body)


class Journal:
    """Open with `Journal.open`; `append` from one thread only; the rest from the event loop."""

    def __init__(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.path = path
        self._writer, self._reader = writer, reader
        self.stream = self._meta("stream") or ""
        self.boot = int(self._meta("boot") or 0)
        self.acked = int(self._meta("acked") or 0)
        self.left = self._left()
        self.replaced = set_aside_before(path)
        self.last = int(
            self._one("SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'facts'), 0)")
        )
        self._snapshot_at = int(self._one("SELECT COALESCE(MAX(n), 0) FROM snapshots"))

    @classmethod
    def open(cls, path: Path, *, new_id: str, stamp: str) -> "Journal":
        """Open or create the journal; a malformed one is set aside as `*.corrupt.<stamp>`, one that began
        under a clock that ran ahead as `*.ahead.<stamp>`.

        `new_id` becomes the stream of a new file: a new incarnation that needs a zone of its own.
        Raises JournalBroken when the disk does not take it.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not sound(path):
                set_aside(path, stamp)
            elif path.exists() and begun_ahead(path):
                set_aside(path, stamp, "ahead")
            writer, reader = open_writer(path, new_id), open_reader(path)
        except (sqlite3.Error, OSError) as error:
            msg = f"journal {path} cannot be opened: {error}; check the disk, then start again"
            raise JournalBroken(msg) from error
        return cls(path, writer, reader)

    def append(self, facts: Sequence[Fact], wishes: WishCursor | None = None, acked: int = 0) -> int:
        """Store facts and cursors in one transaction; returns the last number once it is on disk.

        Raises StorageUnavailable when nothing was stored and the box can go on (disk full),
        JournalBroken when it cannot be known (I/O error): then the program must end and reopen.
        """
        rows = [(fact.kind, fact.model_dump_json(exclude_none=True)) for fact in facts]
        with self._transaction() as write:
            write.executemany("INSERT INTO facts (kind, body) VALUES (?, ?)", rows)
            if wishes:
                self._put_meta("wish_stream", wishes.stream)
                self._put_meta("wishes_applied", str(wishes.applied))
            if acked:
                self._put_meta("acked", str(acked))
        self.last += len(rows)
        return self.last

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        write = self._writer.execute
        try:
            write("BEGIN IMMEDIATE")
            yield self._writer
            write("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                write("ROLLBACK")
            if primary(error) == sqlite3.SQLITE_FULL:
                raise StorageUnavailable from error
            msg = f"journal {self.path}: {error}; nothing more is issued until it is reopened"
            raise JournalBroken(msg) from error

    def remember(self, queue: Queue, *, after: int | None = None) -> None:
        """Keep the queue's picture when so many facts have come, so that a restart need not replay all."""
        fresh = self.last - self._snapshot_at
        if fresh < (SNAPSHOT_EVERY if after is None else after) or queue.applied != self.last:
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
        queue, n = (queue_of(row[1]), row[0]) if row else (Queue(), 0)
        cursor = self._reader.execute("SELECT body FROM facts WHERE n > ? ORDER BY n", (n,))
        return replay(queue, (fact_adapter.validate_json(body, extra="ignore") for (body,) in cursor))

    def adopt(self, facts: Sequence[Fact], left: LeftOver, kept: Mapping[int, str]) -> None:
        """Begin a new incarnation with these facts; keep what the centre lacks of the one that is lost."""
        assert self.last == 0
        rows = [(fact.kind, fact.model_dump_json(exclude_none=True)) for fact in facts]
        old = [(n, kept[n]) for n in range(left.first, left.last + 1)]
        with self._transaction() as write:
            write.executemany("INSERT INTO facts (kind, body) VALUES (?, ?)", rows)
            write.executemany("INSERT INTO left_over VALUES (?, ?)", old)
            self._put_meta("left", json.dumps(asdict(left)))
            # Its lives are counted on: an old one's last will says nothing about this one.
            self._put_meta("boot", str(left.boot + 1))
        self.last, self.boot, self.left = len(rows), left.boot + 1, left

    def forget_left(self) -> None:
        """The centre has all of the lost stream."""
        with self._transaction() as write:
            write.execute("DELETE FROM left_over")
            write.execute("DELETE FROM meta WHERE key = 'left'")

    @property
    def gave_none(self) -> bool:
        """True while no number was ever given from this journal."""
        if self.left or self.foundation().n:
            return False
        return not self._one("SELECT EXISTS (SELECT 1 FROM facts WHERE kind = 'ticket-issued')")

    def give_up(self) -> None:
        """At the next start another journal begins in this one's place."""
        with self._transaction():
            self._put_meta(BEGUN_AHEAD, "1")

    def _left(self) -> LeftOver | None:
        said = self._meta("left")
        if said is None:
            return None
        found = json.loads(said)
        wishes = found.pop("wishes")
        return LeftOver(**found, wishes=WishCursor(**wishes) if wishes else None)

    def read_left(self, after: int, limit: int) -> list[StoredFact]:
        """As `read`, of the lost stream."""
        cursor = self._reader.execute(
            "SELECT n, body FROM left_over WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
        )
        return [StoredFact(n, body) for n, body in cursor]

    def read(self, after: int, limit: int) -> list[StoredFact]:
        """Facts `after + 1` … in order."""
        cursor = self._reader.execute(
            "SELECT n, body FROM facts WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
        )
        return [StoredFact(n, body) for n, body in cursor]

    def foundation(self) -> Foundation:
        """From where on everything can be told: the older snapshot, or nothing at all."""
        row = self._reader.execute("SELECT n, body FROM snapshots ORDER BY n LIMIT 1").fetchone()
        return Foundation(*row) if row else Foundation(0, "")

    def last_at(self) -> datetime | None:
        """When the last fact happened."""
        row = self._reader.execute("SELECT body FROM facts ORDER BY n DESC LIMIT 1").fetchone()
        return fact_adapter.validate_json(row[0], extra="ignore").at if row else None

    def size(self) -> int:
        """Bytes in use; pages that were freed are used again."""
        pages, free = self._one("PRAGMA page_count"), self._one("PRAGMA freelist_count")
        return (pages - free) * self._one("PRAGMA page_size")

    def prune(self, before: datetime | None) -> int:
        """Remove the oldest facts from before a moment, or whatever their age; returns how many.

        Never one that is not acknowledged, nor one that the older snapshot does not hold. A call removes
        few, so that nobody waits: call again until it removes none. The stream's positions stay.
        """
        covered = min(self.acked, self.foundation().n)
        sql = "SELECT n, json_extract(body, '$.at') FROM facts WHERE n <= ? ORDER BY n LIMIT ?"
        removed = 0
        for n, at in self._reader.execute(sql, (covered, PRUNE_AT_ONCE)).fetchall():
            if before is not None and datetime.fromisoformat(at) >= before:
                break
            removed = n
        if not removed:
            return 0
        with self._transaction() as write:
            return write.execute("DELETE FROM facts WHERE n <= ?", (removed,)).rowcount

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
