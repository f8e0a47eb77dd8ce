"""Brings a Philips display to the picture that is wanted, and back to it when somebody changed it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from device_drivers.bus import BusPool, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.options import read_options
from device_drivers.philips_sicp import codec
from device_drivers.philips_sicp.codec import Command
from device_drivers.philips_sicp.state import ON, SicpOptions, State, Step, missing, trouble
from device_drivers.pictures import of_a_screen
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, Picture, ScreenPicture
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid

__all__ = ["DeviceDriver"]

_SWITCHING = "正在开机或关机，稍后确认 (switching; will be confirmed)"
#: the display answers NAV also to a frame it heard wrongly, so that it is asked once more
_TRIES = 2


class _NotNow(DeviceRefused):
    """The display cannot do it now (NAV): the next probe asks again."""


class DeviceDriver:
    """One display. APPLIED when read back; ACCEPTED while it switches, UNCONFIRMED when it cannot now.

    Settings the model lacks are left out of a picture.
    """

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        if not codec.EVERYBODY < setup.unit <= 0xFF:
            raise SettingsInvalid(
                f"设备「{setup.name}」的 unit 应为 1–255，0 是广播，没有应答 (monitor id 1 to 255)"
            )
        self._name, self._unit, self._clock = setup.name, setup.unit, clock
        self._options = read_options(SicpOptions, setup, profile)
        self._port = buses.port(setup, profile)
        self._standing = AsyncExitStack()
        self._wanted: ScreenPicture | None = None
        self._switches_until = 0.0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._port.standing())
            await self.probe()
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """Power, input, volume, mute, brightness. Raises DeviceUnreachable, DeviceRefused."""
        wanted = of_a_screen(picture, self._name, "显示屏", self._options.inputs)
        self._wanted = wanted
        try:
            return await self._port.show(Urgency.CLEAR, lambda turn: self._bring(turn, wanted))
        except _NotNow:
            return Outcome.UNCONFIRMED
        except DeviceUnreachable:
            if self._switching:  # it has acknowledged, and some models leave the network for a while
                return Outcome.ACCEPTED
            raise

    async def do(self, job: Job) -> Outcome:
        """A display does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是显示屏，不能执行 {job.kind} (a display cannot do this)")

    async def probe(self) -> Probe:
        """Its state and temperature; a display that is not as wanted is brought back."""
        try:
            return await self._port.run(Urgency.POLL, self._look)
        except _NotNow as error:
            if self._switching:
                return Probe(DeviceState.ONLINE, _SWITCHING)
            return Probe(DeviceState.DEGRADED, str(error))
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))
        except DeviceUnreachable:
            if self._switching:
                return Probe(DeviceState.ONLINE, _SWITCHING)
            raise

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Displays have no keys; ends with DeviceUnreachable when the link is lost."""
        await self._port.until_lost()
        yield

    @property
    def _switching(self) -> bool:
        return self._clock.monotonic() < self._switches_until

    async def _look(self, turn: Turn) -> Probe:
        wanted, state = self._wanted, await self._read(turn)
        changed = wanted is not None and any(missing(wanted, state, self._options))
        outcome = await self._mend(turn, wanted, state) if wanted and changed else Outcome.APPLIED
        if self._switching and outcome is not Outcome.APPLIED:
            return Probe(DeviceState.ONLINE, _SWITCHING)
        if state.on and (why := trouble(await self._temperatures(turn), self._options)):
            return Probe(DeviceState.DEGRADED, f"「{self._name}」{why}")
        if wanted and outcome is not Outcome.APPLIED:
            left = missing(wanted, await self._read(turn), self._options)
            what = "、".join(step.words for step in left)
            return Probe(
                DeviceState.DEGRADED, f"「{self._name}」应答了却没有照做：{what} (acknowledged, not done)"
            )
        return Probe(DeviceState.ONLINE, "已恢复到设定状态 (set again)" if changed else "")

    async def _bring(self, turn: Turn, wanted: ScreenPicture) -> Outcome:
        return await self._mend(turn, wanted, await self._read(turn))

    async def _mend(self, turn: Turn, wanted: ScreenPicture, state: State) -> Outcome:
        """Set what is not as wanted, all of it that can be, and read back."""
        refusals: list[DeviceRefused] = []
        steps = list(missing(wanted, state, self._options))
        for step in steps:
            try:
                await self._set(turn, step)
            except DeviceRefused as error:
                refusals.append(error)
        if refusals:
            # what can never be done is told before what cannot be done now
            raise min(refusals, key=lambda error: isinstance(error, _NotNow))
        if wanted.on and not state.on:
            return Outcome.ACCEPTED
        if steps and any(missing(wanted, await self._read(turn), self._options)):
            return Outcome.ACCEPTED
        return Outcome.APPLIED

    async def _read(self, turn: Turn) -> State:
        on = (await self._ask(turn, Command.POWER))[0] == ON
        wanted, options = self._wanted, self._options
        if not (on and wanted and wanted.on):
            return State(on)
        source = (await self._ask(turn, Command.INPUT))[0] if wanted.input is not None else None
        loud = wanted.volume is not None or wanted.muted is not None
        volume = (await self._ask(turn, Command.VOLUME))[0] if loud else None
        hushed = options.mute and wanted.muted is not None
        muted = (await self._ask(turn, Command.MUTE))[0] == 1 if hushed else None
        bright = options.brightness and wanted.brightness is not None
        video = await self._ask(turn, Command.VIDEO) if bright else b""
        return State(on, source, volume, muted, video)

    async def _temperatures(self, turn: Turn) -> bytes:
        if not self._options.temperature:
            return b""
        try:
            return await self._ask(turn, Command.TEMPERATURE)
        except DeviceRefused:
            return b""  # models without a sensor

    async def _set(self, turn: Turn, step: Step) -> None:
        await self._answered(turn, step.command, step.data, step.words)
        if step.command is Command.SET_POWER:
            self._switches_until = self._clock.monotonic() + self._options.wakes_s

    async def _ask(self, turn: Turn, command: Command) -> bytes:
        """What the display reports; at least one byte."""
        report = (await self._answered(turn, command, b"", command.name.lower())).data
        if not report:
            raise DeviceRefused(f"「{self._name}」的应答不完整 (short answer to {command.name.lower()})")
        return report

    async def _answered(self, turn: Turn, command: Command, data: bytes, words: str) -> codec.Received:
        grouped = self._options.group

        def mine(heard: bytes) -> codec.Received | None:
            for received in codec.answers(heard, grouped=grouped):
                if received.unit == self._unit and received.command in (command, codec.REPORT):
                    return received
            return None

        for _ in range(_TRIES):
            received = await turn.ask(codec.frame(command, self._unit, data, grouped=grouped), mine)
            if received.command == command or received.data[:1] == bytes([codec.ACK]):
                return received
            if received.data[:1] == bytes([codec.NACK]):
                raise DeviceRefused(f"「{self._name}」不支持 {words} (NACK: no such command)")
        raise _NotNow(f"「{self._name}」现在不能执行 {words}，请检查型号和输入源 (NAV: not possible now)")
