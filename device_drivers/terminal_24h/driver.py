"""One 24-hour terminal: its cabinet on the wires, its parts as the hall knows them, lock and restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from device_drivers.bus import BusPool
from device_drivers.health import Probe
from device_drivers.options import read_options
from device_drivers.terminal_24h.cabinet import Readings, TerminalOptions, battery_percent, troubles
from device_drivers.terminal_24h.self_test import SAID, findings_of, ups_finding
from device_drivers.terminal_24h.wiring import Wiring
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    DeviceEvent,
    DeviceState,
    Finding,
    Job,
    Outcome,
    Picture,
    Restart,
    ScreenPicture,
    SelfTest,
    SelfTested,
    Sensed,
)
from hall_core.errors import DeviceError, DeviceRefused, DeviceUnreachable

__all__ = ["DeviceDriver"]

#: a change smaller than this is no news
DEADBAND = {"temperature": 0.5, "battery": 1.0, "input_voltage": 5.0}
#: events nobody fetches are forgotten, the oldest first
EVENTS_KEPT = 200
#: how often the power relay is let go before somebody must come
RELEASES = 3


class DeviceDriver:
    """One terminal. APPLIED when the controller board reads back what it was told."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        self._name, self._clock = setup.name, clock
        self._options = read_options(TerminalOptions, setup, profile)
        self._wiring = Wiring(setup, profile, self._options, buses, clock)
        self._neighbours = buses.neighbours
        self._locked: bool | None = None
        self._restarting = self._testing = False
        self._failed: tuple[str, ...] = ()
        self._values: dict[str, float] = {}
        self._events: asyncio.Queue[DeviceEvent] = asyncio.Queue()
        self._standing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._wiring.standing())
            await self.probe()
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """Lock it outside its service, unlock it within. Raises DeviceUnreachable, DeviceRefused."""
        if not isinstance(picture, ScreenPicture):
            raise DeviceRefused(
                f"「{self._name}」是终端机柜，不能显示 {picture.kind} (a cabinet shows nothing)"
            )
        if self._options.lock is None:
            if picture.on:
                return Outcome.APPLIED
            raise DeviceRefused(f"「{self._name}」没有接锁，不能锁定，请在 options.lock 中登记 (no lock)")
        self._locked = not picture.on
        if not await self._wiring.switch(self._options.lock, self._locked):
            raise DeviceRefused(
                f"「{self._name}」锁继电器没有动作，请检查控制板和锁 (the lock relay does not move)"
            )
        return Outcome.APPLIED

    async def do(self, job: Job) -> Outcome:
        """Restart the terminal's computer, or test everything. Raises DeviceUnreachable, DeviceRefused."""
        match job:
            case Restart():
                return await self._restart()
            case SelfTest():
                return await self._self_test(job.job_id)
        raise DeviceRefused(f"「{self._name}」是终端机柜，不能执行 {job.kind} (a cabinet cannot do this)")

    async def probe(self) -> Probe:
        """How cabinet, supply and parts are; a relay that stands wrong is put right.

        Raises DeviceUnreachable when the controller board is silent.
        """
        try:
            readings = await self._wiring.look()
            wrong = troubles(readings, self._options, self._neighbours.look, self._clock.now())
            wrong += await self._put_right(readings)
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))
        self._sense(readings)
        if self._failed:
            wrong.append(f"自检未通过（{'、'.join(self._failed)}），请处理后重新自检 (self-test failed)")
        return Probe(DeviceState.DEGRADED if wrong else DeviceState.ONLINE, "；".join(wrong))

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Measured values when they change, and what self-tests found; never ends by itself."""
        while True:
            yield await self._events.get()

    async def _put_right(self, readings: Readings) -> list[str]:
        """Power cut by a restart that never ended is given back; the lock stands as it was told."""
        power, lock = self._options.power, self._options.lock
        if power is not None and readings.relays[power - 1] and not self._restarting:
            given = await self._wiring.switch(power, False)
            if not given:
                return ["终端电脑被断电，继电器不复位，请值班人员到现场恢复供电 (power relay stuck)"]
        if lock is not None and self._locked is not None and readings.relays[lock - 1] is not self._locked:
            stands = await self._wiring.switch(lock, self._locked)
            if not stands:
                return ["锁继电器没有动作，请检查控制板和锁 (the lock relay does not move)"]
        return []

    async def _restart(self) -> Outcome:
        """Cut the power of the terminal's computer for a while. UNCONFIRMED when nobody knows whether."""
        power = self._options.power
        if power is None:
            raise DeviceRefused(f"「{self._name}」没有接电源继电器，不能远程重启 (no power relay)")
        if self._restarting:
            raise DeviceRefused(f"「{self._name}」正在重启，请稍候 (it is restarting)")
        await self._wiring.look()  # a board that does not answer here has certainly done nothing
        self._restarting = True
        try:
            cut = await self._wiring.switch(power, True)
            if cut:
                await self._wiring.pause(self._options.pulse_s)
        except DeviceUnreachable:
            return Outcome.UNCONFIRMED
        finally:
            # also when this is cancelled: a terminal is never left without power
            given = await self._give_power(power)
            self._restarting = False
        if not cut:
            raise DeviceRefused(
                f"「{self._name}」电源继电器没有动作，未重启，请检查控制板 (the power relay does not move)"
            )
        if not given:
            raise DeviceRefused(
                f"「{self._name}」断电后继电器没有复位，请值班人员到现场恢复供电 (the relay did not let go)"
            )
        return Outcome.APPLIED

    async def _give_power(self, power: int) -> bool:
        for _ in range(RELEASES):
            try:
                if await self._wiring.switch(power, False):
                    return True
            except DeviceError:
                continue  # the next look puts it right
        return False

    async def _self_test(self, job_id: str) -> Outcome:
        if self._testing:
            raise DeviceRefused(f"「{self._name}」正在自检，请稍候 (a self-test is running)")
        self._testing = True
        try:
            readings = await self._wiring.look(anew=True)
            findings = findings_of(
                readings, self._options, self._neighbours.look, self._clock.now(), locked=self._locked
            )
            if self._options.ups is not None:
                findings.append(await self._test_ups())
        finally:
            self._testing = False
        self._failed = tuple(SAID[f.what] for f in findings if not f.passed)
        self._say(SelfTested(job_id=job_id, findings=tuple(findings)))
        return Outcome.APPLIED

    async def _test_ups(self) -> Finding:
        """Run its battery test while the mains are there, and watch it."""
        ups = self._options.ups
        assert ups is not None
        first = await self._wiring.ups()
        seen = [first]
        if not ups.tests or first is None or first.on_battery:
            return ups_finding(seen, ups)
        try:
            await self._wiring.start_ups_test()
        except DeviceUnreachable:
            return ups_finding([first, None], ups)
        tested = False
        for _ in range(round(ups.test_s)):
            await self._wiring.pause(1)
            status = await self._wiring.ups()
            seen.append(status)
            if status is None or (tested and not status.testing):
                break
            tested = tested or status.testing
        return ups_finding(seen, ups)

    def _sense(self, readings: Readings) -> None:
        """Tell the values that have changed."""
        options, ups = self._options, readings.ups
        now: dict[str, tuple[float | None, str]] = {
            "door_open": (float(readings.door_open(options.door)), ""),
            "temperature": (readings.temperature, "°C"),
        }
        if ups is not None and options.ups is not None:
            now["on_battery"] = (float(ups.on_battery), "")
            now["battery"] = (battery_percent(ups, options.ups), "%")
            now["input_voltage"] = (ups.input_v, "V")
        for name, (value, unit) in now.items():
            old = self._values.get(name)
            if value is None or (old is not None and abs(value - old) < DEADBAND.get(name, 0.5)):
                continue
            self._values[name] = value
            self._say(Sensed(name=name, value=value, unit=unit))

    def _say(self, event: DeviceEvent) -> None:
        while self._events.qsize() >= EVENTS_KEPT:
            self._events.get_nowait()
        self._events.put_nowait(event)
