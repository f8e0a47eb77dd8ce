"""The database: SQLite in a file by default, PostgreSQL by URL. One transaction per piece of work.

SQLite work runs in the event loop: it takes less than handing it to a thread. PostgreSQL work is
network traffic and runs in threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError

from controller.store.migrations import migrate
from hall_core.errors import SettingsInvalid

__all__ = ["STORAGE_DOWN", "UNSTORABLE", "Clash", "Database", "Tx"]

#: one open transaction; passed to queries, never kept
Tx = Connection
#: a row that must be unique is there already
Clash = IntegrityError
#: the database cannot work now: locked, full, or not reachable
STORAGE_DOWN = OperationalError
#: what storing values raises when they break a rule or do not fit
UNSTORABLE = (IntegrityError, DataError, OverflowError)

T = TypeVar("T")

BUSY_MS = 10_000
#: the write-ahead log is cut off between readers, not by waiting for them
SHED_MS = 50
#: pieces of work at once on a database that is another program
THREADS = 5


class Database:
    """Runs work in transactions. Writers of this process stand in line; readers do not wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._readers = engine.execution_options(qh_reads=True)
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writing = asyncio.Lock()
        self._writer: Connection | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")

    @classmethod
    def open(cls, url: str) -> Self:
        """The database at this URL, migrated. Raises SettingsInvalid when it is unusable."""
        shown = url.rpartition("@")[2]  # never a password
        engine = None
        try:
            parsed = make_url(url)
            if parsed.drivername in ("postgresql", "postgres"):
                parsed = parsed.set(drivername="postgresql+psycopg")
            # what rows hold never stands in a traceback
            engine = create_engine(parsed, hide_parameters=True)
            if engine.dialect.name == "sqlite":
                _prepare_sqlite(engine, parsed.database)
            with engine.begin() as connection:
                migrate(connection)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            if engine is not None:
                engine.dispose()
            raise SettingsInvalid(f"database {shown}: {_first_line(error)}") from None
        return cls(engine)

    def close(self) -> None:
        """Finish the work in hand, then close all connections."""
        self._threads.shutdown()
        if self._writer is not None:
            self._writer.close()
        self._engine.dispose()

    async def write(self, work: Callable[[Tx], T]) -> T:
        """`work` in one transaction: committed when it returns, undone when it raises."""
        async with self._writing:
            if self.is_sqlite:
                return self._write_here(work)
            return await self._in_thread(self.write_now, work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """`work` on one consistent picture of the database."""
        if self.is_sqlite:
            return self.read_now(work)
        return await self._in_thread(self.read_now, work)

    async def _in_thread(self, run: Callable[[Callable[[Tx], T]], T], work: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, work)

    def write_now(self, work: Callable[[Tx], T]) -> T:
        """`write` for programs without an event loop."""
        with self._engine.begin() as tx:
            return work(tx)

    def read_now(self, work: Callable[[Tx], T]) -> T:
        """`read` for programs without an event loop."""
        with self._readers.connect() as tx:
            return work(tx)

    def _write_here(self, work: Callable[[Tx], T]) -> T:
        """On the one connection that writes: taking another each time costs as much as a small write."""
        if self._writer is None:
            self._writer = self._engine.connect()
        with self._writer.begin():
            return work(self._writer)

    async def shed(self) -> bool:
        """SQLite: nothing of earlier contents stays in the write-ahead log; False while somebody reads it."""
        if not self.is_sqlite:
            return True
        async with self._writing:
            return self.shed_now()

    def shed_now(self) -> bool:
        """`shed` for programs without an event loop."""
        if not self.is_sqlite:
            return True
        raw = self._engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout={SHED_MS}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = bool((cursor.fetchone() or (1,))[0])
            cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        finally:
            raw.close()
        return not busy

    async def alive(self) -> bool:
        """True when the database answers."""
        try:
            await self.read(lambda tx: tx.execute(text("SELECT 1")).scalar_one())
        except OperationalError:
            return False
        return True


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _prepare_sqlite(engine: Engine, path: str | None) -> None:
    if not path or path == ":memory:":
        raise ValueError("SQLite must be a file: two connections must see the same rows")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)


def _set_pragmas(connection: Any, _: Any) -> None:
    """A commit must survive a power cut: WAL and FULL; read back, for SQLite ignores what it cannot do."""
    # The driver's own transaction handling would begin too late; `_begin` does it.
    connection.isolation_level = None
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": BUSY_MS}
    for name, value in wanted.items():
        connection.execute(f"PRAGMA {name}={value}")
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            msg = f"SQLite keeps {name} at {found}, needed is {value}; use a local file system"
            raise ValueError(msg)
    connection.execute("PRAGMA mmap_size=0")
    # What is erased must be gone from the file, too.
    connection.execute("PRAGMA secure_delete=ON")


def _begin(connection: Connection) -> None:
    """Writers take the lock at once: upgrading a reader's transaction could fail half-way."""
    reads = connection.get_execution_options().get("qh_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
