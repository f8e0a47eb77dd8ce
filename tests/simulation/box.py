"""One hall box: a card, a clock, a line to the broker, and the agent's programs on it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from edge_agent.bell import Bell
from edge_agent.box_care import go_on_from
from edge_agent.hall import Change, Hall, Handled
from edge_agent.mirror import Mirror
from edge_agent.settings import AgentSettings
from edge_agent.site import SiteFile
from edge_agent.uplink import Identity, Uplink
from hall_core.errors import JournalBroken, StorageUnavailable
from hall_core.queueing.commands import Command, ConfigureHall
from hall_core.queueing.facts import Fact, fact_adapter
from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import HallSetup
from tests.simulation.clock import SimClock
from tests.simulation.disk import Disk
from tests.simulation.loop import Gone, Program, VirtualLoop, settle
from tests.simulation.network import Broker, Line, SimClient, client_maker

SETTINGS = AgentSettings.model_construct(
    hall=Path("hall.yaml"), data=Path(), broker="mqtt://127.0.0.1:1883", mqtt="5"
)


class NoDevices:
    """This hall has none: what they show is tested elsewhere."""

    def __init__(self) -> None:
        self.bell = Bell()

    def reports(self) -> list[Any]:
        return []


@dataclass(slots=True)
class Life:
    """One incarnation: what its box has told anybody, devices and people alike."""

    stream: str
    box: str
    facts: list[Fact] = field(default_factory=list)
    queues: list[tuple[float, Queue]] = field(default_factory=list)
    #: so many facts were on the box's stick when it lost its current
    mirrored: int = 0
    #: on the card and perhaps sent, when the program died before it had told anybody in the hall
    unheard: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Around:
    """What a box needs of the world it stands in."""

    loop: VirtualLoop
    broker: Broker
    setup: HallSetup
    new_id: Callable[[], str]
    say: Callable[..., None]
    wrong: Callable[[str, str], None]
    lives: dict[str, Life]


class Stick:
    """A hall's second copy of the journal: it is in one box, and moves to the box that takes its place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()


