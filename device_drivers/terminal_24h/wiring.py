"""Talks to the controller board, the temperature sensor on its line, and the UPS on a line of its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from device_drivers.bus import BusPool, Port, Turn, Urgency, parse_address
from device_drivers.bus.modbus import Answer, Codec, Question, exception_sentence
from device_drivers.terminal_24h.cabinet import Readings, TerminalOptions
from device_drivers.terminal_24h.megatec import STATUS, TEST, UpsStatus, read_status
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile, SerialLine
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["Wiring"]


class Wiring:
    """The wires of one terminal. Raises SettingsInvalid for addresses that cannot be."""

    def __init__(
        self, setup: DeviceSetup, profile: Profile, options: TerminalOptions, buses: BusPool
    ) -> None:
        self._name, self._options = setup.name, options
        rtu = parse_address(setup.address, profile).scheme != "tcp"
        if not rtu:  # TCP marks its frames: no silence is needed between them
            timing = profile.timing.model_copy(update={"gap_ms": 0})
            profile = profile.model_copy(update={"timing": timing})
        self._board = buses.port(setup, profile)
        self._codec = Codec(setup.unit, rtu=rtu)
        self._sensor: tuple[Port, Codec] | None = None
        self._ups: Port | None = None
        if options.temperature is not None:
            unit = options.temperature.unit
            there = setup.model_copy(update={"unit": unit})
            self._sensor = buses.port(there, profile), Codec(unit, rtu=rtu)
        if options.ups is not None:
            there = setup.model_copy(update={"address": options.ups.address})
            line = profile.model_copy(update={"serial": SerialLine(baud=options.ups.baud)})
            self._ups = buses.port(there, line)

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        """On all wires from here to the end of the block."""
        async with AsyncExitStack() as stack:
            for port in (self._board, self._sensor and self._sensor[0], self._ups):
                if port is not None:
                    await stack.enter_async_context(port.standing())
            yield

    async def look(self) -> Readings:
        """How all stands; what is silent is None. Raises DeviceUnreachable, DeviceRefused for the board."""
        inputs = await self._ask(self._codec.read_inputs(0, self._options.inputs))
        relays = await self._ask(self._codec.read_coils(0, self._options.relays))
        return Readings(inputs.bits, relays.bits, await self._temperature(), await self.ups())

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
        await self._board.pause(seconds)

    async def _temperature(self) -> float | None:
        sensor = self._options.temperature
        if self._sensor is None or sensor is None:
            return None
        port, codec = self._sensor
        question = codec.read(sensor.space, sensor.address, 1)
        try:
            answer = await port.run(Urgency.POLL, lambda turn: turn.ask(question.frame, question.read))
        except DeviceUnreachable:
            return None
        if answer.exception:
            return None
        (raw,) = answer.registers
        return round((raw - 0x10000 if raw & 0x8000 else raw) * sensor.scale, 1)

    async def _ask(self, question: Question, urgency: Urgency = Urgency.POLL) -> Answer:
        answer = await self._board.run(urgency, lambda turn: turn.ask(question.frame, question.read))
        if answer.exception:
            why = exception_sentence(answer.exception, "通道")
            raise DeviceRefused(f"「{self._name}」控制板：{why}")
        return answer
