"""Small units on a wire, for the tests of buses: one byte names the unit, one the question."""

from collections.abc import Awaitable, Callable

import firmware_profiles
from device_drivers.bus import BusPool, Port, Turn
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile, SerialLine, Timing
from tests.drivers.wires import FakeWire

GAP_S, QUARANTINE_S = 0.05, 0.5
PROFILE = firmware_profiles.load("modbus.led-strip-generic").model_copy(
    update={
        "timing": Timing(
            response_timeout_ms=15, gap_ms=50, quarantine_ms=500, retries=0, probe_s=5, down_after=2
        ),
        "serial": SerialLine(baud=9600),
    }
)
SERIAL, TCP = "serial:///dev/ttyX", "tcp://127.0.0.1:9"


def port(buses: BusPool, unit: int = 1, address: str = SERIAL, profile: Profile = PROFILE) -> Port:
    setup = DeviceSetup(name=f"device-{unit}", profile=profile.id, address=address, unit=unit)
    return buses.port(setup, profile)


def question(unit: int, number: int) -> Callable[[Turn], Awaitable[bytes]]:
    frame = bytes([unit, number])

    def read(data: bytes) -> bytes | None:
        at = data.find(bytes([unit]))
        return data[at : at + 3] if at >= 0 and len(data) >= at + 3 else None

    return lambda turn: turn.ask(frame, read)


class Devices:
    """Answers for the units in `alive`; remembers nothing."""

    def __init__(self, *alive: int) -> None:
        self.alive = set(alive)

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        if data[0] in self.alive:
            wire.say(data + b"!")
