"""Whatever comes over a wire, no simulated device breaks and each goes on working."""

from random import Random

import pytest

from hall_core.clock import FixedClock
from simulators.device import SimDevice
from simulators.line import Link
from tests.simulators.conftest import Simulate
from tests.simulators.test_escpos import SLIP
from tests.simulators.test_keypad_ff68 import SHOW_001
from tests.simulators.test_modbus_text import CALLED, FIRMWARE, FIRMWARE_IS, rtu
from tests.simulators.test_onbon_k import ACK, PING, RED, frame, text


class Host:
    """The other end, without a wire between."""

    def __init__(self) -> None:
        self.heard = b""

    def send(self, data: bytes) -> None:
        self.heard += data

    def hang_up(self) -> None:
        self.heard += b"hung up"


SOUND = {
    "onbon.bx-6k1": [bytes.fromhex(RED), frame(text(b"\\C2A001\\FO001", run_mode=2, timeout=3))],
    "modbus.led-strip-generic": [
        rtu("01 10 0010 0003 06 41303031C7EB"),
        rtu("01 03 0000 0010"),
        bytes.fromhex(CALLED),
    ],
    "keypad.ff68-21": [bytes.fromhex(SHOW_001)],
    "escpos.80mm": [
        SLIP,
        bytes.fromhex(
            "1B2A210200000000000000 1D763000010001 00FF 1D6B410341424300 1B4405 00 1D28480600303031323334 1D7201 1D610F"
        ),
    ],
}


def noise(profile: str, random: Random) -> bytes:
    """Frames of the family with bytes changed, left out and put in."""
    data = bytearray(b"".join(random.choices(SOUND[profile], k=3)))
    for _ in range(random.randrange(1, 12)):
        at = random.randrange(len(data))
        match random.randrange(3):
            case 0:
                data[at] = random.randrange(256)
            case 1:
                del data[at]
            case _:
                data[at:at] = random.choice(
                    [b"\xff", b"\x00", b"\xa5", b"\x1d\x28", b"\xff\x68\x02", b"\x5c"]
                )
    return bytes(data)


async def pour(device: SimDevice, link: Link, data: bytes, random: Random) -> None:
    while data:
        size = random.randrange(1, 40)
        await device.line.heard(link, data[:size])
        data = data[size:]


@pytest.mark.parametrize("scheme", ["tcp", "rtu+tcp"])
@pytest.mark.parametrize("profile", SOUND)
async def test_no_bytes_break_a_device(
    simulate: Simulate, clock: FixedClock, profile: str, scheme: str
) -> None:
    random = Random(f"{profile} {scheme}")
    async with simulate({"profile": profile, "address": f"{scheme}://127.0.0.1:0"}) as hall:
        (device,) = hall.devices.values()
        for _ in range(400):
            link = Host()
            await pour(device, link, noise(profile, random), random)
            device.line.lost(link)
            device.shows()
            clock.advance(1)


async def test_after_noise_a_whole_frame_is_understood(simulate: Simulate) -> None:
    random = Random(7)
    async with simulate({"profile": "onbon.bx-6k1"}) as hall:
        (card,) = hall.devices.values()
        link = Host()
        for _ in range(50):
            await pour(card, link, noise("onbon.bx-6k1", random), random)
            link.heard = b""
            await pour(card, link, bytes.fromhex(PING), random)
            assert link.heard.endswith(bytes.fromhex(ACK))


async def test_after_foreign_bytes_a_modbus_gateway_hangs_up_and_a_new_host_is_served(
    simulate: Simulate,
) -> None:
    async with simulate({"profile": "modbus.led-strip-generic"}) as hall:
        (strip,) = hall.devices.values()
        rude, polite = Host(), Host()
        await strip.line.heard(rude, b"GET / HTTP/1.1\r\n\r\n")
        assert rude.heard == b"hung up"
        await strip.line.heard(polite, bytes.fromhex(FIRMWARE))
        assert polite.heard == bytes.fromhex(FIRMWARE_IS)
