"""Watches the keys on a module's inputs, and lights its lamps as the counter stands.

A module cannot speak first: it is asked many times a second, but always behind whatever else wants the wire.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from device_drivers.bus import BusPool, Turn, Urgency
from device_drivers.bus.modbus import Bits, Question
from device_drivers.bus.modbus_unit import ModbusUnit
from device_drivers.health import Probe
from device_drivers.modbus_io.channels import ModbusIoOptions, lamps_of, pressed, writes_of
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
    KeyPressed,
    Outcome,
    Picture,
)
from hall_core.errors import DeviceRefused, SettingsInvalid

__all__ = ["DeviceDriver"]

#: a module that refuses to tell its keys is asked again so much later
REFUSED_WAIT_S = 1.0


class DeviceDriver:
    """One module. Outcomes: APPLIED after reading back, ACCEPTED where nothing can be read back."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a module knows no time
        self._name = setup.name
        self._options = read_options(ModbusIoOptions, setup, profile)
        if not 1 <= setup.unit <= 255:
            raise SettingsInvalid(f"设备「{setup.name}」的 unit 应为 1..255 (unit must be 1..255)")
        self._unit = ModbusUnit(setup, profile, buses, "通道")
        self._port, self._codec = self._unit.port, self._unit.codec
        self._shown: dict[int, bool] | None = None
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
        """Light the lamps and read them back. Raises DeviceUnreachable, DeviceRefused."""
        counter = of_a_counter(picture, self._name, "按键和指示灯")
        called = counter.mode is CounterMode.CALLED
        self._shown = lamps_of(counter.mode, self._options)
        return await self._light(self._shown, Urgency.CALL if called else Urgency.CLEAR)

    async def do(self, job: Job) -> Outcome:
        """A module does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是按键和指示灯，不能执行 {job.kind} (a module cannot do this)")

    async def probe(self) -> Probe:
        """Whether it answers and its lamps still burn as told; lamps it lost with its power are lit again."""
        try:
            await self._inputs()
            lost = self._shown is not None and not await self._unit.patiently(
                lambda: self._port.run(Urgency.POLL, lambda turn: self._stand(turn, self._shown or {}))
            )
            if self._shown is not None and (lost or not self._options.readback):
                await self._light(self._shown, Urgency.CLEAR)
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))
        return Probe(DeviceState.ONLINE, "指示灯曾丢失，已重新点亮 (lit again)" if lost else "")

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Keys as they go down. Raises DeviceUnreachable when the module falls silent.

        A key counts when two readings `debounce_ms` apart agree; one held while the link came up does not.
        """
        before = await self._keys()
        while True:
            await self._port.pause(self._options.poll_ms / 1000)
            seen = await self._keys()
            if seen == before:
                continue
            await self._port.pause(self._options.debounce_ms / 1000)
            again = await self._keys()
            settled = tuple(b if b == a else old for old, a, b in zip(before, seen, again, strict=True))
            for op in pressed(before, settled, self._options):
                yield KeyPressed(op=op)
            before = settled

    async def _keys(self) -> Bits:
        """The keys that are down, as soon as the module tells: that it refuses is what the probe says."""
        while True:
            try:
                return await self._inputs()
            except DeviceRefused:
                await self._port.pause(REFUSED_WAIT_S)

    async def _inputs(self) -> Bits:
        """The keys that are down."""
        options = self._options
        question = self._codec.read_inputs(options.first_input, options.inputs.count)
        bits = await self._unit.patiently(
            lambda: self._port.run(Urgency.POLL, lambda turn: self._ask(turn, question))
        )
        return tuple(bit != options.inverted for bit in bits)

    async def _light(self, lamps: dict[int, bool], urgency: Urgency) -> Outcome:
        async def write(turn: Turn) -> Outcome:
            for step in writes_of(lamps, self._options):
                one = self._options.write == 5
                ask = self._codec.write_coil(step.address, step.bits[0]) if one else None
                await self._ask(turn, ask or self._codec.write_coils(step.address, step.bits))
            if not self._options.readback:
                return Outcome.ACCEPTED
            return Outcome.APPLIED if await self._stand(turn, lamps) else Outcome.UNCONFIRMED

        for _ in range(2):
            outcome = await self._unit.patiently(lambda: self._port.show(urgency, write))
            if outcome is not Outcome.UNCONFIRMED:
                return outcome
        raise DeviceRefused(f"「{self._name}」指示灯读回的状态与写入的不一致 (it reads back something else)")

    async def _stand(self, turn: Turn, lamps: dict[int, bool]) -> bool:
        """True when the lamps burn as told; also where nothing can be read back."""
        options = self._options
        if not options.readback or not lamps:
            return True
        bits = await self._ask(turn, self._codec.read_coils(options.first_coil, options.coils.count))
        return all(bits[channel - 1] == on for channel, on in lamps.items())

    async def _ask(self, turn: Turn, question: Question) -> Bits:
        return (await self._unit.ask(turn, question)).bits
