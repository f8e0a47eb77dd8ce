"""One Modbus unit on its bus: its exceptions told in words, and patience while it is busy."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from device_drivers.bus.address import parse_address
from device_drivers.bus.modbus import BUSY, NOBODY, Answer, Codec, Question, exception_sentence
from device_drivers.bus.pool import BusPool
from device_drivers.bus.shared import Turn
from device_drivers.bus.wire import NoAnswer
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["ModbusUnit"]

T = TypeVar("T")

BUSY_WAIT_S, BUSY_TRIES = 0.3, 4


class _Busy(DeviceRefused):
    """The unit asks to be left alone for a moment."""


class ModbusUnit:
    """Its place on the bus and its codec. `place` is what its addresses are called, for people."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, place: str) -> None:
        self._name, self._place = setup.name, place
        rtu = parse_address(setup.address, profile).shared_wire
        if not rtu:  # TCP marks its frames: no silence is needed between them
            timing = profile.timing.model_copy(update={"gap_ms": 0})
            profile = profile.model_copy(update={"timing": timing})
        self.port = buses.port(setup, profile)
        self.codec = Codec(setup.unit, rtu=rtu)

    async def ask(self, turn: Turn, question: Question) -> Answer:
        """What it answers. Raises NoAnswer, and DeviceRefused with its exception in words."""
        answer = await turn.ask(question.frame, question.read)
        if answer.exception in NOBODY:
            raise NoAnswer("网关后面的设备没有应答，请检查电源和接线 (nobody behind the gateway)")
        if answer.exception:
            sentence = f"「{self._name}」{exception_sentence(answer.exception, self._place)}"
            raise (_Busy if answer.exception in BUSY else DeviceRefused)(sentence)
        return answer

    async def patiently(self, talk: Callable[[], Awaitable[T]]) -> T:
        """Come back later while it is busy, without holding the wire meanwhile. Raises DeviceUnreachable."""
        for left in reversed(range(BUSY_TRIES)):
            try:
                return await talk()
            except _Busy as error:
                if not left:
                    raise DeviceUnreachable(str(error)) from error
                await self.port.pause(BUSY_WAIT_S)
        raise AssertionError
