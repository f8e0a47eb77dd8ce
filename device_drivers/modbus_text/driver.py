"""Shows pictures on a Modbus panel, and reads them back where the panel allows it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from device_drivers.bus import BusPool, Turn, Urgency
from device_drivers.bus.modbus import Question
from device_drivers.bus.modbus_unit import ModbusUnit
from device_drivers.health import Probe
from device_drivers.modbus_text.registers import ModbusTextOptions, spans, values_of, writes_of, written
from device_drivers.options import read_options
from device_drivers.pictures import of_a_counter
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    CounterMode,
    DeviceEvent,
    DeviceState,
    Job,
    Outcome,
    Picture,
)
from hall_core.errors import DeviceRefused, SettingsInvalid

__all__ = ["DeviceDriver"]

#: most registers of one read request (Modbus application protocol 1.1b3, 6.3)
MAX_READ = 125
#: each so many-th look reads everything; those between only mode and characters, because a line of 16 panels
#: at 9600 baud is full otherwise, and one that lost its picture would wait for its turn
WHOLE_EVERY = 5


class DeviceDriver:
    """One panel. Outcomes: APPLIED after reading back, ACCEPTED where nothing can be read back."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a panel knows no time
        self._name = setup.name
        self._options = read_options(ModbusTextOptions, setup, profile)
        shared = not setup.address.startswith("tcp://")
        if (shared and not 1 <= setup.unit <= 247) or setup.unit > 255:
            raise SettingsInvalid(f"设备「{setup.name}」的 unit 应为 1..247 (unit must be 1..247)")
        self._unit = ModbusUnit(setup, profile, buses, "寄存器地址")
        self._port, self._codec = self._unit.port, self._unit.codec
        self._shown: dict[int, int] | None = None
        self._firmware = self._looks = 0
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
        counter = of_a_counter(picture, self._name, "条屏")
        values = values_of(counter, self._options)
        called = counter.mode is CounterMode.CALLED
        self._shown = values
        return await self._paint(values, Urgency.CALL if called else Urgency.CLEAR)

    async def do(self, job: Job) -> Outcome:
        """A panel does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是条屏，不能执行 {job.kind} (a panel cannot do this)")

    async def probe(self) -> Probe:
        """Firmware, and whether the picture still stands; a panel that lost it gets it again."""
        try:
            intact = await self._unit.patiently(lambda: self._port.run(Urgency.POLL, self._look))
            lost = self._shown is not None and not intact
            if self._shown is not None and (lost or not self._options.readback):
                await self._paint(self._shown, Urgency.CLEAR)  # unreadable ones are painted to be sure
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))
        if lost:
            return Probe(DeviceState.ONLINE, "内容曾丢失，已重新显示 (repainted)")
        known = self._firmware
        return Probe(DeviceState.ONLINE, f"固件 {known >> 8}.{known & 0xFF}" if known else "")

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
            outcome = await self._unit.patiently(lambda: self._port.show(urgency, write))
            if outcome is not Outcome.UNCONFIRMED:
                return outcome
        raise DeviceRefused(f"「{self._name}」读回的内容与写入的不一致 (it reads back something else)")

    async def _look(self, turn: Turn) -> bool:
        """Whether what was shown last still stands; the firmware (0 = unknown) when everything is read."""
        whole = self._looks % WHOLE_EVERY == 0
        standing = self._shown if self._options.readback else None
        if whole or standing is None:
            registers = self._options.registers
            first = registers.get("firmware") or min(registers.values(), key=lambda r: r.address)
            (value,) = await self._ask(turn, self._codec.read(first.space, first.address, 1))
            self._firmware = value if "firmware" in registers else 0
        stands = standing is None or await self._stands(turn, standing, whole=whole)
        self._looks += 1
        return stands

    async def _stands(self, turn: Turn, values: dict[int, int], *, whole: bool = True) -> bool:
        """Read back mode and text; what else was written may change by itself."""
        options = self._options
        telling = [r for name, r in options.registers.items() if name == "mode" or name in options.texts]
        asked = {a for r in telling for a in (r.addresses if whole else written(r, values))}
        readable = options.bridges() | {a for r in options.registers.values() for a in r.addresses}
        for span in spans(asked, readable, MAX_READ):
            found = await self._ask(turn, self._codec.read("holding", span.start, len(span)))
            held = dict(zip(span, found, strict=True))
            if any(held[a] != values.get(a) for a in asked & held.keys()):
                return False
        return True

    async def _ask(self, turn: Turn, question: Question) -> tuple[int, ...]:
        return (await self._unit.ask(turn, question)).registers
