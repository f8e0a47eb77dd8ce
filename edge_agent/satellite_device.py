"""Serves one device of a satellite box: shows the latest picture while its time lasts, does jobs once.

Without a picture that is still true the device is dark: whatever it showed in an earlier life, or
before the hall fell silent, is not shown as current.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from edge_agent.jobs import Jobs
from edge_agent.stopping import attempt
from hall_core.clock import Clock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    BoardPicture,
    Capability,
    CounterMode,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Job,
    Outcome,
    Picture,
)
from hall_core.errors import DeviceError, DeviceRefused, DeviceUnreachable, SettingsInvalid
from hall_core.wire.local import Do, Done, FarHealth, LocalLeaf, Show, Shown

__all__ = ["SatelliteDevice", "SatelliteTools", "Tell"]

logger = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 1.5
DETAILS_KEPT = 500
_SHOWING = {
    Capability.CALL_DISPLAY,
    Capability.KEYPAD,
    Capability.TEXT,
    Capability.INDICATOR,
    Capability.EVALUATE,
}
_WORKING = {Capability.PRINT_TICKET, Capability.PAGE_USER}
_SAYING = {
    Capability.KEYPAD,
    Capability.EVALUATE,
    Capability.CARD_READ,
    Capability.SCAN_CODE,
    Capability.SENSOR,
}
#: what a device shows that has not heard of the hall: nothing
_DARK: dict[str, Picture] = {
    "counter": CounterPicture(counter="", name="", mode=CounterMode.CLOSED, text=""),
    "board": BoardPicture(hall=""),
}

Answer = Shown | Done | FarHealth


class Tell(Protocol):
    """Sends what a device says to the hall box; never waits."""

    def __call__(self, device: str, leaf: LocalLeaf, message: Answer) -> None: ...


@dataclass(frozen=True, slots=True)
class SatelliteTools:
    """What every device of the box works with."""

    boot: str
    clock: Clock
    opener: Callable[[DeviceSetup, Profile], AbstractAsyncContextManager[Driver]]
    jitter: Callable[[], float]
    tell: Tell
    happened: Callable[[str, DeviceEvent], None]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture, from whom, and until when it is true."""

    picture: Picture
    of: str = ""
    n: int = 0
    until: float | None = None
    outcome: Outcome | None = None
    detail: str = ""


