"""The box's storage as the program finds it at its start, and what looks after it while it runs."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.box_health import BoxHealth
from edge_agent.hall import Hall
from edge_agent.journal import Journal
from edge_agent.journal_care import JournalCare
from edge_agent.memory import keep_small
from edge_agent.mirror import Mirror, read_mirror
from edge_agent.settings import AgentSettings
from edge_agent.storage import Storage, StorageState
from hall_core.clock import Clock
from hall_core.devices.vocabulary import DeviceState
from hall_core.errors import JournalBroken, StorageUnavailable
from hall_core.queueing.restate import restate

__all__ = ["BoxCare", "Kept", "go_on_from", "open_box"]

logger = logging.getLogger(__name__)

#: a clock that was never synchronised is no news in a box that has just started
CLOCK_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """The journal, the disk under it, and the path of its second copy."""

    journal: Journal
    storage: Storage
    mirror: Path | None = None


def open_box(settings: AgentSettings, hall: str, clock: Clock, new_id: Callable[[], str]) -> Kept:
    """Open the journal; a new one goes on where the mirror of the same hall ends. Raises JournalBroken."""
    storage = Storage(settings.data)
    storage.prepare()
    stamp = clock.now().strftime("%Y%m%dT%H%M%S")
    journal = Journal.open(settings.journal_file, new_id=new_id(), stamp=stamp)
    if settings.mirror:
        go_on_from(settings.mirror, hall, journal, clock)
    return Kept(journal, storage, settings.mirror)


def go_on_from(mirror: Path, hall: str, journal: Journal, clock: Clock) -> None:
    """A journal without any fact begins where the mirror of this hall ends; any other stays as it is.

    Raises JournalBroken when the disk does not take it.
    """
    held = read_mirror(mirror, hall) if journal.last == 0 else None
    # With nobody in it there is nothing to go on with, but perhaps a day that a wrong clock made up.
    if held is None or held.queue.setup is None or not held.holds_people:
        return
    left = held.left_over()
    try:
        # A clock that nobody has set yet must not date what happened in the future.
        now = clock.now() if clock.trusted() or held.at is None else held.at
        journal.adopt(restate(held.queue, now), left, held.facts)
    except StorageUnavailable as error:
        msg = (
            f"journal {journal.path}: the disk is full; make room for what the mirror holds, then start again"
        )
        raise JournalBroken(msg) from error
    unsent = left.last - left.first + 1
    logger.warning("journal rebuilt from mirror stream=%s last=%s unsent=%s", held.stream, held.last, unsent)


class BoxCare:
    """`run` looks after disk, journal and mirror; `health` says what is wrong with them."""

    def __init__(self, hall: Hall, kept: Kept, settings: AgentSettings, name: str) -> None:
        self._hall, self._storage = hall, kept.storage
        most = settings.journal_mb * 1024 * 1024
        self._journal = JournalCare(hall, keep_days=settings.keep_days, most_bytes=most)
        self.mirror = Mirror(kept.mirror, hall, name) if kept.mirror else None
        self._began = hall.clock.monotonic()
        self.health = BoxHealth(hall.now)
        self.health.watch("disk", self._disk)
        self.health.watch("journal", self._size)
        self.health.watch("clock", self._clock)
        if self.mirror:
            self.health.watch("mirror", self.mirror.trouble)

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._storage.keep(), name="storage")
            tasks.create_task(self._journal.run(), name="journal.care")
            tasks.create_task(keep_small(), name="memory")
            if self.mirror:
                tasks.create_task(self.mirror.run(), name="mirror")

    def _disk(self) -> tuple[DeviceState, str] | None:
        if self._storage.state is StorageState.OK:
            return None
        return DeviceState.OFFLINE, "磁盘已满，暂停取号 (disk full, no numbers are given)"

    def _size(self) -> tuple[DeviceState, str] | None:
        if not self._journal.too_large:
            return None
        return DeviceState.DEGRADED, "日志过大，中心长期未确认 (journal too large, never confirmed)"

    def _clock(self) -> tuple[DeviceState, str] | None:
        young = self._hall.clock.monotonic() - self._began < CLOCK_PATIENCE_S
        if self._hall.time.trusted() or young:
            return None
        return DeviceState.DEGRADED, "时钟未同步，请检查网络校时 (clock not synchronised)"
