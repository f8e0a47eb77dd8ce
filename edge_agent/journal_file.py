"""The journal's file: opened so that a commit survives a power cut, or set aside when it is malformed.

Only what SQLite itself calls corrupt is malformed. A full, read-only or failing disk says nothing about
the facts on it: then the file stays where it is, and the program ends with a sentence about the disk.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from hall_core.errors import JournalBroken

__all__ = ["BEGUN_AHEAD", "begun_ahead", "open_reader", "open_writer", "primary", "set_aside"]
__all__ += ["set_aside_before", "sound"]

#: the mark of a journal that began at a time that was not yet
BEGUN_AHEAD = "begun_ahead"
_MALFORMED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
    n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS snapshots (n INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS left_over (n INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


def primary(error: sqlite3.Error) -> int:
    """SQLite's result code without its details; 0 when the error does not come from SQLite."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def sound(path: Path) -> bool:
    """False when the file is malformed. Raises sqlite3.Error when the disk does not let it be read."""
    try:
        with closing(sqlite3.connect(path)) as probe:
            return bool(probe.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error as error:
        if primary(error) in _MALFORMED:
            return False
        raise


def begun_ahead(path: Path) -> bool:
    """True for a journal that began under a clock that ran ahead, and that gave no number."""
    with closing(sqlite3.connect(path)) as probe:
        if not probe.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return False
        return probe.execute("SELECT 1 FROM meta WHERE key = ?", (BEGUN_AHEAD,)).fetchone() is not None


def set_aside(path: Path, stamp: str, why: str = "corrupt") -> None:
    """Keep a journal beside its place as `*.<why>.<stamp>`: nothing is thrown away."""
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.{why}.{stamp}{suffix}"))


def set_aside_before(path: Path) -> int:
    """How many journals were set aside here: each had given numbers."""
    aside = path.parent.glob(f"{path.name}.corrupt.*")
    return sum(1 for file in aside if not file.name.endswith(("-wal", "-shm")))


def open_writer(path: Path, new_id: str) -> sqlite3.Connection:
    """The one connection that writes; counts a boot, and brings what an earlier life left to the disk.

    Raises sqlite3.Error, or JournalBroken when the disk does not give WAL and FULL.
    """
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
    # After a failed flush the kernel may show pages that never reached the disk: write them again, and
    # learn now, before anybody relies on them, whether the disk takes them.
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return writer


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads."""
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
    reader.execute("PRAGMA query_only=ON")
    return reader
