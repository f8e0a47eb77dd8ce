"""Keeps the journal small: what the centre has and a picture of the queue holds is removed when it is old.

What is not acknowledged is never removed, whatever its age or size: then there is an alarm instead. The
hour's picture is kept only when the journal tells the same: memory that went wrong ends the program, and its
next start replays the journal.
"""

import asyncio
import logging
from datetime import timedelta
from functools import partial

from edge_agent.hall import Hall
from hall_core.errors import JournalBroken, StorageUnavailable
from hall_core.queueing.summary import state_hash

__all__ = ["JournalCare"]

logger = logging.getLogger(__name__)

EVERY_S = 3600.0
#: the queue's picture is renewed in a quiet hall, too, or nothing could ever be removed
SNAPSHOT_AFTER = 200


class JournalCare:
    """`run` looks after the journal of a hall; `too_large` says that it may not shrink and should."""

    def __init__(self, hall: Hall, *, keep_days: int, most_bytes: int) -> None:
        self._hall, self._keep, self._most = hall, timedelta(days=keep_days), most_bytes
        self.too_large = False

    async def run(self) -> None:
        """Once an hour, for ever."""
        while True:
            try:
                await self.once()
            except StorageUnavailable:
                logger.info("journal not pruned: the disk is full")
            await asyncio.sleep(EVERY_S)

    async def once(self) -> int:
        """Remove what may go; returns how many facts went. Raises JournalBroken where memory went wrong."""
        hall, journal = self._hall, self._hall.journal
        removed = 0
        await hall.on_disk(self._remember)
        for before in (hall.now() - self._keep, None):
            if before is None and journal.size() <= self._most:
                break
            while gone := await hall.on_disk(partial(journal.prune, before)):
                removed += gone
                if before is None and journal.size() <= self._most:
                    break
        if removed:
            logger.info("journal pruned facts=%s bytes=%s", removed, journal.size())
        self._judge(journal.size() > self._most)
        return removed

    def _remember(self) -> None:
        shown, journal = self._hall.queue, self._hall.journal
        told = journal.queue()
        if shown.applied != told.applied:
            return  # a commit is stored and not yet shown: an hour later it is
        if state_hash(shown) != state_hash(told):
            msg = (
                f"the queue in memory differs from journal {journal.path} at fact {told.applied}; "
                "the program ends, and starts again from the journal"
            )
            raise JournalBroken(msg)
        journal.remember(shown, after=SNAPSHOT_AFTER)

    def _judge(self, is_too_large: bool) -> None:
        if is_too_large != self.too_large:
            self.too_large = is_too_large
            self._hall.bell.ring()
            if is_too_large:
                logger.error("journal too large bytes=%s: the centre has not confirmed it", self._most)
