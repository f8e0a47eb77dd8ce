"""The single writer of a hall: command -> decide -> journal -> evolve -> everybody who listens.

Commands that arrive while a commit is under way are decided together and share the next commit.
Nobody hears of a fact, and no answer leaves, before it is on disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from edge_agent.bell import Bell
from edge_agent.journal import Journal, WishCursor
from hall_core.clock import Clock
from hall_core.errors import JournalBroken, Refused, StorageUnavailable
from hall_core.queueing.commands import Command, OpenBusinessDay
from hall_core.queueing.decide import Circumstances, decide, refusal
from hall_core.queueing.evolve import Draft
from hall_core.queueing.facts import Fact
from hall_core.queueing.queue import Queue
from hall_core.schedule.business_day import business_day

__all__ = ["Change", "Hall", "Handled"]


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of a command: its facts (none for a repeated request) and the queue of its commit."""

    facts: tuple[Fact, ...]
    queue: Queue


@dataclass(frozen=True, slots=True)
class Change:
    """One commit: the queue before and after, and the facts between; `first` is the number of the first."""

    before: Queue
    after: Queue
    facts: tuple[Fact, ...]
    first: int


@dataclass(slots=True)
class _Waiting:
    command: Command
    wish: WishCursor | None
    answer: asyncio.Future[Handled]


@dataclass(slots=True)
class _Batch:
    """Commands decided together, one on top of the other, not yet on disk."""

    draft: Draft
    facts: list[Fact] = field(default_factory=list)
    answers: list[tuple[_Waiting, tuple[Fact, ...] | Refused]] = field(default_factory=list)
    wish: WishCursor | None = None


class Hall:
    """Hands commands to the queue one after the other. `listeners` hear every commit, in order."""

    def __init__(self, journal: Journal, clock: Clock, tz: str, bell: Bell) -> None:
        self.journal = journal
        self.clock = clock
        self.queue = journal.queue()
        self.wishes = journal.wishes()
        self.bell = Bell(also=bell)
        self.listeners: list[Callable[[Change], None]] = []
        self._zone = ZoneInfo(tz)
        self._inbox: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")

    def now(self) -> datetime:
        """The hall's local time."""
        return self.clock.now().astimezone(self._zone)

    async def handle(self, command: Command, wish: WishCursor | None = None) -> Handled:
        """Decide and store one command. Raises the `Refused` it met; then nothing was changed.

        With a `wish` its position is stored along, and a refusal becomes a fact for the controller.
        """
        answer: asyncio.Future[Handled] = asyncio.get_running_loop().create_future()
        self._inbox.put_nowait(_Waiting(command, wish, answer))
        return await answer

    async def run(self) -> None:
        """The writer. Ends only by cancellation or when the journal breaks (JournalBroken)."""
        try:
            while True:
                waiting = [await self._inbox.get()]
                while not self._inbox.empty():
                    waiting.append(self._inbox.get_nowait())
                await self._commit(self._decide_all(waiting))
        finally:
            self._disk.shutdown(wait=True)
            while not self._inbox.empty():
                left = self._inbox.get_nowait()
                if not left.answer.done():
                    left.answer.set_exception(StorageUnavailable())

    async def keep_day(self) -> None:
        """Open the business day when the clock says so, also while nobody asks for anything."""
        while True:
            await self.open_day()
            await asyncio.sleep(15)

    async def open_day(self) -> None:
        """Open the day the clock shows, where it may."""
        today = self._today()
        if today is not None:
            await self.handle(today)

    def _today(self) -> OpenBusinessDay | None:
        trusted, queue = self.clock.trusted(), self.queue
        day = business_day(queue.day, self.now().date(), trusted=trusted, trusted_day=queue.trusted_day)
        wanted = OpenBusinessDay(day=day, trusted=trusted)
        return wanted if queue.setup and day != queue.day else None

    def _decide_all(self, waiting: Sequence[_Waiting]) -> _Batch:
        batch = _Batch(Draft.of(self.queue))
        around = Circumstances(self.now(), self.journal.stream)
        today = self._today()
        if today is not None:
            self._decide(batch, today, around)
        for item in waiting:
            try:
                answer: tuple[Fact, ...] | Refused = self._decide(batch, item.command, around)
            except Refused as error:
                answer = error
                if item.wish is not None:
                    self._write(batch, [refusal(item.command, error, around.now)])
            batch.wish = item.wish or batch.wish
            batch.answers.append((item, answer))
        return batch

    def _decide(self, batch: _Batch, command: Command, around: Circumstances) -> tuple[Fact, ...]:
        facts = decide(batch.draft.queue(), command, around)
        self._write(batch, facts)
        return tuple(facts)

    @staticmethod
    def _write(batch: _Batch, facts: Sequence[Fact]) -> None:
        batch.draft.apply(facts)
        batch.facts.extend(facts)

    async def _commit(self, batch: _Batch) -> None:
        before, first = self.queue, self.journal.last + 1
        if batch.facts or batch.wish:
            loop = asyncio.get_running_loop()
            try:
                await loop.run_in_executor(self._disk, self._store, batch)
            except StorageUnavailable as error:
                for item, _ in batch.answers:
                    _answer(item, error)
                return
            except JournalBroken:
                for item, _ in batch.answers:
                    _answer(item, StorageUnavailable())
                raise
            self.queue, self.wishes = batch.draft.queue(), batch.wish or self.wishes
        if batch.facts:
            # Devices first: the number should stand on the strip when the clerk's page has its answer.
            change = Change(before, self.queue, tuple(batch.facts), first)
            for listener in self.listeners:
                listener(change)
            self.bell.ring()
        for item, answer in batch.answers:
            _answer(item, answer if isinstance(answer, Refused) else Handled(answer, self.queue))

    def _store(self, batch: _Batch) -> None:
        self.journal.append(batch.facts, batch.wish, self.journal.acked)
        self.journal.remember(batch.draft.queue())


def _answer(item: _Waiting, handled: Handled | Refused) -> None:
    if item.answer.done():
        return  # whoever asked has gone; the facts stand
    if isinstance(handled, Refused):
        item.answer.set_exception(handled)
    else:
        item.answer.set_result(handled)