class Box:
    """`hall` is there while its program runs and is prepared."""

    #: the hall's second copy of the journal, while it is in this box
    stick: Stick | None = None

    def __init__(self, name: str, around: Around, clock: SimClock, folder: Path, rng: Random) -> None:
        self.name, self.clock, self.rng = name, clock, rng
        self.line = Line(name)
        self.disk = Disk(folder, rng)
        self.unplugged = False
        self.slow_s = 0.002
        self.hall: Hall | None = None
        self.uplink: Uplink | None = None
        self.mirror: Mirror | None = None
        self.program: Program | None = None
        self._around = around
        self._client: list[SimClient] = []
        self._writing: Callable[[], Any] | None = None
        self.life = Life("", name)

    @property
    def running(self) -> bool:
        return self.program is not None and self.program.alive

    @property
    def _connected(self) -> SimClient | None:
        return self._client[0] if self._client else None

    def start(self) -> None:
        """The program begins; a card that cannot be opened ends it at once."""
        if self.running or self.unplugged:
            return
        around = self._around
        stamp = self.clock.now().strftime("%Y%m%dT%H%M%S")
        journal = self.disk.open(around.new_id(), f"{stamp}-{around.new_id()}")
        if self.stick:
            try:
                told = (self.stick.folder, around.setup.hall, journal, self.clock)
                self.disk.run(go_on_from, told)
            except JournalBroken:
                self.disk.crash(power=False, work=None)
                around.loop.call_later(5.0, self.start)
                return
        self._remember(journal.stream)
        program = Program(self.name, around.loop)
        program.work = self._work
        self.program = program
        bell = Bell()
        try:
            hall = Hall(journal, self.clock, around.setup.tz, bell)
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is a broken promise
            around.wrong("program", f"{self.name} cannot read its journal: {error!r}")
            return
        hall.listeners.append(self._changed)
        self.life.queues.append((around.loop.time(), hall.queue))
        uplink = Uplink(
            hall,
            NoDevices(),
            SiteFile(self.disk.folder / "site.json", ""),
            SETTINGS,
            who=Identity(around.setup.hall, "sim"),
            jitter=self.rng.random,
            bell=bell,
        )
        uplink.client = client_maker(around.broker, self.line, program, self._client)
        self.mirror = Mirror(self.stick.folder, hall, around.setup.hall) if self.stick else None
        around.say("start", self.name, f"boot {journal.boot}, {journal.last} facts")
        main = program.spawn(self._main(hall, uplink), f"{self.name} main")
        main.add_done_callback(lambda task: self._ended(program, task))

    async def _main(self, hall: Hall, uplink: Uplink) -> None:
        """As `edge_agent.app` puts its parts together."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hall.run(), name="hall")
            if hall.queue.setup != self._around.setup:
                await hall.handle(ConfigureHall(setup=self._around.setup))
            await hall.open_day()
            self.hall, self.uplink = hall, uplink
            tasks.create_task(hall.keep_day(), name="hall.day")
            tasks.create_task(uplink.run(), name="uplink")
            if self.mirror:
                tasks.create_task(self.mirror.run(), name="mirror")

    def _ended(self, program: Program, task: asyncio.Task[None]) -> None:
        """Only a broken or full card may end it, and then it is started again."""
        if self.program is not program or not program.alive:
            if not task.cancelled():
                task.exception()
            return
        error = None if task.cancelled() else task.exception()
        expected = (
            isinstance(error, BaseExceptionGroup)
            and error.split((JournalBroken, StorageUnavailable))[1] is None
        )
        if not expected:
            self._around.wrong("program", f"{self.name} ended by itself: {error!r}")
        self._around.say("ended", self.name, type(_first(error)).__name__)
        self.kill(power=False)
        self._around.loop.call_later(5.0, self.start)

    def kill(self, *, power: bool) -> None:
        """SIGKILL, or the current fails: nothing more leaves the box, and its memory is gone."""
        if self.program is None:
            return
        self.program.kill()
        if self._connected is not None:
            self._connected.die(power=power)
        if self.mirror:
            self.life.mirrored = max(self.life.mirrored, self.mirror.last)
        self.life.unheard = self.disk.bodies(after=len(self.life.facts))
        self.disk.crash(power=power, work=self._writing)
        self._writing = None
        self.program = self.hall = self.uplink = self.mirror = None
        self._client.clear()

    def _work(self, answer: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """A commit takes time on both sides of the moment at which it is on the card."""
        program, loop = self.program, self._around.loop
        before, after = (self.rng.uniform(0, self.slow_s) for _ in range(2))

        def write() -> None:
            if program is None or not program.alive:
                return
            self._writing = None
            done = loop.create_future()
            settle(done, self.disk.run, (func, args))
            loop.call_later(after, tell, done)

        def tell(done: asyncio.Future[Any]) -> None:
            error = done.exception()
            if program is None or not program.alive or answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(done.result())

        self._writing = lambda: func(*args)
        loop.call_later(before, write)

    def _changed(self, change: Change) -> None:
        """What every device and page of the hall hears: from here on it has happened."""
        assert self.program is not None
        if self.program.alive:
            self.life.facts += change.facts
            self.life.queues.append((self._around.loop.time(), change.after))

    def _remember(self, stream: str) -> None:
        """What was told must be on the card; a commit nobody heard of may be there too."""
        around = self._around
        life = around.lives.get(stream)
        if life is None:
            life = around.lives[stream] = Life(stream, self.name)
        self.life, life.unheard = life, []
        stored = self.disk.bodies()
        told = [fact.model_dump_json(exclude_none=True) for fact in life.facts]
        if stored[: len(told)] != told:
            at = next((i for i, (a, b) in enumerate(zip(stored, told, strict=False)) if a != b), len(stored))
            around.wrong("durable", f"{self.name}: fact {at + 1} of {len(told)} told is not on the card")
            del life.facts[at:]
        life.facts += [fact_adapter.validate_json(body) for body in stored[len(life.facts) :]]

    async def handle(self, command: Command) -> Handled:
        """Ask the hall something, as its pages do. Raises Gone, or the Refused it met."""
        if self.hall is None or self.program is None:
            raise Gone
        return await self.program.call(self.hall.handle(command))

    def now(self) -> datetime:
        return self.clock.now()


def _first(error: BaseException | None) -> BaseException | None:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
