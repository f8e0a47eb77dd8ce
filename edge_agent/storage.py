"""How the box's disk stands, and 16 MiB kept for the day it is full.

Full: numbers are no longer given, but the reserve is let go, so that those who wait are still called and
finished. Room again: the reserve is made anew, and the hall gives numbers as before. Broken: nothing can
be stored at all; the pages say where to go, the program ends and is started anew.

A disk that is read-only or fails at the start ends the program with a sentence and code 2, again and again
until somebody mends it: open pages keep what they were told last, which is where to go. The journal stays
where it is, for only what SQLite calls corrupt is set aside.
"""

import asyncio
import logging
import os
import shutil
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from edge_agent.bell import Bell

__all__ = ["Storage", "StorageState"]

logger = logging.getLogger(__name__)

RESERVE = 16 * 1024 * 1024
#: beside the reserve so much must be free before numbers are given again: no going on and off
SLACK = 4 * 1024 * 1024
#: with less than this a journal cannot even be opened
LEAST = 512 * 1024
RETRY_S = 3.0


class StorageState(StrEnum):
    """What the hall can do with its disk."""

    OK = "ok"
    #: those who wait are served, numbers are not given
    FULL = "full"
    BROKEN = "broken"


class Storage:
    """`state` of the disk under `folder`; `bell` rings when it changes.

    Without a folder nothing is kept in reserve, and a full disk refuses each request by itself.
    """

    def __init__(self, folder: Path | None = None, bell: Bell | None = None) -> None:
        self._folder = folder
        self._reserve = folder / "reserve" if folder else None
        self.bell = Bell(also=bell)
        self.state = StorageState.OK

    @property
    def reserved(self) -> bool:
        """True while the reserve is there."""
        return self._reserve is not None and self._reserve.exists()

    def prepare(self) -> None:
        """Before the journal is opened: make the reserve, or let it go when it is needed to open at all."""
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make()
            if _free(self._folder) < LEAST:
                self.full()

    def full(self) -> bool:
        """The disk took nothing more: give numbers no longer. True when there is new room for the rest."""
        if self._reserve is None:
            return False
        was_there = self.reserved
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)
        if self.state is StorageState.OK:
            logger.error("disk full folder=%s: no numbers are given until there is room", self._folder)
            self._turn(StorageState.FULL)
        return was_there

    def broken(self) -> None:
        """Nothing can be stored: say so while the program ends."""
        self._turn(StorageState.BROKEN)

    async def keep(self) -> None:
        """Make the reserve as soon as there is room; then numbers are given again. For ever."""
        while True:
            await asyncio.sleep(RETRY_S)
            if self.reserved or self.state is StorageState.BROKEN:
                continue
            if await asyncio.to_thread(self._make) and self.state is StorageState.FULL:
                logger.warning("disk has room again folder=%s", self._folder)
                self._turn(StorageState.OK)

    def _turn(self, state: StorageState) -> None:
        self.state = state
        self.bell.ring()

    def _make(self) -> bool:
        """True when the reserve is there."""
        if self._folder is None or self._reserve is None:
            return False
        if self.reserved:
            return True
        try:
            if _free(self._folder) < RESERVE + SLACK:
                return False
            fresh = self._reserve.with_suffix(".new")
            with fresh.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE)
            fresh.replace(self._reserve)
        except OSError as error:
            logger.info("no reserve yet folder=%s reason=%s", self._folder, error.strerror)
            return False
        return True


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
