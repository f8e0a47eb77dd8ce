"""Shows pictures on a Modbus panel, and reads them back where the panel allows it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self, TypeVar

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.modbus_text.codec import Codec, Question, exception_sentence
from device_drivers.modbus_text.registers import ModbusTextOptions, spans, values_of, writes_of
from device_drivers.options import read_options
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    CounterMode,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Job,
    Outcome,
    Picture,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid

__all__ = ["DeviceDriver"]

T = TypeVar("T")

#: Modbus exceptions that pass: the device is busy or still working
_BUSY = {5, 6}
#: a gateway found nobody behind it
_NOBODY = {10, 11}
BUSY_WAIT_S, BUSY_TRIES = 0.3, 4
#: most registers of one read request (Modbus application protocol 1.1b3, 6.3)
MAX_READ = 125


class _Busy(DeviceRefused):
    """The panel asks to be left alone for a moment."""


class DeviceDriver:
    """One panel. Outcomes: APPLIED after reading back, ACCEPTED where nothing can be read back."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a panel knows no time
        self._name = setup.name
        self._options = read_options(ModbusTextOptions, setup, profile)
        shared = not setup.address.startswith("tcp://")
        if (shared and not 1 <= setup.unit <= 247) or setup.unit > 255:
            raise SettingsInvalid(f"设备「{setup.name}」的 unit 应为 1..247 (unit must be 1..247)")
        if not shared:  # TCP marks its frames: no silence is needed between them
            timing = profile.timing.model_copy(update={"gap_ms": 0})
            profile = profile.model_copy(update={"timing": timing})
        self._port = buses.port(setup, profile)
        self._codec = Codec(setup.unit, rtu=shared)
        self._shown: dict[int, int] | None = None
        self._standing = AsyncExitStack()

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
        """Write the picture and read it back. Raises DeviceUnreachable, DeviceRefused."""
        if not isinstance(picture, CounterPicture):
            raise DeviceRefused(f"「{self._name}」是条屏，不能显示 {picture.kind} (counters only)")
        values = values_of(picture, self._options)
        called = picture.mode is CounterMode.CALLED
        self._shown = values
        return await self._paint(values, Urgency.CALL if called else Urgency.CLEAR)

    async def do(self, job: Job) -> Outcome:
        """A panel does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是条屏，不能执行 {job.kind} (a panel cannot do this)")

    async def probe(self) -> Probe:
        """Firmware, and whether the picture still stands; a panel that lost it gets it again."""
        try:
            firmware, intact = await self._patiently(lambda: self._port.run(Urgency.POLL, self._look))
            lost = self._shown is not None and not intact
            if self._shown is not None and (lost or not self._options.readback):
                await self._paint(self._shown, Urgency.CLEAR)  # unreadable ones are painted to be sure
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))
        if lost:
            return Probe(DeviceState.ONLINE, "内容曾丢失，已重新显示 (repainted)")
        return Probe(DeviceState.ONLINE, f"固件 {firmware >> 8}.{firmware & 0xFF}" if firmware else "")

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Panels have no keys; ends with DeviceUnreachable when the link is lost."""
        await self._port.until_lost()
        yield

    async def _paint(self, values: dict[int, int], urgency: Urgency) -> Outcome:
        async def write(turn: Turn) -> Outcome:
            for step in writes_of(values, self._options):
                await self._ask(turn, self._codec.write(step.address, step.values, step.function))
            if not self._options.readback:
                return Outcome.ACCEPTED
            return Outcome.APPLIED if await self._stands(turn, values) else Outcome.UNCONFIRMED

        for _ in range(2):
            outcome = await self._patiently(lambda: self._port.show(urgency, write))
            if outcome is not Outcome.UNCONFIRMED:
                return outcome
        raise DeviceRefused(f"「{self._name}」读回的内容与写入的不一致 (it reads back something else)")

    async def _look(self, turn: Turn) -> tuple[int, bool]:
        """The firmware (0 = unknown), and whether what was shown last still stands."""
        registers = self._options.registers
        first = registers.get("firmware") or min(registers.values(), key=lambda r: r.address)
        values = await self._ask(turn, self._codec.read(first.space, first.address, 1))
        firmware = values[0] if "firmware" in registers else 0
        if not self._options.readback or self._shown is None:
            return firmware, True
        return firmware, await self._stands(turn, self._shown)

    async def _stands(self, turn: Turn, values: dict[int, int]) -> bool:
        """Read back mode and text; what else was written may change by itself."""
        options = self._options
        telling = [r for name, r in options.registers.items() if name == "mode" or name in options.texts]
        readable = options.bridges() | {a for r in options.registers.values() for a in r.addresses}
        for span in spans((a for r in telling for a in r.addresses), readable, MAX_READ):
            found = await self._ask(turn, self._codec.read("holding", span.start, len(span)))
            held = dict(zip(span, found, strict=True))
            if any(held.get(a, values.get(a)) != values.get(a) for r in telling for a in r.addresses):
                return False
        return True

    async def _ask(self, turn: Turn, question: Question) -> tuple[int, ...]:
        answer = await turn.ask(question.frame, question.read)
        if answer.exception in _NOBODY:
            raise NoAnswer("网关后面的设备没有应答，请检查电源和接线 (nobody behind the gateway)")
        if answer.exception:
            sentence = f"「{self._name}」{exception_sentence(answer.exception)}"
            raise (_Busy if answer.exception in _BUSY else DeviceRefused)(sentence)
        return answer.registers

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Come back later to a busy panel, without holding the wire meanwhile."""
        for left in reversed(range(BUSY_TRIES)):
            try:
                return await ask()
            except _Busy as error:
                if not left:
                    raise DeviceUnreachable(str(error)) from error
                await self._port.pause(BUSY_WAIT_S)
        raise AssertionError
