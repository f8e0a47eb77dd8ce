"""One cell of the fault matrix: a real hall with one simulated device that fails, and a healthy strip beside it.

Drivers, keepers, wires and their timing are those of a hall: what takes 15 s there takes 15 s here. That is why
all cells run at the same time.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn

from device_drivers import open_driver
from device_drivers.bus import BusPool, NamedScreens
from edge_agent.accounts import Accounts
from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.hall import Hall
from edge_agent.site import SiteFile
from edge_agent.web.app import web_app
from edge_agent.web.security import Guard
from edge_agent.web.view import View
from firmware_profiles import Shelf
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile, ScreenSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import Capability
from hall_core.queueing import commands as c
from hall_core.queueing.setup import CounterSetup
from simulators.broker import Broker
from simulators.demo_programs import free_port
from simulators.hall import SimulatedHall
from tests.edge_agent.conftest import hall_setup, running
from tests.journeys.faults_parts import HERE, DisplayPart, Part, Stage, part_for
from tests.local_broker import local_broker

__all__ = ["Cell", "Verdict", "judge", "judged"]

#: each profile is read once
SHELF = Shelf()
#: a call stands on a healthy strip within this time (s): generous, for all cells share two processors
USUAL_S = 3.0
#: what is wrong is told, and put right after its end, within this time (s)
SOON_S = 15.0
#: a device that lost its memory with its power shows the present again within this time (s)
REPAINT_S = 2.0
#: so many cells at the same time, and so many that begin at the same time: a new journal costs the disk
CROWD, DOORS = 100, 4
#: how often a cell is played where the machine itself stood still
TRIES = 3
#: how often the loop's own lateness is looked at (s)
LOOK_S = 0.02
#: what the device is called, and its login at the hall's broker
BOX = "box"
THERE, OTHERS = "2", "household"
HALL = hall_setup(
    counters=(
        CounterSetup(id=HERE, name="1号窗口", services=("social",)),
        CounterSetup(id=THERE, name="2号窗口", services=("household",)),
    )
)
#: a real lamp or panel takes long to wake: the simulated one need not
_QUICK = {"wakes_s": 2, "warming_s": 1, "cooling_s": 1}


@dataclass(frozen=True, slots=True)
class Cell:
    """One device model on one wire with one fault. `truth` are the states that may be told of it meanwhile."""

    profile: str
    scheme: str
    fault: str
    truth: frozenset[str]
    #: what is true stands on the device although the fault is there
    shown: bool = False
    #: the device cannot know that it shows something old: the next change puts it right
    unseen: bool = False
    #: where 15 s are not enough, and why
    told_s: float = SOON_S

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.profile}-{self.scheme}-{self.fault}"


@dataclass(slots=True)
class Verdict:
    """What went wrong in a cell; nothing when all is well."""

    complaints: list[str]


class Lag:
    """How long this program itself did not get the processor: that is not the hall's fault."""

    def __init__(self) -> None:
        self.total_s = 0.0
        #: (when, how late): all that was longer than a moment
        self.stalls: list[tuple[float, float]] = []

    def worst_since(self, began: float) -> float:
        """The longest stall since then (s)."""
        return max((late for at, late in self.stalls if at >= began), default=0.0)

    async def measure(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_S
            await asyncio.sleep(LOOK_S)
            late_s = loop.time() - due
            self.total_s += late_s
            if late_s > LOOK_S:
                self.stalls.append((loop.time(), late_s))


class Scene:
    """A cell at work."""

    def __init__(self, cell: Cell, sim: SimulatedHall, stage: Stage, part: Part, lag: "Lag") -> None:
        self.cell, self.sim, self.stage, self.part, self.lag = cell, sim, stage, part, lag
        self.complaints: list[str] = []
        self.states: set[str] = set()
        self.seen = stage.seen
        for device in sim.devices.values():
            device.watchers.add(lambda _device: self.seen.ring())

    @property
    def state(self) -> str:
        """What the hall tells of the device."""
        return str(self.stage.keeper.state)

    async def until(self, what: str, truth: Callable[[], bool], within_s: float) -> bool:
        """Wait for it; a complaint when it did not come in time."""
        began, late = self.stage.clock(), self.lag.total_s
        while not truth():
            if self.stage.clock() - began - (self.lag.total_s - late) > within_s:
                self.complain(f"{what}: not within {within_s:g} s ({self._now()})")
                return False
            await self._news()
            self.states.add(self.state)
        return True

    def complain(self, what: str) -> None:
        """Something is not as it should be."""
        self.complaints.append(what)

    def _now(self) -> str:
        return f"{self.state} {self.stage.keeper.detail!r}, shows {self.part.shows()}"

    async def _news(self) -> None:
        """Something is known or seen anew; a look now and then catches what rings no bell."""
        try:
            async with asyncio.timeout(0.5):
                await self.seen.wait_past(self.seen.count)
        except TimeoutError:
            return

    async def stays(self, allowed: frozenset[str]) -> None:
        """What is told stays true, also when the device is looked at once more."""
        until = self.stage.clock() + self.stage.keeper.profile.timing.probe_s + 1
        while self.stage.clock() < until:
            if self.state not in allowed:
                self.complain(f"told as {self._now()}, and nothing but {sorted(allowed)} is true")
                return
            await self._news()

    async def others_are_served(self) -> None:
        """The other counter calls; its strip shows it in the usual time."""
        label = await self.stage.call(THERE, OTHERS)
        strip = self.sim.devices["strip"]
        await self.until(f"{label} on the healthy strip", lambda: label in strip.shows()["text"], USUAL_S)


async def judged(cells: Iterable[Cell], folder: Path) -> dict[str, Verdict]:
    """Run all cells at the same time."""
    crowd, doors, lag = asyncio.Semaphore(CROWD), asyncio.Semaphore(DOORS), Lag()
    measuring = asyncio.create_task(lag.measure(), name="lag")

    async def one(number: int, cell: Cell) -> Verdict:
        # A device waits for its answer by the clock. Where this program stood still for longer than a good part
        # of that, nothing was measured: the cell is played again.
        patience_s = SHELF.load(cell.profile).timing.response_timeout_ms / 1000
        async with crowd:
            for n in range(TRIES):
                began = asyncio.get_running_loop().time()
                verdict = await _played(cell, folder / f"{number}-{n}", doors, lag)
                if not verdict.complaints or lag.worst_since(began) < patience_s / 4:
                    break
            return verdict

    listed = list(cells)
    found = await asyncio.gather(*(one(n, cell) for n, cell in enumerate(listed)))
    measuring.cancel()
    return {cell.name: verdict for cell, verdict in zip(listed, found, strict=True)}


async def _played(cell: Cell, folder: Path, doors: asyncio.Semaphore, lag: "Lag") -> Verdict:
    try:
        return Verdict(await judge(cell, folder, doors, lag))
    except Exception as error:  # noqa: BLE001 - a cell that breaks must not hide the others
        return Verdict([f"broke: {error!r} {_inner(error)}"])


def _inner(error: BaseException) -> str:
    return "; ".join(repr(e) for e in error.exceptions) if isinstance(error, BaseExceptionGroup) else ""


async def judge(cell: Cell, folder: Path, doors: asyncio.Semaphore, lag: Lag) -> list[str]:
    """Play one cell; what went wrong."""
    async with AsyncExitStack() as stack:
        async with doors:
            await asyncio.to_thread(folder.mkdir, parents=True)
            scene = await stack.enter_async_context(staged(cell, folder, lag))
        stage, part = scene.stage, scene.part
        if not await scene.until("ready", lambda: scene.state not in ("unknown", "offline"), SOON_S):
            return scene.complaints
        await part.move()
        if not await scene.until("present before the fault", part.present, SOON_S):
            return scene.complaints
        usual = scene.state
        allowed = cell.truth | ({usual} if "usual" in cell.truth else set())
        stage.sim.fault(cell.fault, 3600 if cell.fault == "power-cycle" else None)
        await scene.others_are_served()
        if cell.fault != "power-cycle" or not part.paints:
            await part.move()  # what lost its picture with its power gets the same one again
        await scene.others_are_served()
        await scene.until(f"told as {sorted(allowed)}", lambda: scene.state in allowed, cell.told_s)
        scene.states = {scene.state}
        if cell.shown:
            await scene.until("shown although it fails", part.present, SOON_S)
            if not scene.states <= allowed:
                scene.complain(f"it was told as {scene.states}, and nothing but {sorted(allowed)} is true")
        await scene.stays(allowed)
        if cell.shown:
            await part.move()
            await scene.until("shown once more", part.present, SOON_S)
        await scene.others_are_served()
        stage.sim.clear()
        back_s = REPAINT_S if cell.fault == "power-cycle" and scene.stage.keeper.profile.volatile else SOON_S
        if not part.paints or cell.unseen:
            await part.move()
            back_s = SOON_S
        await scene.until(f"present again after {cell.fault}", part.present, back_s)
        await scene.until(f"told as {usual} again", lambda: scene.state == usual, SOON_S)
        await part.move()
        await scene.until("working as before", part.present, SOON_S)
        return scene.complaints + part.wrong()


@asynccontextmanager
async def staged(cell: Cell, folder: Path, lag: Lag) -> AsyncIterator[Scene]:
    """The hall of a cell, with its devices connected."""
    clock, profile = SystemClock(), SHELF.load(cell.profile)
    kind, quick = part_for(profile), {k: v for k, v in _QUICK.items() if k in profile.options}
    async with AsyncExitStack() as stack:
        hall = await stack.enter_async_context(running(folder / "journal.db", clock, HALL))
        for counter in (HERE, THERE):
            await hall.handle(c.OpenCounter(counter=counter))
        plug = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        at_broker = cell.scheme.startswith("mqtt")
        broker = await stack.enter_async_context(local_broker(folder, BOX)) if at_broker else None
        here, there = _places(cell.scheme, folder, broker, plug.getsockname()[1])
        entry = {
            "name": BOX,
            "profile": cell.profile,
            "counter": kind.counter,
            "address": there,
            **kind.entry,
        }
        entry["options"] = entry.get("options", {}) | quick | _supply(profile, folder)
        strip = DeviceSetup(
            name="strip", profile="modbus.led-strip-generic", address="tcp://127.0.0.1:0", counter=THERE
        )
        layout = HallFile(hall=HALL, devices=(DeviceSetup.model_validate(entry), strip))
        sim = await stack.enter_async_context(SimulatedHall(layout, clock, SHELF))
        placed = [
            d.model_copy(update={"address": here if d.name == BOX and here else sim.devices[d.name].address})
            for d in layout.devices
        ]
        if kind is DisplayPart:
            wanted = ScreenSetup(input=sim.devices[BOX].shows()["input"])
            placed[0] = placed[0].model_copy(update={"screen": wanted})
        screens = NamedScreens(clock, lambda: hall.journal.last)
        buses = await stack.enter_async_context(BusPool(clock=clock, screens=screens))
        seen = Bell()
        devices = _devices(hall, placed, buses, folder, seen)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        keeping = tasks.create_task(devices.run(), name="devices")
        stack.callback(keeping.cancel)
        if cell.scheme == "web":
            await stack.enter_async_context(_pages(hall, devices, screens, folder, plug))
        keeper = devices.keeper(BOX)
        assert keeper is not None
        stage = Stage(hall, devices, sim.devices[BOX], keeper, seen)
        yield Scene(cell, sim, stage, kind(stage), lag)


def _places(scheme: str, folder: Path, broker: Broker | None, port: int) -> tuple[str, str]:
    """Where the hall finds the device (empty: where it is served), and what the device itself is told."""
    if scheme == "web":
        return f"web://{BOX}", f"web://{BOX}@127.0.0.1:{port}"
    if broker is not None:
        place = f"{BOX}/far" if scheme == "mqtt-box" else BOX
        return f"{broker.url('hall')}/{place}", f"{broker.url(BOX)}/{place}"
    if scheme == "dials":
        port = free_port()
        return f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port}"
    return "", f"serial://{folder}/line" if scheme == "serial" else f"{scheme}://127.0.0.1:0"


