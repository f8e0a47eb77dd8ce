"""Simulated card readers, judged by the published frames."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pytest

import firmware_profiles
from device_drivers import BusPool, open_driver
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CardRead, DeviceState
from simulators.device import SimDevice
from tests.drivers.captures import FOLDER, Capture, _read
from tests.simulators.conftest import Simulate, Wire, wire

READER = {"profile": "card.sam-v"}
CAPTURES = {
    path.stem: replace(_read(path), family="card_sam") for path in (FOLDER / "card_sam").rglob("*.txt")
}
FIND, SELECT = "AA AA AA 96 69 00 03 20 01 22", "AA AA AA 96 69 00 03 20 02 21"
READ, FINGERS = "AA AA AA 96 69 00 03 30 01 32", "AA AA AA 96 69 00 03 30 10 23"
STATUS, NUMBER = "AA AA AA 96 69 00 03 11 FF ED", "AA AA AA 96 69 00 03 12 FF EE"
WELL, NO_CARD = "AA AA AA 96 69 00 04 00 00 90 94", "AA AA AA 96 69 00 04 00 00 80 84"
FOUND = "AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97"
SELECTED = "AA AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C"
NOT_SELECTED, NOT_READ = "AA AA AA 96 69 00 04 00 00 81 85", "AA AA AA 96 69 00 04 00 00 41 45"


@asynccontextmanager
async def one(simulate: Simulate, **setup: Any) -> AsyncIterator[tuple[SimDevice, Wire]]:
    async with simulate(READER | setup) as hall, wire(hall.devices["device-1"].address) as host:
        yield hall.devices["device-1"], host


async def told(host: Wire, question: str, answer: str) -> None:
    assert (await host.ask(question, answer)).hex(" ").upper() == answer


async def content(host: Wire) -> bytes:
    """Read a card as a program of the field does: 1295 octets, fields at their places."""
    await told(host, FIND, FOUND)
    await told(host, SELECT, SELECTED)
    host.send(READ)
    frame = await host.receive(1295)
    assert frame.hex(" ").upper().startswith("AA AA AA 96 69 05 08 00 00 90 01 00 04 00")
    assert reduce(xor, frame[5:]) == 0
    return frame[14 : 14 + 256]


async def test_a_card_is_found_selected_read_and_not_found_again_until_lifted(simulate: Simulate) -> None:
    async with one(simulate) as (device, host):
        await told(host, FIND, NO_CARD)
        device.key("card-1")
        first = await content(host)
        await told(host, FIND, NO_CARD)
        device.key("lift")
        await told(host, FIND, NO_CARD)
        device.key("card-1")
        assert await content(host) == first
        device.key("card-2")
        assert await content(host) != first
        assert device.shows()["reads"] == 3


async def test_a_card_holds_its_fields_in_their_places(simulate: Simulate) -> None:
    async with one(simulate) as (device, host):
        device.key("card-2")
        text = (await content(host)).decode("utf-16-le")
        number = text[61:79]
        assert (text[:15].strip(), text[15], text[16:18], text[18:26]) == ("测试二", "1", "01", "19000102")
        assert (number[6:14], text[94:102], text[102:110].strip()) == ("19000102", "20200101", "长期")
        # GB 11643: the weighted sum of all places leaves 1 when divided by 11
        weights = [2**place % 11 for place in range(17, -1, -1)]
        assert sum("0123456789X".index(d) * w for d, w in zip(number, weights, strict=True)) % 11 == 1
        assert device.shows()["card"] == f"{number[:6]}********{number[-4:]}"
        assert number not in str(device.report())


async def test_steps_out_of_order_fail(simulate: Simulate) -> None:
    async with one(simulate) as (device, host):
        await told(host, SELECT, NOT_SELECTED)
        await told(host, READ, NOT_READ)
        device.key("card-1")
        await told(host, READ, NOT_READ)
        await told(host, FIND, FOUND)
        device.key("lift")
        await told(host, SELECT, NOT_SELECTED)


async def test_the_other_commands_of_the_module(simulate: Simulate) -> None:
    async with one(simulate) as (device, host):
        await told(host, STATUS, WELL)
        await told(host, "AA AA AA 96 69 00 03 10 FF EC", WELL)
        assert len(await host.ask(NUMBER, "00" * 27)) == 27
        await told(host, "AA AA AA 96 69 00 03 77 01 75", "AA AA AA 96 69 00 04 00 00 21 25")
        await told(host, "AA AA AA 96 69 00 03 20 01 23", "AA AA AA 96 69 00 04 00 00 10 14")
        device.key("card-1")
        await told(host, FIND, FOUND)
        await told(host, SELECT, SELECTED)
        host.send(FINGERS)
        assert (await host.receive(1297))[10:16] == bytes.fromhex("01 00 04 00 00 00")


async def test_noise_and_segments_do_not_hide_a_question(simulate: Simulate) -> None:
    async with one(simulate) as (_, host):
        host.send("AA AA AA AA 96 69 FF FF 00 AA AA")
        for byte in bytes.fromhex(STATUS):
            host.send(bytes([byte]))
        assert (await host.receive(11)).hex(" ").upper() == WELL


async def test_faults_of_a_reader(simulate: Simulate) -> None:
    async with one(simulate) as (device, host):
        device.key("card-1")
        device.fault("nack:65")
        await told(host, FIND, FOUND)
        await told(host, SELECT, SELECTED)
        await told(host, READ, NOT_READ)
        device.clear()
        device.fault("stuck")
        for _ in range(2):  # one of those that find a card again
            await content(host)


@pytest.mark.parametrize("name", CAPTURES)
async def test_the_simulator_answers_as_the_reader_did(simulate: Simulate, name: str) -> None:
    capture: Capture = CAPTURES[name]
    async with one(simulate) as (device, host):
        for place, (mark, data) in enumerate(capture.lines):
            if mark == ">":
                answer = next(d for m, d in capture.lines[place:] if m == "<")
                _hand(device, data, answer)
                host.send(data)
            else:
                heard = await host.receive(len(data))
                whole = len(data) < 1000  # a card's text and photo are the card's own
                assert heard[: len(data) if whole else 14] == data[: len(data) if whole else 14]


def _hand(device: SimDevice, question: bytes, answer: bytes) -> None:
    """What a hand did to the card before this answer."""
    device.clear()
    if answer == bytes.fromhex(FOUND):
        device.key("card-1")
    elif answer == bytes.fromhex(NOT_SELECTED):
        device.key("lift")
    elif answer[9] not in (0x90, 0x80):
        device.fault(f"nack:{answer[9]}")


async def test_the_halls_driver_reads_cards_through_it(simulate: Simulate, tmp_path: Path) -> None:
    tty, clock = tmp_path / "tty", SystemClock()
    profile = firmware_profiles.load("card.sam-v")
    setup = DeviceSetup(
        name="reader",
        profile=profile.id,
        address=f"serial://{tty}",
        options={"pepper": "pepper of a test hall", "poll_ms": 100},
    )
    async with simulate(READER | {"address": f"serial://{tty}"}) as hall:
        device = hall.devices["device-1"]
        async with BusPool(clock=clock) as buses, open_driver(setup, profile, buses, clock) as driver:
            assert (await driver.probe()).state is DeviceState.ONLINE
            events, cards = driver.events(), []
            async with asyncio.timeout(30):
                for key in ("card-1", "card-2", "card-1"):
                    device.key(key)
                    event = await anext(events)
                    assert isinstance(event, CardRead)
                    assert event.masked == device.shows()["card"]
                    cards.append(event.digest)
    assert cards[0] == cards[2] != cards[1]
