"""Brings a Samsung display to the picture that is wanted, and back to it when somebody changed it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from device_drivers.bus import BusPool, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.options import read_options
from device_drivers.pictures import of_a_screen
from device_drivers.samsung_mdc import codec
from device_drivers.samsung_mdc.codec import Command
from device_drivers.samsung_mdc.state import WORDS, MdcOptions, State, missing, trouble
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, Picture, ScreenPicture
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid

__all__ = ["DeviceDriver"]

#: what a display says on every new connection when its menu demands encryption
_SECURED = b"MDCSTART<<TLS>>"
_SWITCHING = "正在开机或关机，稍后确认 (switching; will be confirmed)"


class _NotNow(DeviceRefused):
    """The display refuses because it is just switching: the next probe asks again."""


class DeviceDriver:
    """One display. APPLIED when read back; ACCEPTED while it switches, the next probes confirm or go on.

    Settings the model lacks are left out of a picture.
    """

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        if setup.unit > codec.ANY_DISPLAY:
            raise SettingsInvalid(
                f"设备「{setup.name}」的 unit 应为 0–253，只接一台时可用 254 (id 0 to 253, or 254 for any)"
            )
        self._name, self._unit, self._clock = setup.name, setup.unit, clock
        self._options = read_options(MdcOptions, setup, profile)
        self._port = buses.port(setup, profile)
        self._standing = AsyncExitStack()
        self._wanted: ScreenPicture | None = None
        self._switches_until = 0.0
        self._stays_reachable = False
        self._secured = False

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._port.standing(self._hear))
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
            if self._switching:  # it has acknowledged, and its network service is away for some seconds
                return Outcome.ACCEPTED
            raise

    async def do(self, job: Job) -> Outcome:
        """A display does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是显示屏，不能执行 {job.kind} (a display cannot do this)")

    async def probe(self) -> Probe:
        """Its state and errors; a display that is not as wanted is brought back."""
        try:
            return await self._port.run(Urgency.POLL, self._look)
        except _NotNow:
            return Probe(DeviceState.ONLINE, _SWITCHING)
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))
        except DeviceUnreachable:
            if self._switching:
                return Probe(DeviceState.ONLINE, _SWITCHING)
            if self._secured:
                words = "要求加密连接，请在其菜单中关闭 Secured Protocol (switch it off in the menu)"
                return Probe(DeviceState.DEGRADED, f"「{self._name}」{words}")
            raise

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Displays have no keys; ends with DeviceUnreachable when the link is lost."""
        await self._port.until_lost()
        yield

    def _hear(self, data: bytes) -> None:
        self._secured = _SECURED in data

    @property
    def _switching(self) -> bool:
        return self._clock.monotonic() < self._switches_until

    async def _look(self, turn: Turn) -> Probe:
        wanted, state = self._wanted, await self._read(turn)
        changed = wanted is not None and any(missing(wanted, state, self._options))
        outcome = await self._mend(turn, wanted, state) if wanted else Outcome.APPLIED
        if self._switching and outcome is not Outcome.APPLIED:
            return Probe(DeviceState.ONLINE, _SWITCHING)
        if why := trouble(await self._errors(turn)):
            return Probe(DeviceState.DEGRADED, f"「{self._name}」{why}")
        if wanted and outcome is not Outcome.APPLIED:
            left = missing(wanted, await self._read(turn), self._options)
            what = "、".join(WORDS[command] for command, _ in left)
            return Probe(
                DeviceState.DEGRADED, f"「{self._name}」应答了却没有照做：{what} (acknowledged, not done)"
            )
        return Probe(DeviceState.ONLINE, "已恢复到设定状态 (set again)" if changed else "")

    async def _bring(self, turn: Turn, wanted: ScreenPicture) -> Outcome:
        return await self._mend(turn, wanted, await self._read(turn))

    async def _mend(self, turn: Turn, wanted: ScreenPicture, state: State) -> Outcome:
        """Set what is not as wanted, all of it that can be, and read back."""
        if state.on:
            await self._keep_reachable(turn)
        refusals: list[DeviceRefused] = []
        steps = list(missing(wanted, state, self._options))
        for command, value in steps:
            try:
                await self._set(turn, command, value)
            except DeviceRefused as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]
        if (Command.POWER, 1) in steps:
            return Outcome.ACCEPTED
        if steps and any(missing(wanted, await self._read(turn), self._options)):
            return Outcome.ACCEPTED
        return Outcome.APPLIED

    async def _read(self, turn: Turn) -> State:
        known = (await self._ask(turn, Command.STATUS)).data
        if len(known) < 4:
            raise DeviceRefused(f"「{self._name}」的状态应答不完整 (short status answer)")
        state = State(known[0] == 1, known[1], known[2], known[3])
        asked = self._wanted is not None and self._wanted.brightness is not None
        if not (state.on and asked and self._options.brightness):
            return state
        level = (await self._ask(turn, Command.BRIGHTNESS)).data
        return State(state.on, state.volume, state.muted, state.source, level[0] if level else None)

    async def _errors(self, turn: Turn) -> bytes:
        try:
            return (await self._ask(turn, Command.ERRORS)).data
        except DeviceRefused:
            return b""  # older models, and displays that are off

    async def _set(self, turn: Turn, command: Command, value: int) -> None:
        await self._ask(turn, command, bytes([value]))
        if command is Command.POWER:
            self._switches_until = self._clock.monotonic() + self._options.wakes_s

    async def _keep_reachable(self, turn: Turn) -> None:
        """Without network standby a display leaves the network when it is switched off, also by hand."""
        if self._stays_reachable or self._port.shared_wire or not self._options.network_standby:
            return
        if (await self._ask(turn, Command.NETWORK_STANDBY)).data != b"\1":
            await self._ask(turn, Command.NETWORK_STANDBY, b"\1")
        self._stays_reachable = True

    async def _ask(self, turn: Turn, command: Command, data: bytes = b"") -> codec.Received:
        def mine(heard: bytes) -> codec.Received | None:
            anybody = self._unit == codec.ANY_DISPLAY
            for received in codec.answers(heard):
                if received.command == command and (anybody or received.unit == self._unit):
                    return received
            return None

        received = await turn.ask(codec.frame(command, self._unit, data), mine)
        if not received.nak:
            return received
        what = WORDS.get(command, command.name.lower())
        number = received.data[0] if received.data else 0
        sentence = f"「{self._name}」拒绝了 {what}，错误码 {number} (refused)"
        raise (_NotNow if self._switching else DeviceRefused)(sentence)
