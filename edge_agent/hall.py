"""The single writer of a hall: command -> decide -> journal -> evolve -> everybody who listens.

Commands that arrive while a commit is under way are decided together and share the next commit.
Nobody hears of a fact, and no answer leaves, before it is on disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from edge_agent.bell import Bell
from edge_agent.journal import Journal, WishCursor
from edge_agent.storage import Storage, StorageState
from hall_core.clock import Clock, SteadyTime
from hall_core.errors import JournalBroken, Refused, StorageUnavailable
from hall_core.queueing.commands import Command, IssueTicket, OpenBusinessDay
from hall_core.queueing.decide import Circumstances, decide, known, refusal
from hall_core.queueing.evolve import Draft
from hall_core.queueing.facts import Fact
from hall_core.queueing.queue import Queue
from hall_core.schedule.business_day import business_day

__all__ = ["Change", "Hall", "Handled"]

T = TypeVar("T")

#: a first fact that lies so far in the future was written under a clock that nobody had set
BEGUN_AHEAD = timedelta(days=1)
#: pages are told that the disk has failed before the program ends
FAREWELL_S = 0.5


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
    """Hands commands to the queue one after the other. `listeners` hear every commit, in order.

    `by_hall` names the tickets whose holders the hall itself tells by short message now. `storage` says
    whether numbers can be stored; while they cannot, none is given.
    """

    def __init__(
        self, journal: Journal, clock: Clock, tz: str, bell: Bell, storage: Storage | None = None
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.storage = storage or Storage()
        self.queue = journal.queue()
        self.wishes = journal.wishes()
        self.bell = Bell(also=bell)
        self.listeners: list[Callable[[Change], None]] = []
        self.by_hall: Callable[[], frozenset[str]] = frozenset
        self._zone = ZoneInfo(tz)
        self.time = SteadyTime(clock, journal.last_at())
        self._inbox: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")

    def now(self) -> datetime:
        """The hall's local time; it never runs backwards."""
        return self.time.now().astimezone(self._zone)

    async def handle(self, command: Command, wish: WishCursor | None = None) -> Handled:
        """Decide and store one command. Raises the `Refused` it met; then nothing was changed.

        With a `wish` its position is stored along, and a refusal becomes a fact for the controller.
        """
        if self.storage.state is StorageState.BROKEN:
            raise StorageUnavailable
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
                await self._handle_all(waiting)
        except JournalBroken:
            self.storage.broken()
            self._refuse_rest()
            await asyncio.sleep(FAREWELL_S)
            raise
        finally:
            self._disk.shutdown(wait=True)
            self._refuse_rest()

    async def keep_day(self) -> None:
        """Open the business day when the clock says so, also while nobody asks for anything."""
        while True:
            # A full disk refuses the day as well: it is opened when there is room.
            with suppress(StorageUnavailable):
                await self.open_day()
            await asyncio.sleep(15)

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Do this with the journal where it is written: between two commits. Raises what a commit raises."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._disk, work)
        except JournalBroken:
            self.storage.broken()
            raise

    @property
    def begun_ahead(self) -> bool:
        """True when this journal began, under a clock nobody had set, at a time that is still to come: its
        day could never be put right, and it has given no number to anybody.
        """
        ahead = self.clock.trusted() and self.time.ahead > BEGUN_AHEAD
        return ahead and self.journal.gave_none

    async def open_day(self) -> None:
        """Open the day the clock shows, where it may. Raises JournalBroken when this journal cannot go on."""
        if self.begun_ahead:
            await self.on_disk(self.journal.give_up)
            msg = f"journal {self.journal.path} began under a wrong clock; at the next start a new one begins"
            raise JournalBroken(msg)
        today = self._today()
        if today is not None:
            await self.handle(today)

    def _today(self) -> OpenBusinessDay | None:
        # The day follows a clock that is believed, also while facts wait for it to reach the last one's time.
        trusted, queue = self.clock.trusted(), self.queue
        shown = self.clock.now().astimezone(self._zone) if trusted else self.now()
        day = business_day(queue.day, shown.date(), trusted=trusted, trusted_day=queue.trusted_day)
        wanted = OpenBusinessDay(day=day, trusted=trusted)
        return wanted if queue.setup and day != queue.day else None

    async def _handle_all(self, waiting: Sequence[_Waiting]) -> None:
        batch = self._decide_all(waiting)
        try:
            await self._commit(batch)
        except StorageUnavailable as error:
            if not self.storage.full():
                self._refuse(waiting, error)
                return
            # The reserve is free now: enough for everything but new numbers.
            try:
                await self._commit(self._decide_all(waiting))
            except StorageUnavailable as again:
                self._refuse(waiting, again)

    def _refuse_rest(self) -> None:
        while not self._inbox.empty():
            self._refuse([self._inbox.get_nowait()], StorageUnavailable())

    @staticmethod
    def _refuse(waiting: Sequence[_Waiting], error: Refused) -> None:
        for item in waiting:
            _answer(item, error)

    def _decide_all(self, waiting: Sequence[_Waiting]) -> _Batch:
        batch = _Batch(Draft.of(self.queue))
        around = Circumstances(self.now(), self.journal.stream, self.by_hall())
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
        queue, stuck = batch.draft.queue(), self.storage.state is not StorageState.OK
        # Who asks again for a number that is stored gets it; there are no new ones.
        if stuck and isinstance(command, IssueTicket) and not known(queue, command):
            raise StorageUnavailable
        facts = decide(queue, command, around)
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
            except JournalBroken:
                for item, _ in batch.answers:
                    _answer(item, StorageUnavailable())
                raise
            self.queue, self.wishes = batch.draft.queue(), batch.wish or self.wishes
            for fact in batch.facts[-1:]:
                self.time.written(fact.at)
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
