"""Numbers of people, and why they missed appointments, are erased when the days for which they are kept have
passed.

By business day: what belongs to a day is erased when more than `keep_days` others have begun since. Facts,
wishes and pictures of queues go by when they came.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from controller.store import erasure as store
from controller.store.database import STORAGE_DOWN, Tx
from controller.store.sealed import FACT_PLACE, REQUEST_PLACE, SNAPSHOT_PLACE, WISH_PLACE, Place, put
from controller.use_cases.context import Context
from controller.use_cases.live import DEFAULT_ZONE
from controller.use_cases.sealed_values import without_numbers

__all__ = ["PhoneEraser"]

logger = logging.getLogger(__name__)

EVERY_S = 3600.0
#: rows of one transaction: between two of them others write
CHUNK, FACTS_CHUNK = 500, 2000

Row = dict[str, Any]


class PhoneEraser:
    """Runs with the controller: once at its start, then every hour."""

    def __init__(self, context: Context, keep_days: int) -> None:
        self._context, self._keep = context, timedelta(days=keep_days)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.once()
            except STORAGE_DOWN:
                logger.exception("numbers not erased; tried again in %s s", EVERY_S)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> Counter[str]:
        """Erase whatever is old; gives how many rows, by table."""
        zone = ZoneInfo(DEFAULT_ZONE)
        day = self._context.clock.now().astimezone(zone).date() - self._keep
        at = datetime.combine(day, time(), zone)
        gone: Counter[str] = Counter()
        for name, chunk in self._rounds(day, at):
            while count := await self._context.database.write(chunk):
                gone[name] += count
                await asyncio.sleep(0)
        gone["facts"] = await self._facts(at)
        gone = +gone
        if gone:
            logger.info("numbers erased %s", " ".join(f"{name}={count}" for name, count in gone.items()))
            if not await self._context.database.shed():
                logger.info("the write-ahead log is read by somebody: it is cut off an hour later")
        return gone

    def _rounds(self, day: date, at: datetime) -> list[tuple[str, Callable[[Tx], int]]]:
        """Each works through one chunk and gives how many rows that were."""
        now = self._context.clock.now()
        return [
            ("tickets", lambda tx: store.erase_tickets(tx, day, CHUNK)),
            ("appointments", lambda tx: store.erase_appointments(tx, day, CHUNK)),
            ("appeals", lambda tx: store.erase_appeals(tx, day, now, CHUNK)),
            ("draw_entries", lambda tx: store.erase_draw_entries(tx, day, CHUNK)),
            ("notices", lambda tx: store.erase_notices(tx, at, CHUNK)),
            ("requests", lambda tx: _blank(tx, REQUEST_PLACE, store.old_requests(tx, at, CHUNK))),
            ("wishes", lambda tx: _blank(tx, WISH_PLACE, store.old_wishes(tx, at))),
            ("snapshots", lambda tx: _blank(tx, SNAPSHOT_PLACE, store.old_snapshots(tx, at))),
        ]

    async def _facts(self, at: datetime) -> int:
        """Facts are many and never change: looked through once, from where the last round ended."""
        total = 0
        while True:
            ended, count = await self._context.database.write(lambda tx: _facts_chunk(tx, at))
            total += count
            if ended:
                return total
            await asyncio.sleep(0)


def _facts_chunk(tx: Tx, at: datetime) -> tuple[bool, int]:
    """Whether these were the last, and how many held a number."""
    rows = store.facts_after(tx, store.facts_erased_to(tx), at, FACTS_CHUNK)
    count = _blank(tx, FACT_PLACE, [row for row in rows if '"phone_sealed":"' in str(row["body"])])
    if rows:
        store.set_facts_erased_to(tx, rows[-1]["id"])
    return len(rows) < FACTS_CHUNK, count


def _blank(tx: Tx, place: Place, rows: list[Row]) -> int:
    count = 0
    for row in rows:
        text = without_numbers(str(row[place.column]))
        # What cannot be read is left alone, or it would be tried for ever.
        if place.blank or text != row[place.column]:
            put(tx, place, row, **{place.column: text}, **place.blank)
            count += 1
    return count
