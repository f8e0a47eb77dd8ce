"""Brings a projector to the picture that is wanted, and back to it when somebody changed it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.options import read_options
from device_drivers.pictures import of_a_screen
from device_drivers.pjlink.state import (
    PjlinkOptions,
    Power,
    State,
    missing,
    trouble,
    volume_step,
)
from device_drivers.pjlink.talk import Hello, NotNow, Talk
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, Picture, ScreenPicture
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["DeviceDriver"]

T = TypeVar("T")


class DeviceDriver:
    """One projector. APPLIED when read back; ACCEPTED while it warms up or cools down as told.

    UNCONFIRMED when it cannot be told yet; the next probes go on. A volume can only be stepped, not read: a
    picture that moved it ends as ACCEPTED. Settings the model lacks are left out of a picture.
    """

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # the projector says itself when it is ready
        self._name = setup.name
        self._options = read_options(PjlinkOptions, setup, profile)
        self._port = buses.port(setup, profile)
        self._timing = profile.timing
        self._one_at_a_time = asyncio.Lock()
        self._over = asyncio.Event()
        self._wanted: ScreenPicture | None = None
        #: the step the volume surely stands at
        self._step: int | None = None

    async def __aenter__(self) -> Self:
        await self.probe()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    async def show(self, picture: Picture) -> Outcome:
        """Power, input, mute, and volume by steps. Raises DeviceUnreachable, DeviceRefused."""
        wanted = of_a_screen(picture, self._name, "投影机", self._options.inputs)
        self._wanted = wanted
        try:
            return await self._talk(Urgency.CLEAR, lambda talk: self._bring(talk, wanted))
        except NotNow:
            return Outcome.UNCONFIRMED

    async def do(self, job: Job) -> Outcome:
        """A projector does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是投影机，不能执行 {job.kind} (a projector cannot do this)")

    async def probe(self) -> Probe:
        """Its state, errors and lamp hours; a projector that is not as wanted is brought back."""
        try:
            return await self._talk(Urgency.POLL, self._look)
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Projectors have no keys, and no link is kept that could be lost."""
        await self._over.wait()
        return
        yield

    async def _talk(self, urgency: Urgency, words: Callable[[Talk], Awaitable[T]]) -> T:
        """Connect, greet, talk, hang up; once more when the projector falls silent."""
        async with self._one_at_a_time:
            for left in reversed(range(self._timing.retries + 1)):
                hello = Hello()
                try:
                    async with self._port.standing(hello.hear, hello.lose):
                        return await self._port.run(urgency, partial(self._greeted, hello, words), retries=0)
                except DeviceUnreachable as error:
                    if not left or not isinstance(error.__cause__, NoAnswer):
                        raise
        raise AssertionError

    async def _greeted(self, hello: Hello, words: Callable[[Talk], Awaitable[T]], turn: Turn) -> T:
        greeting = await hello.wait(self._timing.response_timeout_ms / 1000)
        return await words(Talk(self._name, turn, greeting, self._options.password.get_secret_value()))

    async def _look(self, talk: Talk) -> Probe:
        wanted, state = self._wanted, await self._read(talk)
        changed = wanted is not None and any(missing(wanted, state, self._options))
        outcome, later = Outcome.APPLIED, ""
        if wanted:
            try:
                outcome = await self._mend(talk, wanted, state)
            except NotNow as error:
                later = str(error)
        why = trouble(await self._optional(talk, "ERST"), await self._optional(talk, "LAMP"), self._options)
        if why:
            return Probe(DeviceState.DEGRADED, f"「{self._name}」{why}")
        now = await self._read(talk) if changed else state
        if now.power in (Power.WARMING, Power.COOLING):
            return Probe(DeviceState.ONLINE, self._patience(now.power))
        left = "、".join(step.words for step in missing(wanted, now, self._options)) if wanted else ""
        if left and outcome is not Outcome.APPLIED:
            later = later or f"「{self._name}」应答了却没有照做：{left} (acknowledged, not done)"
        if later:
            return Probe(DeviceState.DEGRADED, later)
        return Probe(DeviceState.ONLINE, "已恢复到设定状态 (set again)" if changed else "")

    def _patience(self, power: Power) -> str:
        if power is Power.WARMING:
            return f"正在预热，约 {self._options.warming_s:g} 秒 (warming up)"
        return f"正在散热，约 {self._options.cooling_s:g} 秒 (cooling down)"

    async def _bring(self, talk: Talk, wanted: ScreenPicture) -> Outcome:
        return await self._mend(talk, wanted, await self._read(talk))

    async def _mend(self, talk: Talk, wanted: ScreenPicture, state: State) -> Outcome:
        """Set what is not as wanted, all of it that can be, and read back."""
        refusals: list[DeviceRefused] = []
        steps = list(missing(wanted, state, self._options))
        for step in steps:
            try:
                await talk.ask(step.command, step.parameter)
            except DeviceRefused as error:
                refusals.append(error)
        stepped = await self._volume(talk, wanted, state)
        if refusals:
            # what can never be done is told before what cannot be done now
            raise min(refusals, key=lambda error: isinstance(error, NotNow))
        now = await self._read(talk) if steps else state
        if now.on_its_way(wanted):
            return Outcome.ACCEPTED
        if (now.power is Power.ON) != wanted.on:
            return Outcome.ACCEPTED if steps else Outcome.UNCONFIRMED
        if stepped or any(missing(wanted, now, self._options)):
            return Outcome.ACCEPTED
        return Outcome.APPLIED

    async def _volume(self, talk: Talk, wanted: ScreenPicture, state: State) -> bool:
        """Step the volume, first to the bottom when nobody knows where it stands. True when it moved."""
        if state.power is not Power.ON:
            self._step = None  # who switches it on may also turn its volume
        target = volume_step(wanted, self._options)
        if target is None or not wanted.on or state.power is not Power.ON or self._step == target:
            return False
        at, self._step = self._step, None
        if at is None:
            for _ in range(self._options.volume_steps or 0):
                await talk.ask("SVOL", "0", 2)
            at = 0
        for _ in range(abs(target - at)):
            await talk.ask("SVOL", "1" if target > at else "0", 2)
        self._step = target
        return True

    async def _read(self, talk: Talk) -> State:
        answer = await talk.ask("POWR")
        if answer not in set(Power):
            raise DeviceRefused(f"「{self._name}」电源状态 {answer!r} 无法识别 (unknown power state)")
        power = Power(answer)
        if power is not Power.ON:
            return State(power)
        source = (await self._optional(talk, "INPT")).upper()
        mute = await self._optional(talk, "AVMT")
        return State(power, source, dark=mute in ("11", "31"), muted=mute in ("21", "31"))

    async def _optional(self, talk: Talk, command: str) -> str:
        """The answer, or nothing from a projector that has none: no lamp, no sound, just switching."""
        try:
            return await talk.ask(command)
        except DeviceRefused:
            return ""
