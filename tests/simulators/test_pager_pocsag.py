"""The simulated pagers: they mend wrong bits, ignore other pagers' pages, and shake until they are returned."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device_drivers import open_driver
from device_drivers.bus import BusPool
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import Outcome, PageUser
from simulators.device import SimDevice
from simulators.pager_pocsag import Transmitter
from simulators.pager_pocsag_receiver import Page, Receiver
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.test_pager_pocsag import decoded
from tests.simulators.conftest import Ear, Simulate, wire

CAPTURES = {
    path.stem: replace(_read(path), family="pager_pocsag")
    for path in sorted((FOLDER / "pager_pocsag" / "whole").glob("*.txt"))
}
ALPHA = CAPTURES["alpha"].sent[0]
PAGERS = {"profile": "pager.pocsag-serial", "address": "rtu+tcp://127.0.0.1:0"}


def bits(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def flipped(words: str, *places: int) -> str:
    turned = [*words]
    for place in places:
        turned[place] = "1" if turned[place] == "0" else "0"
    return "".join(turned)


def test_the_words_of_the_standard_are_heard_as_they_are() -> None:
    """A beep to address 8: sync, two idle words of frame 0 hold nothing else; then idle. ITU-R M.584-2."""
    idle = "01111010100010011100000110010111"
    # address 8 stands in frame 0: 0 | 1 in 18 bits | function 3, check bits by long division
    address = "0" + f"{1:018b}" + "11"
    rest = int(address, 2) << 10
    for bit in range(30, 9, -1):
        rest ^= 0b11101101001 << bit - 10 if rest >> bit & 1 else 0
    word = address + f"{rest:010b}"
    word += str(word.count("1") % 2)
    sync = "01111100110100100001010111011000"
    (page,) = Receiver().feed("10" * 288 + sync + word + idle * 15)
    assert page == Page(8, 3, "")


@pytest.mark.parametrize("size", [1, 7, 32, 5000])
def test_bits_may_come_in_any_pieces(size: int) -> None:
    receiver, words = Receiver(), "0011" + bits(ALPHA)
    pages = [page for at in range(0, len(words), size) for page in receiver.feed(words[at : at + size])]
    assert [(page.address, page.function, page.alpha) for page in pages] == [(700_136, 3, "A018 3")]


def test_two_wrong_bits_in_every_word_are_mended() -> None:
    rng = random.Random(584)
    words = bits(ALPHA)
    for _ in range(50):
        spoilt = words
        for start in range(576, len(words), 32):
            spoilt = flipped(spoilt, *(start + place for place in rng.sample(range(31), 2)))
        (page,) = Receiver().feed(spoilt)
        assert (page.address, page.alpha) == (700_136, "A018 3")


def test_noise_wakes_nobody_for_long() -> None:
    rng = random.Random(7)
    receiver = Receiver()
    receiver.feed("".join(rng.choices("01", k=20_000)))
    pages = receiver.feed("10" * 288 + bits(ALPHA)[576:])
    assert pages[-1].alpha == "A018 3"


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=lambda c: c.name)
async def test_a_captured_page_makes_its_pager_shake(simulate: Simulate, capture: Capture) -> None:
    options = capture.command["options"]
    async with simulate(PAGERS | {"profile": capture.profile, "options": options}) as hall:
        device = hall.devices["device-1"]
        ear = Ear(device.line)
        async with wire(device.address) as host:
            host.send(capture.sent[0])
            await ear.until(len(capture.sent[0]))
        text = capture.command["decoded"].partition("Alpha:   ")[2] or "018 3"
        pager = str(capture.command["job"]["pager"])
        assert device.shows() == {"pages": 1, "pagers": {pager: {"shaking": True, "text": text}}}
        device.key("return")
        assert device.shows()["pagers"] == {}


async def hear(device: SimDevice, data: bytes) -> dict[str, Any]:
    assert isinstance(device.body, Transmitter)
    device.body.hear(data)
    return device.shows()


async def test_pages_to_other_peoples_pagers_are_not_ours(simulate: Simulate) -> None:
    async with simulate(PAGERS | {"options": {"first_address": 700_001}}) as hall:
        assert await hear(hall.devices["device-1"], ALPHA) == {"pages": 0, "pagers": {}}


async def test_noise_on_the_air_is_a_page_nobody_hears(simulate: Simulate) -> None:
    async with simulate(PAGERS) as hall:
        device = hall.devices["device-1"]
        device.fault("garble")
        assert (await hear(device, ALPHA))["pagers"].get("17", {}).get("text") != "A018 3"
        device.clear()
        assert (await hear(device, ALPHA))["pagers"]["17"]["text"] == "A018 3"


async def until_shown(device: SimDevice, pages: int) -> None:
    seen = asyncio.Event()
    device.watchers.add(lambda d: seen.set() if d.shows()["pages"] >= pages else None)
    if device.shows()["pages"] < pages:
        async with asyncio.timeout(10):
            await seen.wait()


@pytest.mark.peer
async def test_what_the_driver_puts_on_a_serial_line_a_foreign_decoder_reads(
    simulate: Simulate, tmp_path: Path
) -> None:
    tty = f"serial://{tmp_path / 'tty'}"
    async with simulate(PAGERS | {"address": tty}) as hall:
        device = hall.devices["device-1"]
        clock = SystemClock()

        async def at_once(seconds: float) -> None:
            """The air is not waited for: a pty has none."""
            del seconds
            await asyncio.sleep(0)

        setup = DeviceSetup(name="pagers", profile=device.profile.id, address=tty)
        quick = device.profile.model_copy(
            update={
                "timing": device.profile.timing.model_copy(update={"gap_ms": 0}),
                "serial": device.profile.serial,
            }
        )
        async with (
            BusPool(clock=clock, pause=at_once) as buses,
            open_driver(setup, quick, buses, clock) as driver,
        ):
            for number, pager in enumerate((17, 1), 1):
                page = PageUser(job_id=f"job-{number}", pager=pager, text=f"请A01{number}号到{number}号窗口")
                assert await driver.do(page) is Outcome.UNCONFIRMED
                await until_shown(device, number)
        shows = device.shows()["pagers"]
        assert shows == {"17": {"shaking": True, "text": "A011 1"}, "1": {"shaking": True, "text": "A012 2"}}
        assert isinstance(device.body, Transmitter)
        assert decoded(tmp_path, bytes(device.body.on_air), 1200, "alpha") == [
            "POCSAG1200: Address:  700136  Function: 3  Alpha:   A011 1",
            "POCSAG1200: Address:  700008  Function: 3  Alpha:   A012 2",
        ]