def _supply(profile: Profile, folder: Path) -> dict[str, Any]:
    """A terminal has a small UPS on a line of its own."""
    return {"ups": {"address": f"serial://{folder}/ups"}} if Capability.LOCK in profile.capabilities else {}


def _devices(hall: Hall, placed: list[DeviceSetup], buses: BusPool, folder: Path, seen: Bell) -> Devices:
    ids, chance = count(1), random.Random(str(folder))
    return Devices(
        hall,
        [(d, SHELF.load(d.profile)) for d in placed],
        lambda setup, profile: open_driver(setup, profile, buses, hall.clock),
        new_id=lambda: f"id-{next(ids)}",
        jitter=chance.random,
        ticket_url=SiteFile(folder / "site.json", "http://hall.example").ticket_url,
        bell=seen,
    )


@asynccontextmanager
async def _pages(
    hall: Hall, devices: Devices, screens: NamedScreens, folder: Path, plug: socket.socket
) -> AsyncIterator[None]:
    """The hall's pages on a real port, for browsers."""
    accounts = Accounts(folder / "accounts.json", hall.clock)
    site = SiteFile(folder / "site.json", "")
    view = View(hall, devices, None, site, Guard(accounts, "haitang"), hall.bell)
    ids = count(1)
    app = web_app(view, new_id=lambda: f"t-{next(ids)}", version="test", screens=screens)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[plug]), name="web")
        try:
            yield
        finally:
            view.stopping = True
            hall.bell.ring()
            server.should_exit = True
