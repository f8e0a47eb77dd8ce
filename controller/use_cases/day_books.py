"""Days of halls in memory, read on from where they were left: many people may ask about one of them."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from controller.store import days as day_store
from controller.store.database import Database, Tx
from hall_core.queueing.facts import Fact, HallConfigured
from hall_core.queueing.journeys import DayBook
from hall_core.queueing.setup import HallSetup
from hall_core.wire.damaged import read_fact

__all__ = ["DayBooks"]

#: days kept; the one nobody has asked about for longest goes first
KEPT = 64
#: for facts that cannot even say when they happened
_UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(slots=True)
class _Kept:
    """One day as far as it was read: the last fact of each stream, and the stream read last."""

    book: DayBook | None = None
    read: dict[str, int] = field(default_factory=dict)
    last: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class _News:
    """What was stored since; `anew` when it does not follow what was read before."""

    anew: bool
    setup: HallSetup | None
    facts: tuple[Fact, ...]
    read: dict[str, int]
    last: str


class DayBooks:
    """The days somebody has asked about."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, date], _Kept] = {}

    async def of(self, database: Database, hall: str, day: date) -> DayBook:
        """The hall's day as the database has it now. It is read, never changed, by who gets it."""
        kept = self._kept.pop((hall, day), None) or _Kept()
        self._kept[hall, day] = kept
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        async with kept.lock:
            news = await database.read(lambda tx: _news(tx, hall, day, kept))
            if news.anew or kept.book is None:
                kept.book = DayBook(day, news.setup)
            kept.book.tell(news.facts)
            kept.read, kept.last = news.read, news.last
            return kept.book


def _news(tx: Tx, hall: str, day: date, kept: _Kept) -> _News:
    spans = day_store.spans(tx, hall, day)
    fresh = [(span, day_store.bodies(tx, span, kept.read.get(span.stream, 0))) for span in spans]
    last = spans[-1].stream if spans else ""
    # A box before the present one that still has something to tell comes before what was read already.
    anew = kept.book is None or any(rows and span.stream != kept.last for span, rows in fresh)
    if anew and kept.book is not None:
        fresh = [(span, day_store.bodies(tx, span, 0)) for span in spans]
    read = {} if anew else dict(kept.read)
    for span, rows in fresh:
        if rows:
            read[span.stream] = rows[-1][0]
    facts = tuple(read_fact(body, _UNKNOWN_TIME) for _, rows in fresh for _, body in rows)
    return _News(anew, _setup(tx, spans) if anew else None, facts, read, last)


def _setup(tx: Tx, spans: list[day_store.Span]) -> HallSetup | None:
    body = day_store.setup_before(tx, spans[0]) if spans else None
    fact = read_fact(body, _UNKNOWN_TIME) if body else None
    return fact.setup if isinstance(fact, HallConfigured) else None
