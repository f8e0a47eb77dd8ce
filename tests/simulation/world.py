"""One world: a hall, its box, a broker, a controller, people, and what goes wrong; all from one seed."""

import asyncio
import gc
import hashlib
import logging
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from controller.use_cases.context import Context
from edge_agent.hall import Hall
from hall_core.errors import Refused
from hall_core.queueing.numbering import next_number
from hall_core.queueing.setup import CounterSetup, HallSetup, ServiceSetup
from hall_core.queueing.summary import state_hash
from hall_core.schedule.hours import Hours
from tests.simulation import invariants
from tests.simulation.box import Around, Box, Life, Stick
from tests.simulation.centre import Centre
from tests.simulation.clock import SimClock, TrueTime
from tests.simulation.faults import CALM, STARTS, ZONES, Climate, Faults
from tests.simulation.loop import VirtualLoop, virtual_loop
from tests.simulation.network import Broker
from tests.simulation.people import People

STEPS = 64
#: what a box shows that nobody has told the time
UNSET = (*STARTS, datetime(1970, 1, 1, 0, 2, tzinfo=UTC), datetime(2040, 5, 5, tzinfo=UTC))
#: after the last fault everything must be in order within so long
HEAL_S = 240.0
#: a page that does not call itself stale shows what was true so long ago at most
CURRENT_S = 150.0


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: which, and how it showed."""

    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass(slots=True)
class Result:
    """What came of a seed."""

    seed: int
    violations: list[Violation]
    history: list[tuple[float, tuple[str, ...]]]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Equal for equal histories."""
        return hashlib.sha256(repr((self.history, self.violations)).encode()).hexdigest()[:16]


def hall_setup(tz: str) -> HallSetup:
    return HallSetup(
        hall="haitang",
        name="海棠街道便民服务中心",
        level="street",
        tz=tz,
        hours=Hours.always(),
        services=(
            ServiceSetup(id="household", name="户籍业务", prefix="A"),
            ServiceSetup(id="tax", name="税务业务", prefix="B"),
        ),
        counters=(
            CounterSetup(id="1", name="1号窗口", services=("household", "tax")),
            CounterSetup(id="2", name="2号窗口", services=("household",)),
            CounterSetup(id="3", name="3号窗口", services=("tax",)),
        ),
    )


