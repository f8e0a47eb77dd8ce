"""Talks to the controller board, the temperature sensor on its line, and the UPS on a line of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from device_drivers.bus import BusPool, Port, Turn, Urgency
from device_drivers.bus.modbus import Answer, Question
from device_drivers.bus.modbus_unit import ModbusUnit
from device_drivers.terminal_24h.cabinet import Readings, TerminalOptions
from device_drivers.terminal_24h.megatec import STATUS, TEST, UpsStatus, read_status
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile, SerialLine
from hall_core.errors import DeviceError, DeviceUnreachable

__all__ = ["Wiring"]

T = TypeVar("T")


#: a sensor or UPS that did not answer is asked again so much later (s): the board on the same line is looked
#: at often, so that a lock it dropped with its power stands again within two seconds
REST_S = 5.0


class Wiring:
    """The wires of one terminal. Raises SettingsInvalid for addresses that cannot be."""

    def __init__(
        self,
        setup: DeviceSetup,
        profile: Profile,
        options: TerminalOptions,
        buses: BusPool,
        clock: Clock,
    ) -> None:
        self._name, self._options, self._clock = setup.name, options, clock
        #: when (s) who did not answer
        self._silent_at: dict[str, float] = {}
        self._board = ModbusUnit(setup, profile, buses, "通道")
        self._codec = self._board.codec
        self._sensor: ModbusUnit | None = None
        self._ups: Port | None = None
        if options.temperature is not None:
            there = setup.model_copy(update={"unit": options.temperature.unit})
            self._sensor = ModbusUnit(there, profile, buses, "寄存器地址")
        if options.ups is not None:
            there = setup.model_copy(update={"address": options.ups.address})
            line = profile.model_copy(update={"serial": SerialLine(baud=options.ups.baud)})
            self._ups = buses.port(there, line)

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        """On all wires from here to the end of the block."""
        async with AsyncExitStack() as stack:
            for port in (self._board.port, self._sensor.port if self._sensor else None, self._ups):
                if port is not None:
                    await stack.enter_async_context(port.standing())
            yield

    async def look(self, *, anew: bool = False) -> Readings:
        """How all stands; what is silent is None. Raises DeviceUnreachable, DeviceRefused for the board.

        A silent sensor or UPS holds up the look: it is not asked each time, if not wanted `anew`.
        """
        inputs = await self._ask(self._codec.read_inputs(0, self._options.inputs))
        relays = await self._ask(self._codec.read_coils(0, self._options.relays))
        if anew:
            self._silent_at.clear()
        temperature = await self._unless_resting("sensor", self._temperature)
        return Readings(inputs.bits, relays.bits, temperature, await self._unless_resting("ups", self.ups))

    async def switch(self, relay: int, on: bool) -> bool:
        """Switch a relay, and whether it reads back so. Raises DeviceUnreachable, DeviceRefused."""
        await self._ask(self._codec.write_coil(relay - 1, on), Urgency.CLEAR)
        answer = await self._ask(self._codec.read_coils(0, self._options.relays), Urgency.CLEAR)
        return answer.bits[relay - 1] is on

    async def ups(self) -> UpsStatus | None:
        """What the UPS says; None when there is none or it is silent."""
        if self._ups is None:
            return None
        try:
            return await self._ups.run(Urgency.POLL, lambda turn: turn.ask(STATUS, read_status))
        except DeviceUnreachable:
            return None

    async def start_ups_test(self) -> None:
        """Have the UPS test its battery; it does not answer. Raises DeviceUnreachable."""
        assert self._ups is not None

        async def tell(turn: Turn) -> None:
            await turn.tell(TEST)

        await self._ups.run(Urgency.CLEAR, tell)

    async def pause(self, seconds: float) -> None:
        """Wait without holding a wire."""
        await self._board.port.pause(seconds)

    async def _unless_resting(self, who: str, ask: Callable[[], Awaitable[T | None]]) -> T | None:
        silent_at, now = self._silent_at.get(who), self._clock.monotonic()
        if silent_at is not None and now - silent_at < REST_S:
            return None
        answer = await ask()
        if answer is None:
            self._silent_at[who] = now
        else:
            self._silent_at.pop(who, None)
        return answer

    async def _temperature(self) -> float | None:
        sensor = self._options.temperature
        if self._sensor is None or sensor is None:
            return None
        question = self._sensor.codec.read(sensor.space, sensor.address, 1)
        try:
            answer = await self._asked(self._sensor, question, Urgency.POLL)
        except DeviceError:
            return None
        (raw,) = answer.registers
        return round((raw - 0x10000 if raw & 0x8000 else raw) * sensor.scale, 1)

    async def _ask(self, question: Question, urgency: Urgency = Urgency.POLL) -> Answer:
        return await self._asked(self._board, question, urgency)

    @staticmethod
    async def _asked(unit: ModbusUnit, question: Question, urgency: Urgency) -> Answer:
        return await unit.patiently(lambda: unit.port.run(urgency, lambda turn: unit.ask(turn, question)))
