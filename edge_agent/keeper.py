"""Keeps one driver of one device connected, shows it the picture, does its jobs, hears it.

A device that comes back is repainted from the hall's state, so it never shows what was true before.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from edge_agent.bell import Bell
from edge_agent.hall import Hall
from edge_agent.jobs import Jobs
from edge_agent.reactions import board_picture, counter_picture, lock_picture, screen_picture
from edge_agent.stopping import attempt
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    Assurance,
    Capability,
    DeviceEvent,
    DeviceState,
    Job,
    Outcome,
    Picture,
    SelfTested,
    Sensed,
)
from hall_core.errors import DeviceError, DeviceRefused, DeviceUnreachable, SettingsInvalid
from hall_core.wire.envelope import DeviceReport

__all__ = ["DeviceKeeper", "Opener", "Tools"]

logger = logging.getLogger(__name__)

Opener = Callable[[DeviceSetup, Profile], AbstractAsyncContextManager[Driver]]

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 1.2
#: a device that was silent once is looked at again so soon (s)
AGAIN_S = 1.0
_SHOWING = (
    Capability.CALL_DISPLAY,
    Capability.KEYPAD,
    Capability.TEXT,
    Capability.POWER,
    Capability.INDICATOR,
    Capability.EVALUATE,
    Capability.LOCK,
)
_WORKING = (
    Capability.PRINT_TICKET,
    Capability.PAGE_USER,
    Capability.SMS_CHANNEL,
    Capability.RESTART,
    Capability.SELF_TEST,
)
_SAYING = (
    Capability.KEYPAD,
    Capability.EVALUATE,
    Capability.CARD_READ,
    Capability.SCAN_CODE,
    Capability.SENSOR,
    Capability.SELF_TEST,
)
_SURENESS = (Assurance.NONE, Assurance.ACK, Assurance.READBACK)


@dataclass(frozen=True, slots=True)
class Tools:
    """What every keeper works with. `bell` rings when what is known of a device has changed; `hear` takes
    what a device says, `ended` hears how each job ended.
    """

    hall: Hall
    opener: Opener
    jitter: Callable[[], float]
    bell: Bell
    hear: Callable[[DeviceSetup, DeviceEvent], Awaitable[None]]
    ended: Callable[[Job, Outcome], None]


class DeviceKeeper:
    """One device: its link, its picture, its jobs, and what is known of it."""

    def __init__(self, setup: DeviceSetup, profile: Profile, tools: Tools) -> None:
        self.setup, self.profile = setup, profile
        self.state, self.detail = DeviceState.UNKNOWN, ""
        self.since: datetime = tools.hall.now()
        self.outcome: Outcome | None = None
        self.outcome_at: datetime | None = None
        self.values: dict[str, float] = {}
        self.tested: SelfTested | None = None
        self.jobs = Jobs(tools.hall.clock, self._ended)
        self._tools = tools
        self._poke = asyncio.Event()
        self._shown: dict[str, Picture] = {}
        #: kinds of pictures it has refused: something else stands there
        self._refused: set[str] = set()

    def can(self, capability: Capability) -> bool:
        """True when the profile has this capability."""
        return capability in self.profile.capabilities

    @property
    def shows(self) -> bool:
        """True for devices that show something or stand in some way."""
        return any(self.can(c) for c in _SHOWING)

    @property
    def works(self) -> bool:
        """True for devices that take jobs."""
        return any(self.can(c) for c in _WORKING)

    @property
    def follows_the_clock(self) -> bool:
        """True for what must change although nobody did anything."""
        return self.of_the_hall or self.can(Capability.EVALUATE)

    @property
    def of_the_hall(self) -> bool:
        """True for what shows the whole hall."""
        return self.shows and self.setup.counter is None

    @property
    def assurance(self) -> Assurance:
        """How sure we can be of what it was told, at its weakest."""
        told = [a for c, a in self.profile.capabilities.items() if c in (*_SHOWING, *_WORKING)]
        return min(told or list(self.profile.capabilities.values()), key=_SURENESS.index)

    def poke(self) -> None:
        """Its picture may have changed."""
        self._poke.set()

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
            assurance=self.assurance.value,
            outcome=self.outcome.value if self.outcome else None,
            outcome_at=self.outcome_at.isoformat() if self.outcome_at else None,
            values=dict(self.values),
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
            self.jobs.drop_old()
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
            if self.works:
                tasks.create_task(self._work(driver), name=f"{name}.jobs")
            if any(self.can(c) for c in _SAYING):
                tasks.create_task(self._listen(driver), name=f"{name}.keys")

    async def _probe(self, driver: Driver) -> None:
        missed = 0
        while True:
            probe_s = self.profile.timing.probe_s
            await asyncio.sleep(min(probe_s, AGAIN_S) if missed else probe_s)
            try:
                health = await driver.probe()
            except DeviceUnreachable:
                missed += 1
                if missed >= self.profile.timing.down_after:
                    raise
                continue
            missed = 0
            if self._in_doubt(health.state):
                self._shown.clear()
                self.poke()
            if not self._refused or health.state in (DeviceState.OFFLINE, DeviceState.DEGRADED):
                self._tell(health.state, health.detail)

    async def _paint(self, driver: Driver) -> None:
        self._shown.clear()
        self._refused.clear()
        while True:
            self._poke.clear()
            changed = [p for p in self._pictures() if self._shown.get(p.kind) != p]
            for picture in changed:
                try:
                    self._came(await driver.show(picture))
                    self._refused.discard(picture.kind)
                except DeviceRefused as error:
                    self._refused.add(picture.kind)
                    self._came(Outcome.REJECTED)
                    self._tell(DeviceState.DEGRADED, str(error))
                except DeviceUnreachable:
                    self._came(Outcome.UNREACHABLE)
                    raise
                self._shown[picture.kind] = picture
            if not changed:
                await self._poke.wait()

    def _in_doubt(self, state: DeviceState) -> bool:
        """It came back over the same link, has refused a picture, or could say what it shows and did not."""
        away = (DeviceState.OFFLINE, DeviceState.UNKNOWN)
        back = self.state in away and state not in away
        sure = self.assurance is Assurance.READBACK
        doubtful = back or bool(self._refused) or (sure and self.outcome is Outcome.UNCONFIRMED)
        return self.shows and doubtful

    def _pictures(self) -> list[Picture]:
        """What it should show now, and how it should stand."""
        hall, counter = self._tools.hall, self.setup.counter
        pictures: list[Picture] = []
        if counter is not None:
            if counter in hall.queue.counters:
                waiting, rating = self.can(Capability.KEYPAD), self.can(Capability.EVALUATE)
                now = hall.now()
                pictures.append(counter_picture(hall.queue, counter, now, waiting=waiting, rating=rating))
            return pictures
        if self.can(Capability.POWER):
            pictures.append(screen_picture(hall.queue, self.setup.screen, hall.now()))
        if self.can(Capability.LOCK):
            pictures.append(lock_picture(self.setup.screen, hall.now()))
        if self.can(Capability.CALL_DISPLAY) or self.can(Capability.TEXT):
            pictures.append(board_picture(hall.queue, hall.now()))
        return pictures

    async def _work(self, driver: Driver) -> None:
        while True:
            job = await self.jobs.next()
            # stands when the link is lost half-way: nobody knows, and it is not done again
            outcome: Outcome | None = Outcome.UNCONFIRMED
            try:
                outcome = await driver.do(job)
            except DeviceRefused as error:
                outcome = Outcome.REJECTED
                self._tell(DeviceState.DEGRADED, str(error))
            except DeviceUnreachable:
                outcome = None
                self._came(Outcome.UNREACHABLE)
                self.jobs.again()
                raise
            finally:
                if outcome is not None:
                    self.jobs.end(job, outcome)

    def _ended(self, job: Job, outcome: Outcome) -> None:
        logger.info("device=%s job=%s id=%s outcome=%s", self.setup.name, job.kind, job.job_id, outcome.value)
        self._came(outcome)
        self._tools.ended(job, outcome)
        self._tools.bell.ring()

    async def _listen(self, driver: Driver) -> None:
        async for event in driver.events():
            if isinstance(event, Sensed):
                self._measured(event)
                continue
            if isinstance(event, SelfTested):
                self.tested = event
                self._tools.bell.ring()
                continue
            await self._tools.hear(self.setup, event)
            self.poke()

    def _measured(self, event: Sensed) -> None:
        if math.isfinite(event.value) and self.values.get(event.name) != event.value:
            self.values[event.name] = event.value
            self._tools.bell.ring()

    def _came(self, outcome: Outcome) -> None:
        """What came of the last thing it was told."""
        news = self.outcome is not outcome
        self.outcome, self.outcome_at = outcome, self._tools.hall.now()
        if news:
            self._tools.bell.ring()

    def _tell(self, state: DeviceState, detail: str) -> None:
        if (state, detail) == (self.state, self.detail):
            return
        if state is not self.state:
            self.since = self._tools.hall.now()
            log = logger.warning if state is DeviceState.OFFLINE else logger.info
            log("device=%s state=%s detail=%s", self.setup.name, state.value, detail)
        self.state, self.detail = state, detail
        self._tools.bell.ring()
