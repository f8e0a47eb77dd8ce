"""The card of one box: real SQLite files, of which a power cut leaves what was flushed and perhaps a torn end.

In WAL mode a commit is one append to the log. With `synchronous=FULL` SQLite flushes it before COMMIT
returns; with less it does not, and the log may end anywhere after the last flush.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

from edge_agent.journal import Journal

FULL = 2


class Disk:
    """Where one box keeps its journal. Each life of the program works in a folder of its own."""

    def __init__(self, folder: Path, rng: Random) -> None:
        self._root, self._rng = folder, rng
        self._life = 0
        self.folder = folder / "0"
        self.folder.mkdir(parents=True)
        self._journal: Journal | None = None
        #: the log's length that certainly survives a power cut
        self._flushed = 0
        self.full = self._breaks = False

    @property
    def path(self) -> Path:
        return self.folder / "journal.db"

    @property
    def _log(self) -> Path:
        return self.folder / "journal.db-wal"

    def open(self, new_id: str, stamp: str) -> Journal:
        """The journal as the card holds it."""
        self._journal = Journal.open(self.path, new_id=new_id, stamp=stamp)
        self._note_flush(0)
        if self.full:
            self.fill()
        return self._journal

    def run(self, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Work that writes."""
        assert self._journal is not None
        before, writer = self._log_size(), self._journal._writer
        if self._breaks:
            writer.set_progress_handler(lambda: 1, 1)
        try:
            return work(*args)
        finally:
            self._breaks = False
            writer.set_progress_handler(None, 1)
            self._note_flush(before)

    def _note_flush(self, before: int) -> None:
        assert self._journal is not None
        after = self._log_size()
        level = self._journal._writer.execute("PRAGMA synchronous").fetchone()[0]
        if level == FULL or after < before:
            self._flushed = after

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def fill(self) -> None:
        """The card is full: the file may not grow any more."""
        self.full = True
        if self._journal is not None:
            pages = self._journal._writer.execute("PRAGMA page_count").fetchone()[0]
            self._journal._writer.execute(f"PRAGMA max_page_count={pages}")

    def make_room(self) -> None:
        """Somebody has cleaned up, and put a good card in."""
        self.full = self._breaks = False
        if self._journal is not None:
            self._journal._writer.execute("PRAGMA max_page_count=1073741823")

    def break_next(self) -> None:
        """The next write meets an error of which nobody can say what it left."""
        self._breaks = True

    def crash(self, *, power: bool, work: Callable[[], Any] | None) -> None:
        """What is left when the program was killed, or the current failed.

        `work` is a commit that was about to be written: it is there, or not, or after a power cut in part.
        What a reader could see was flushed before, and stays.
        """
        old, journal, first = self.folder, self._journal, self._flushed if power else self._log_size()
        if work is not None and self._rng.random() < 0.5:
            with suppress(Exception):  # the disk may be full as well
                self.run(work, ())
        keep = self._log_size()
        if power and keep > first:
            keep = self._rng.choice([first, keep, self._rng.randint(first, keep)])
        self._life += 1
        self.folder = self._root / str(self._life)
        self.folder.mkdir()
        for file in old.iterdir():
            if not file.name.endswith("-shm"):
                shutil.copyfile(file, self.folder / file.name)
        if self._log.exists():
            with self._log.open("r+b") as log:
                log.truncate(keep)
        if journal is not None:
            journal._reader.close()
            journal._writer.close()
        self._journal = None
        shutil.rmtree(old)

    def stop(self) -> None:
        """A clean end of the program has closed the journal; the card stays as it is."""
        self._journal = None

    def spoil(self) -> None:
        """The card has lost a page: SQLite finds the file malformed."""
        if not self.path.exists():
            return
        with self.path.open("r+b") as file:
            file.write(b"SQLite format 3\0" + b"\xff" * 512)
        self._log.unlink(missing_ok=True)

    def bodies(self, after: int = 0) -> list[str]:
        """The facts on the card."""
        if self._journal is not None:
            rows = self._journal._reader.execute("SELECT body FROM facts WHERE n > ? ORDER BY n", (after,))
            return [row[0] for row in rows]
        with closing(sqlite3.connect(self.path)) as probe:
            return [
                row[0] for row in probe.execute("SELECT body FROM facts WHERE n > ? ORDER BY n", (after,))
            ]