class World:
    """Builds everything, lets it run, heals it, and asks whether the promises were kept."""

    def __init__(self, seed: int, steps: int, loop: VirtualLoop, folder: Path) -> None:
        self.seed, self.loop, self._folder = seed, loop, folder
        self.rng = Random(seed)
        self.climate = Climate.of(self._rng("climate"), steps)
        self.true = TrueTime(loop, self.rng.choice(STARTS))
        self.setup = hall_setup(self.rng.choice(ZONES))
        self.services = [s.id for s in self.setup.services]
        self.counters = [x.id for x in self.setup.counters]
        self.broker = Broker(loop, self._rng("network"), CALM)
        self.history: list[tuple[float, tuple[str, ...]]] = []
        self.violations: list[Violation] = []
        self.lives: dict[str, Life] = {}
        self.cursors: dict[str, int] = {}
        self.stale_looks = 0
        #: some clock was wrong and believed
        self.lied = False
        self._ids = 0
        self.around = Around(loop, self.broker, self.setup, self.new_id, self.say, self.wrong, self.lives)
        self.centre = Centre(self.around, SimClock(self.true), folder / "centre", self._rng("centre"))
        self.boxes: list[Box] = []
        self.box = self._new_box()
        if self._rng("stick").random() < 0.75:
            self.box.stick = Stick(folder / "stick")
        self.people = People(self, self._rng("people"))
        self.faults = Faults(self, self._rng("faults"))

    def _rng(self, name: str) -> Random:
        """One stream of chance for each part: a change in one does not change the others."""
        return Random(f"{self.seed} {name}")

    def new_id(self) -> str:
        """Ids rise with time, as ULIDs do."""
        self._ids += 1
        return f"id{self._ids:08d}"

    def say(self, *what: str) -> None:
        self.history.append((round(self.loop.time(), 6), what))

    def wrong(self, code: str, text: str) -> None:
        self.violations.append(Violation(code, text))
        self.say("VIOLATION", code, text)

    def _new_box(self) -> Box:
        name = f"box{len(self.boxes) + 1}"
        box = Box(name, self.around, SimClock(self.true), self._folder / name, self._rng(name))
        self.boxes.append(box)
        return box

    def _unset(self, box: Box, rng: Random) -> None:
        """No clock battery, and nobody has told it the time yet."""
        box.clock.show(rng.choice(UNSET), trusted=False)
        self.loop.call_later(rng.uniform(1, 60), box.clock.correct)

    async def run(self) -> None:
        """The whole history."""
        self.loop.set_exception_handler(self._unhandled)
        self.centre.enrol(self.setup)
        self.centre.start()
        first = self._rng("first box")
        if first.random() < 0.1:
            self._unset(self.box, first)
        self.box.start()
        chance = self._rng("steps")
        await asyncio.sleep(chance.choice([0.1, 5.0]))
        for step in range(self.climate.steps):
            await asyncio.sleep(self.climate.wait(chance))
            if not self.faults.perhaps():
                self.people.anything()
            if step % 16 == 0:
                self._look_at_cursors()
        self._heal()
        await self._settle()
        self.close()

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.wrong("program", f"{context['message']}: {context.get('exception')!r}")

    def _look_at_cursors(self) -> None:
        """I7: what was applied once stays applied: facts at the centre, wishes in the hall."""
        found = {f"facts of {row['stream']}": row["applied"] for row in self.centre.rows("STREAMS")}
        for box in self.boxes:
            if box.hall is not None and box.hall.wishes is not None:
                cursor = box.hall.wishes
                found[f"wishes {cursor.stream} in {box.life.stream}"] = cursor.applied
        for name, applied in found.items():
            if applied < self.cursors.get(name, 0):
                self.wrong("I7", f"{name} fell from {self.cursors[name]} to {applied}")
            self.cursors[name] = applied

    def look(self, view: dict[str, Any]) -> None:
        """Nothing wrong is shown as current: what a page says was true not long ago."""
        if view["stale"]:
            self.stale_looks += 1
            return
        if (view["series"], view["state"]) == ("offline", "cancelled"):
            return  # its own citizen has given it up; the hall hears of it
        now, ticket_id = self.loop.time(), view["ticket_id"]
        states: list[str] = []
        for life in self.lives.values():
            since = max(0, bisect_left(life.queues, now - CURRENT_S, key=lambda pair: pair[0]) - 1)
            found = [q.tickets[ticket_id] for _, q in life.queues[since:] if ticket_id in q.tickets]
            states += [ticket.state.value for ticket in found]
        here = self.box.life.queues[-1][1].tickets if self.box.life.queues else {}
        if ticket_id in here and view["state"] not in states:
            self.wrong("current", f"{view['label']} is shown {view['state']}, it is {states[-1]}")

    def replace(self, zombie_after: float | None) -> None:
        """The card is dead: another box stands there. The old one may be plugged in again later."""
        old = self.box
        self.say("replaced", old.name)
        old.kill(power=True)
        old.unplugged = True
        self.box = self._new_box()
        self.box.stick, old.stick = old.stick, None
        if self.faults.rng.random() < 0.3:
            self._unset(self.box, self.faults.rng)
        self.loop.call_later(self.faults.rng.uniform(0.5, 5), self.box.start)
        if zombie_after is not None:
            self.loop.call_later(zombie_after, self._zombie, old)

    def _zombie(self, old: Box) -> None:
        # Of a box it never heard of the controller cannot know that it was replaced before it came.
        known = any(row["stream"] == old.life.stream for row in self.centre.rows("STREAMS"))
        if self.faults._over or not known:
            return
        self.say("returned", old.name)
        old.unplugged = False
        old.start()
        for _ in range(3):
            self.people.take(old)
        self.loop.call_later(self.faults.rng.uniform(5, 60), self._unplug, old)

    def _unplug(self, old: Box) -> None:
        old.kill(power=True)
        old.unplugged = True
        self.say("unplugged", old.name)

    def _heal(self) -> None:
        """No fault any more: lines, broker, programs, clocks, cards."""
        self.say("healed")
        self.faults.stop()
        self.broker.weather = CALM
        if not self.broker.up:
            self.broker.restart()
        for box in self.boxes:
            if box is not self.box:
                self._unplug(box)
        for line in (self.box.line, self.centre.line):
            line.up = line.down = True
            self.broker.healed(line)
        self.box.clock.correct()
        self.centre.clock.correct()
        self.centre.gateway.steady = True
        self.box.disk.make_room()
        self.box.slow_s = 0.002
        self.centre.start()
        self.box.start()

    async def _settle(self) -> None:
        """Quiet, then everything must be in order; then the hall must be able to go on."""
        if why := await self._in_order_within(HEAL_S):
            self.wrong("I11", f"{HEAL_S:.0f} s after the last fault: {why}")
        else:
            await self._goes_on()
        self._look_at_cursors()
        invariants.check(self)

    async def _in_order_within(self, seconds: float) -> str:
        """What is still not in order then; empty as soon as everything is."""
        for _ in range(round(seconds)):
            if not self._unsettled():
                return ""
            await asyncio.sleep(1.0)
        return self._unsettled()

    def _unsettled(self) -> str:
        """What is not in order yet."""
        hall, uplink, context = self.box.hall, self.box.uplink, self.centre.context
        if hall is None or uplink is None or context is None:
            return "a program does not run"
        linked = {c.line.name for c in self.broker.connections if c.client_open}
        if not {self.box.name, "centre"} <= linked:
            return f"only {sorted(linked)} are connected to the broker"
        if self.people.busy:
            waiting = next(iter(self.people.busy)).get_name()
            return f"{len(self.people.busy)} requests without an answer, such as {waiting}"
        if uplink.unsynced:
            return f"the hall has {uplink.unsynced} unacknowledged facts, connected {uplink.connected}"
        return self._unknown(hall, context) or self._numberless(hall)

    def _unknown(self, hall: Hall, context: Context) -> str:
        """What the controller does not know yet, or has not done."""
        known = context.live.by_id(self.setup.hall)
        if known is None or known.stream != hall.journal.stream or not known.online:
            found = f"box {known.stream}, connected {known.online}" if known else "nothing"
            return f"the controller knows {found}; the hall's box is {hall.journal.stream}"
        behind = [w for w in self.centre.rows("WISH_STREAMS") if w["incarnation"] == known.incarnation]
        if not behind or behind[-1]["acked"] != behind[-1]["last"]:
            return "wishes are not acknowledged"
        # Times that were written down by a wrong clock may lie years ahead.
        states = self.centre.notice_states()
        if not self.centre.clock.was_wrong and states & {"pending", "sending", "unknown"}:
            return "notices are under way"
        differ = state_hash(context.live.queue_of(known)) != state_hash(hall.queue)
        return "the pictures differ" if differ else ""

    def _numberless(self, hall: Hall) -> str:
        """For which line the box holds no numbers today."""
        try:
            for service in self.setup.services:
                day = hall.queue.day
                next_number(hall.queue, line=service.prefix, day=day, incarnation=hall.journal.stream)
        except Refused as error:
            return str(error)
        return ""

    async def _goes_on(self) -> None:
        """A number here, a number from outside, a call: within seconds, from the hall itself."""
        self.say("goes on")
        asked = [self.people.take(), self.people.take_online()]
        await asyncio.sleep(20)
        new = [self.people.told.labels.get(request, "nothing") for request in asked]
        if "nothing" in new or new[1].startswith("W"):
            self.wrong("I11", f"after healing the hall gives no numbers: {new}")
        queue = self.box.hall.queue if self.box.hall else None
        if queue is None or not queue.waiting:
            self.wrong("I11", "after healing nobody waits, though numbers were taken")
        if why := await self._in_order_within(60):
            self.wrong("I11", f"after going on: {why}")
            return
        # A last word of the controller's life before may have come late; the next acknowledgement is newer.
        self.people.take()
        await asyncio.sleep(5)
        if self.box.uplink is None or not self.box.uplink.connected:
            self.wrong("I11", "facts are acknowledged, and the box says that the controller is away")

    def close(self) -> None:
        """Everything is switched off."""
        for box in self.boxes:
            box.unplugged = True
            box.kill(power=False)
        self.centre.closed = True
        self.centre.kill(power=False)


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="qh-sim-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_WORLDS = [0]


@cache
def _freeze() -> None:
    """What is there before the first world stays: looking through it after each takes longer than the world."""
    gc.collect()
    gc.freeze()


@contextmanager
def _no_collection() -> Iterator[None]:
    """A history is short: its garbage is collected after it, and after every tenth is often enough."""
    _freeze()
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
        _WORLDS[0] += 1
        if _WORLDS[0] % 10 == 0:
            gc.collect()


def simulate(seed: int, *, steps: int = STEPS) -> Result:
    """The history of this seed."""
    quiet = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with _no_collection(), virtual_loop() as loop, _folder() as folder:
            world = World(seed, steps, loop, folder)
            try:
                loop.run_until_complete(world.run())
            finally:
                world.close()
                loop.run_until_complete(asyncio.sleep(0.1))
    finally:
        logging.disable(quiet)
    counts = {
        **world.faults.counts,
        "tickets": len(world.people.told.shown),
        "calls": world.people.told.calls,
    }
    counts |= {"looks": world.people.told.looks, "messages": world.broker.carried}
    counts["short messages"] = sum(world.centre.gateway.accepted.values())
    counts["facts"] = sum(len(life.facts) for life in world.lives.values())
    return Result(seed, world.violations, world.history, counts)
