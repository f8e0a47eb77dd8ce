"""Keeps one driver per device connected, shows it the present picture, hears its keys.

A device that comes back is repainted from the hall's state, so it never shows what was true before.
Devices do not know each other: a slow or dead one delays nobody but those on its own wire.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from edge_agent.bell import Bell
from edge_agent.hall import Change, Hall
from edge_agent.keys import command_for
from edge_agent.reactions import board_picture, counter_picture, screen_picture, slip, touched
from edge_agent.stopping import attempt
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    Capability,
    DeviceState,
    Evaluated,
    KeyPressed,
    Outcome,
    Picture,
    PrintTicket,
)
from hall_core.errors import DeviceError, DeviceRefused, DeviceUnreachable, Refused, SettingsInvalid
from hall_core.queueing.facts import TicketIssued
from hall_core.wire.envelope import DeviceReport

__all__ = ["DeviceKeeper", "Devices", "Opener"]

logger = logging.getLogger(__name__)

Opener = Callable[[DeviceSetup, Profile], AbstractAsyncContextManager[Driver]]

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 1.5
#: a slip nobody could print for so long is of no use: the number stands on the screen
PRINT_WITHIN_S = 30.0
#: how many print outcomes are remembered for the kiosk page
PRINTS_KEPT = 500
#: how often what depends on the clock alone is looked at
CLOCK_S = 15.0
_SHOWING = (
    Capability.CALL_DISPLAY,
    Capability.KEYPAD,
    Capability.TEXT,
    Capability.POWER,
    Capability.INDICATOR,
    Capability.EVALUATE,
)


@dataclass(frozen=True, slots=True)
class _Tools:
    hall: Hall
    opener: Opener
    new_id: Callable[[], str]
    jitter: Callable[[], float]
    bell: Bell


class DeviceKeeper:
    """One device: its link, its picture, its jobs, and what is known of it."""

    def __init__(self, setup: DeviceSetup, profile: Profile, tools: _Tools) -> None:
        self.setup, self.profile = setup, profile
        self.state, self.detail = DeviceState.UNKNOWN, ""
        self.since: datetime = tools.hall.now()
        self.outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self._tools = tools
        self._poke = asyncio.Event()
        self._jobs: asyncio.Queue[tuple[PrintTicket, float]] = asyncio.Queue()

    def can(self, capability: Capability) -> bool:
        """True when the profile has this capability."""
        return capability in self.profile.capabilities

    @property
    def shows(self) -> bool:
        """True for devices that show something or stand in some way."""
        return any(self.can(c) for c in _SHOWING)

    @property
    def of_the_hall(self) -> bool:
        """True for what shows the whole hall, or follows the clock."""
        return self.shows and self.setup.counter is None

    def poke(self) -> None:
        """Its picture may have changed."""
        self._poke.set()

    def print(self, job: PrintTicket) -> None:
        """Print a slip soon, or not at all."""
        deadline = self._tools.hall.clock.monotonic() + PRINT_WITHIN_S
        self._jobs.put_nowait((job, deadline))

    def report(self) -> DeviceReport:
        """What the hall knows of it now."""
        return DeviceReport(
            name=self.setup.name,
            kind=self.profile.kind,
            profile=self.profile.id,
            state=self.state.value,
            since=self.since.isoformat(),
            detail=self.detail,
            counter=self.setup.counter,
        )

    async def run(self) -> None:
        """Connect, serve, reconnect; for ever."""
        wait_s = FIRST_WAIT_S
        while True:
            began = self._tools.hall.clock.monotonic()
            try:
                await attempt(self._connect(), f"{self.setup.name}.link")
            except* (DeviceError, SettingsInvalid) as group:
                first: BaseException = group
                while isinstance(first, BaseExceptionGroup):
                    first = first.exceptions[0]
                self._tell(DeviceState.OFFLINE, str(first))
            if self._tools.hall.clock.monotonic() - began > 10:
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(wait_s * (0.5 + self._tools.jitter() / 2))
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _connect(self) -> None:
        async with self._tools.opener(self.setup, self.profile) as driver:
            await self._serve(driver)

    async def _serve(self, driver: Driver) -> None:
        health = await driver.probe()
        self._tell(health.state, health.detail)
        async with asyncio.TaskGroup() as tasks:
            name = self.setup.name
            tasks.create_task(self._probe(driver), name=f"{name}.probe")
            if self.shows:
                tasks.create_task(self._paint(driver), name=f"{name}.paint")
            if self.can(Capability.PRINT_TICKET):
                tasks.create_task(self._work(driver), name=f"{name}.jobs")
            if self.can(Capability.KEYPAD) or self.can(Capability.EVALUATE):
                tasks.create_task(self._listen(driver), name=f"{name}.keys")

    async def _probe(self, driver: Driver) -> None:
        missed = 0
        while True:
            await asyncio.sleep(self.profile.timing.probe_s)
            try:
                health = await driver.probe()
            except DeviceUnreachable:
                missed += 1
                if missed >= self.profile.timing.down_after:
                    raise
                continue
            missed = 0
            self._tell(health.state, health.detail)

    async def _paint(self, driver: Driver) -> None:
        shown: dict[str, Picture] = {}
        while True:
            self._poke.clear()
            changed = [p for p in self._pictures() if shown.get(p.kind) != p]
            for picture in changed:
                try:
                    await driver.show(picture)
                except DeviceRefused as error:
                    self._tell(DeviceState.DEGRADED, str(error))
                shown[picture.kind] = picture
            if not changed:
                await self._poke.wait()

    def _pictures(self) -> list[Picture]:
        """What it should show now, and how it should stand."""
        hall, counter = self._tools.hall, self.setup.counter
        pictures: list[Picture] = []
        if counter is not None:
            if counter in hall.queue.counters:
                waiting = self.can(Capability.KEYPAD)
                pictures.append(counter_picture(hall.queue, counter, hall.now(), waiting=waiting))
            return pictures
        if self.can(Capability.POWER):
            pictures.append(screen_picture(hall.queue, self.setup.screen, hall.now()))
        if self.can(Capability.CALL_DISPLAY) or self.can(Capability.TEXT):
            pictures.append(board_picture(hall.queue, hall.now()))
        return pictures

    async def _work(self, driver: Driver) -> None:
        clock = self._tools.hall.clock
        while True:
            job, deadline = await self._jobs.get()
            if clock.monotonic() > deadline:
                self._note(job, Outcome.EXPIRED)
                continue
            self._note(job, Outcome.UNCONFIRMED)  # stands when the link is lost half-way
            try:
                self._note(job, await driver.do(job))
            except DeviceRefused as error:
                self._note(job, Outcome.REJECTED)
                self._tell(DeviceState.DEGRADED, str(error))
            except DeviceUnreachable:
                self._note(job, Outcome.UNREACHABLE)
                self._jobs.put_nowait((job, deadline))
                raise

    def _note(self, job: PrintTicket, outcome: Outcome) -> None:
        self.outcomes[job.job_id] = outcome
        while len(self.outcomes) > PRINTS_KEPT:
            self.outcomes.popitem(last=False)
        self._tools.bell.ring()

    async def _listen(self, driver: Driver) -> None:
        async for event in driver.events():
            if not isinstance(event, KeyPressed | Evaluated) or self.setup.counter is None:
                logger.info("nobody asked device=%s event=%s", self.setup.name, event.kind)
                continue
            hall = self._tools.hall
            for command in command_for(event, self.setup.counter, hall.queue, self._tools.new_id):
                try:
                    await hall.handle(command)
                except Refused as error:
                    logger.info("refused device=%s wish=%s reason=%s", self.setup.name, command.kind, error)
                    break
            self.poke()

    def _tell(self, state: DeviceState, detail: str) -> None:
        if (state, detail) == (self.state, self.detail):
            return
        if state is not self.state:
            self.since = self._tools.hall.now()
            log = logger.warning if state is DeviceState.OFFLINE else logger.info
            log("device=%s state=%s detail=%s", self.setup.name, state.value, detail)
        self.state, self.detail = state, detail
        self._tools.bell.ring()


class Devices:
    """All devices of the box. `bell` rings when what is known of one has changed."""

    def __init__(
        self,
        hall: Hall,
        devices: list[tuple[DeviceSetup, Profile]],
        opener: Opener,
        *,
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        ticket_url: Callable[[str], str],
        bell: Bell,
    ) -> None:
        self.bell = Bell(also=bell)
        self._hall, self._ticket_url = hall, ticket_url
        tools = _Tools(hall, opener, new_id, jitter, self.bell)
        self.keepers = [DeviceKeeper(setup, profile, tools) for setup, profile in devices]
        self._showing = [k for k in self.keepers if k.shows]
        self._printers = [k for k in self.keepers if k.can(Capability.PRINT_TICKET)]
        hall.listeners.append(self.hear)

    async def run(self) -> None:
        """Keep all devices, and the key-pads' waiting counts fresh."""
        async with asyncio.TaskGroup() as tasks:
            for keeper in self.keepers:
                tasks.create_task(keeper.run(), name=f"device.{keeper.setup.name}")
            tasks.create_task(self._count_waiting(), name="devices.waiting")
            tasks.create_task(self._follow_the_clock(), name="devices.clock")

    def hear(self, change: Change) -> None:
        """A commit: poke what stands at the counters it touched, print the tickets it gave."""
        counters = touched(change.before, change.after)
        for keeper in self._showing:
            if keeper.setup.counter in counters or (keeper.of_the_hall and counters):
                keeper.poke()
        for fact in change.facts:
            if isinstance(fact, TicketIssued) and fact.channel == "kiosk":
                printer = self._printer()
                if printer:
                    printer.print(slip(change.after, fact, self._ticket_url(fact.token)))

    def outcome(self, job_id: str) -> str | None:
        """What came of a slip: pending, one of the outcomes, or None where nothing prints."""
        if not self._printers:
            return None
        for keeper in self._printers:
            if job_id in keeper.outcomes:
                return keeper.outcomes[job_id].value
        return "pending"

    def reports(self) -> list[DeviceReport]:
        """All devices as the hall knows them."""
        return [k.report() for k in self.keepers]

    def _printer(self) -> DeviceKeeper | None:
        working = [k for k in self._printers if k.state is not DeviceState.OFFLINE]
        return next(iter(working or self._printers), None)

    async def _follow_the_clock(self) -> None:
        """Opening hours and the end of "just called" come without any commit."""
        while True:
            await asyncio.sleep(CLOCK_S)
            for keeper in self._showing:
                if keeper.of_the_hall:
                    keeper.poke()

    async def _count_waiting(self) -> None:
        pads = [k for k in self._showing if k.can(Capability.KEYPAD)]
        seen = 0
        while pads:
            seen = await self._hall.bell.wait_past(seen)
            for keeper in pads:
                keeper.poke()
            await asyncio.sleep(0.5)  # counts may lag a little: calls must not wait behind them