class SatelliteDevice:
    """One device: its link, its pictures, its jobs, and what is known of it."""

    def __init__(self, setup: DeviceSetup, profile: Profile, tools: SatelliteTools) -> None:
        self.setup, self.profile, self._tools = setup, profile, tools
        self.state, self.detail = DeviceState.UNKNOWN, ""
        self._capabilities = set(profile.capabilities)
        self._wanted = {k: _Wanted(p) for k, p in _DARK.items()} if self._capabilities & _SHOWING else {}
        self._jobs = Jobs(tools.clock, self._job_ended)
        self._details: OrderedDict[str, str] = OrderedDict()
        self._poke = asyncio.Event()

    def health(self) -> FarHealth:
        """How it is."""
        return FarHealth(boot=self._tools.boot, state=self.state, detail=self.detail)

    def show(self, show: Show, age_s: float) -> None:
        """From now on show this; the same picture again makes its time longer."""
        left_s = show.ttl_s - age_s
        kind = show.picture.kind
        known = self._wanted.get(kind)
        if left_s <= 0 or (known and known.of == show.boot and show.n < known.n):
            logger.info("picture too old device=%s n=%s", self.setup.name, show.n)
            return
        # how a screen stands stays; what it tells of calls does not
        until = None if kind == "screen" else self._tools.clock.monotonic() + left_s
        if known and (known.of, known.n) == (show.boot, show.n):
            self._wanted[kind] = replace(known, until=until)
            if known.outcome is not None:
                self._answer(self._wanted[kind])
        else:
            if kind in _DARK:
                for other in _DARK:
                    self._wanted.pop(other, None)
            self._wanted[kind] = _Wanted(show.picture, show.boot, show.n, until)
            if self.state is DeviceState.OFFLINE:
                self._answer(replace(self._wanted[kind], outcome=Outcome.UNREACHABLE, detail=self.detail))
        self._poke.set()

    def do(self, order: Do, age_s: float) -> None:
        """Do this once; told again, its outcome is told again. A job for an earlier life is left alone."""
        job_id = order.job.job_id
        if order.to != self._tools.boot:
            logger.warning("job of an earlier life left alone device=%s job=%s", self.setup.name, job_id)
            return
        ended = self._jobs.outcome(job_id)
        if ended is None:
            self._jobs.put(order.job, order.ttl_s - age_s)
            self._jobs.drop_old()
        elif ended != "pending":
            self._tell_done(job_id, Outcome(ended))

    async def run(self) -> None:
        """Connect, serve, reconnect; for ever."""
        wait_s, clock = FIRST_WAIT_S, self._tools.clock
        while True:
            began = clock.monotonic()
            try:
                await attempt(self._connect(), f"{self.setup.name}.link")
            except* (DeviceError, SettingsInvalid) as group:
                first: BaseException = group
                while isinstance(first, BaseExceptionGroup):
                    first = first.exceptions[0]
                self._note(DeviceState.OFFLINE, str(first))
            self._jobs.drop_old()
            if clock.monotonic() - began > 10:
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(wait_s * (0.5 + self._tools.jitter() / 2))
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _connect(self) -> None:
        async with self._tools.opener(self.setup, self.profile) as driver:
            health = await driver.probe()
            self._note(health.state, health.detail)
            async with asyncio.TaskGroup() as tasks:
                name = self.setup.name
                tasks.create_task(self._probe(driver), name=f"{name}.probe")
                tasks.create_task(self._paint(driver), name=f"{name}.paint")
                if self._capabilities & _WORKING:
                    tasks.create_task(self._work(driver), name=f"{name}.jobs")
                if self._capabilities & _SAYING:
                    tasks.create_task(self._listen(driver), name=f"{name}.events")

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
            self._note(health.state, health.detail)

    async def _paint(self, driver: Driver) -> None:
        painted: dict[str, Picture] = {}
        while True:
            self._poke.clear()
            self._lapse()
            painted = {k: p for k, p in painted.items() if k in self._wanted}
            fresh = [w for k, w in self._wanted.items() if painted.get(k) != w.picture or self._owes(w)]
            for wanted in fresh:
                kind = wanted.picture.kind
                if painted.get(kind) == wanted.picture:
                    self._came(wanted, Outcome.ACCEPTED)
                    continue
                await self._show(driver, wanted)
                painted[kind] = wanted.picture
            if not fresh:
                await self._until_poked()

    async def _show(self, driver: Driver, wanted: _Wanted) -> None:
        try:
            self._came(wanted, await driver.show(wanted.picture))
        except DeviceRefused as error:
            self._came(wanted, Outcome.REJECTED, str(error))
            if wanted.n:
                self._note(DeviceState.DEGRADED, str(error))
        except DeviceUnreachable as error:
            self._came(wanted, Outcome.UNREACHABLE, str(error))
            raise

    @staticmethod
    def _owes(wanted: _Wanted) -> bool:
        """True for a picture the hall was not answered for."""
        return bool(wanted.n) and wanted.outcome is None

    def _came(self, wanted: _Wanted, outcome: Outcome, detail: str = "") -> None:
        known = self._wanted.get(wanted.picture.kind)
        if not wanted.n or known is None or (known.of, known.n) != (wanted.of, wanted.n):
            return
        self._wanted[wanted.picture.kind] = answered = replace(known, outcome=outcome, detail=detail)
        self._answer(answered)

    def _answer(self, wanted: _Wanted) -> None:
        assert wanted.outcome is not None
        shown = Shown(
            boot=self._tools.boot, n=wanted.n, of=wanted.of, outcome=wanted.outcome, detail=wanted.detail
        )
        self._tools.tell(self.setup.name, LocalLeaf.SHOWN, shown)

    def _lapse(self) -> None:
        """What is no longer known to be true is shown no more."""
        now = self._tools.clock.monotonic()
        for kind, wanted in [*self._wanted.items()]:
            if wanted.until is not None and now >= wanted.until:
                logger.warning("the hall is silent, dark now device=%s", self.setup.name)
                self._wanted[kind] = _Wanted(_DARK[kind])

    async def _until_poked(self) -> None:
        ends = [w.until for w in self._wanted.values() if w.until is not None]
        left_s = max(0.0, min(ends) - self._tools.clock.monotonic()) if ends else None
        try:
            async with asyncio.timeout(left_s):
                await self._poke.wait()
        except TimeoutError:
            return

    async def _work(self, driver: Driver) -> None:
        while True:
            job = await self._jobs.next()
            # stands when the link is lost half-way: nobody knows, and it is not done again
            outcome: Outcome | None = Outcome.UNCONFIRMED
            try:
                outcome = await driver.do(job)
            except DeviceRefused as error:
                outcome = Outcome.REJECTED
                self._details[job.job_id] = str(error)
                self._note(DeviceState.DEGRADED, str(error))
            except DeviceUnreachable:
                outcome = None
                self._jobs.again()
                raise
            finally:
                if outcome is not None:
                    self._jobs.end(job, outcome)

    def _job_ended(self, job: Job, outcome: Outcome) -> None:
        logger.info("device=%s job=%s outcome=%s", self.setup.name, job.job_id, outcome.value)
        while len(self._details) > DETAILS_KEPT:
            self._details.popitem(last=False)
        self._tell_done(job.job_id, outcome)

    def _tell_done(self, job_id: str, outcome: Outcome) -> None:
        detail = self._details.get(job_id, "")
        done = Done(boot=self._tools.boot, job_id=job_id, outcome=outcome, detail=detail)
        self._tools.tell(self.setup.name, LocalLeaf.DONE, done)

    async def _listen(self, driver: Driver) -> None:
        async for event in driver.events():
            self._tools.happened(self.setup.name, event)

    def _note(self, state: DeviceState, detail: str) -> None:
        if (state, detail) == (self.state, self.detail):
            return
        if state is not self.state:
            log = logger.warning if state is DeviceState.OFFLINE else logger.info
            log("device=%s state=%s detail=%s", self.setup.name, state.value, detail)
        self.state, self.detail = state, detail
        self._tools.tell(self.setup.name, LocalLeaf.HEALTH, self.health())
