"""The simulated cabinet of a 24-hour terminal: its papers' frames, its faults, and its driver at the wires."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from device_drivers import open_driver
from device_drivers.bus import BusPool
from hall_core.clock import FixedClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    DeviceState,
    Outcome,
    Restart,
    ScreenPicture,
    SelfTest,
    SelfTested,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable
from simulators.demo_programs import free_port
from simulators.device import SimDevice
from simulators.terminal_24h_ups import LASTS_S, TEST_S
from tests.simulators.conftest import Simulate, Wire, wire
from tests.simulators.test_modbus_text import rtu

PROFILE = "terminal.h24"


@asynccontextmanager
async def cabinet(simulate: Simulate, **setup: Any) -> AsyncIterator[tuple[SimDevice, str, str]]:
    """The device, the address of its line, and that of its UPS."""
    line, ups = (f"rtu+tcp://127.0.0.1:{free_port()}" for _ in range(2))
    setup = {"profile": PROFILE, "address": line, "options": {"ups": {"address": ups}}} | setup
    async with simulate(setup) as hall:
        yield hall.devices["device-1"], setup["address"], ups


@asynccontextmanager
async def driven(device: SimDevice, clock: FixedClock) -> AsyncIterator[Driver]:
    """Its driver, whose pauses move the clock."""
    timing = device.profile.timing.model_copy(update={"response_timeout_ms": 2000, "retries": 0})
    profile = device.profile.model_copy(update={"timing": timing})
    setup = DeviceSetup.model_validate(device.setup.model_dump())

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    async with (
        BusPool(clock=clock, pause=pause) as buses,
        open_driver(setup, profile, buses, clock) as driver,
    ):
        yield driver


async def told(host: Wire, question: bytes, answer: bytes) -> None:
    assert (await host.ask(question, answer)).hex(" ") == answer.hex(" ")


async def test_the_board_answers_as_its_manual_prints(simulate: Simulate) -> None:
    async with cabinet(simulate, unit=255) as (device, line, _), wire(line) as host:
        for sent, answer in (
            ("FF 02 00 00 00 08 6C 12", "FF 02 01 01 51 A0"),
            ("FF 05 00 00 FF 00 99 E4", "FF 05 00 00 FF 00 99 E4"),
            ("FF 01 00 00 00 08 28 12", "FF 01 01 01 A1 A0"),
        ):
            await told(host, bytes.fromhex(sent), bytes.fromhex(answer))
        assert device.shows()["locked"] is True
        await told(host, bytes.fromhex("FF 05 00 00 00 00 D8 14"), bytes.fromhex("FF 05 00 00 00 00 D8 14"))
        assert device.shows()["locked"] is False


async def test_the_sensor_answers_on_the_same_line_as_its_manual_prints(simulate: Simulate) -> None:
    async with (
        cabinet(simulate, unit=255, options={"temperature": {"unit": 1}}) as (_, line, _),
        wire(line) as host,
    ):
        await told(
            host, bytes.fromhex("01 04 00 01 00 02 20 0B"), bytes.fromhex("01 04 04 01 31 02 22 2A CE")
        )


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("01 02 0008 0001", "82 02"),
        ("01 01 0000 0000", "81 03"),
        ("01 05 0008 FF00", "85 02"),
        ("01 05 0000 0001", "85 03"),
        ("01 03 0000 0001", "83 01"),
        ("02 04 0009 0001", "84 02"),
        ("02 03 0001 0001", "83 01"),
    ],
)
async def test_wrong_requests_get_the_specifications_exceptions(
    simulate: Simulate, sent: str, answer: str
) -> None:
    async with cabinet(simulate) as (_, line, _), wire(line) as host:
        await told(host, rtu(sent), rtu(f"{sent[:2]} {answer}"))


async def test_the_ups_answers_in_the_form_of_its_paper_and_echoes_what_it_does_not_know(
    simulate: Simulate,
) -> None:
    async with cabinet(simulate) as (_, _, ups), wire(ups) as host:
        for piece in (b"Q", b"1", b"\r"):
            host.send(piece)
        assert await host.receive(47) == b"(229.8 229.8 230.1 012 50.0 13.6 25.0 00001000\r"
        assert await host.reply(b"Q9\r", b"\r") == b"Q9\r"


async def test_a_battery_test_takes_ten_seconds_and_is_not_answered(
    simulate: Simulate, clock: FixedClock
) -> None:
    async with cabinet(simulate) as (device, _, ups), wire(ups) as host:
        host.send(b"T\r")
        assert (await host.reply(b"Q1\r", b"\r")).endswith(b"00001100\r")
        assert device.shows()["testing"] is True
        device.fault("battery-weak")
        assert (await host.reply(b"Q1\r", b"\r")).endswith(b"01001100\r")
        clock.advance(TEST_S)
        assert (await host.reply(b"Q1\r", b"\r")).endswith(b"00001000\r")


async def test_without_mains_the_battery_empties_and_says_when_it_is_low(
    simulate: Simulate, clock: FixedClock
) -> None:
    async with cabinet(simulate) as (device, _, ups), wire(ups) as host:
        device.fault("on-battery")
        assert (await host.reply(b"Q1\r", b"\r")).startswith(b"(000.0 000.0 ")
        clock.advance(LASTS_S * 0.9)
        assert device.shows()["battery"] == 10
        assert (await host.reply(b"Q1\r", b"\r")).endswith(b"11001000\r")
        device.clear()
        assert (await host.reply(b"Q1\r", b"\r")).endswith(b"00001000\r")


@pytest.mark.parametrize("tcp", [True, False], ids=["tcp", "rtu"])
async def test_the_driver_finds_it_in_order_locks_it_and_restarts_its_computer(
    simulate: Simulate, clock: FixedClock, tcp: bool
) -> None:
    scheme = "tcp" if tcp else "rtu+tcp"
    async with (
        cabinet(simulate, address=f"{scheme}://127.0.0.1:{free_port()}") as (device, _, _),
        driven(device, clock) as driver,
    ):
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert await driver.show(ScreenPicture(on=False)) is Outcome.APPLIED
        assert device.shows()["locked"] is True
        assert await driver.do(Restart(job_id="1")) is Outcome.APPLIED
        assert device.shows()["restarts"] == 1
        assert device.shows()["power"] is True
        assert [s["shows"]["power"] for s in device.history][-2:] == [False, True]


@pytest.mark.parametrize(
    ("fault", "word"),
    [("door-open", "柜门打开"), ("on-battery", "市电中断"), ("hot", "高于 45")],
)
async def test_a_fault_of_the_cabinet_is_found_by_the_driver_and_by_a_self_test(
    simulate: Simulate, clock: FixedClock, fault: str, word: str
) -> None:
    async with cabinet(simulate) as (device, _, _), driven(device, clock) as driver:
        device.fault(fault)
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert word in found.detail
        device.clear()
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_stuck_relay_neither_locks_nor_restarts(simulate: Simulate, clock: FixedClock) -> None:
    async with cabinet(simulate) as (device, _, _), driven(device, clock) as driver:
        device.fault("relay-stuck")
        with pytest.raises(DeviceRefused, match="锁继电器"):
            await driver.show(ScreenPicture(on=False))
        with pytest.raises(DeviceRefused, match="未重启"):
            await driver.do(Restart(job_id="1"))
        assert device.shows()["restarts"] == 0


async def test_a_silent_cabinet_is_unreachable(simulate: Simulate, clock: FixedClock) -> None:
    async with cabinet(simulate) as (device, _, _), driven(device, clock) as driver:
        device.fault("silence")
        with pytest.raises(DeviceUnreachable):
            await driver.probe()


async def test_an_opened_door_and_a_power_cut_are_seen(simulate: Simulate, clock: FixedClock) -> None:
    async with cabinet(simulate) as (device, _, _), driven(device, clock) as driver:
        await driver.show(ScreenPicture(on=False))
        device.key("door")
        assert "柜门打开" in (await driver.probe()).detail
        device.key("door")
        device.fault("power-cycle", 0)
        assert device.shows()["locked"] is False
        await driver.probe()
        assert device.shows()["locked"] is True


@pytest.mark.parametrize("weak", [False, True])
async def test_a_self_test_runs_the_battery_test_of_the_ups(
    simulate: Simulate, clock: FixedClock, weak: bool
) -> None:
    async with cabinet(simulate) as (device, _, _), driven(device, clock) as driver:
        if weak:
            device.fault("battery-weak")
        assert await driver.do(SelfTest(job_id="7")) is Outcome.APPLIED
        async with asyncio.timeout(5):
            async for event in driver.events():
                if isinstance(event, SelfTested):
                    break
        failed = [f.what for f in event.findings if not f.passed]
        assert failed == (["ups"] if weak else [])
        assert not device.shows()["testing"]


async def test_both_wires_go_down_with_the_cabinet_and_come_back(simulate: Simulate) -> None:
    async with cabinet(simulate) as (device, line, ups):
        async with wire(line) as board, wire(ups) as supply:
            device.fault("offline")
            assert await board.ended()
            assert await supply.ended()
        up = asyncio.Event()
        device.watchers.add(lambda _: up.set())
        device.clear()
        async with asyncio.timeout(5):
            while True:
                try:
                    async with wire(line) as board, wire(ups) as supply:
                        await told(board, rtu("01 02 0000 0008"), rtu("01 02 01 01"))
                        assert await supply.reply(b"Q1\r", b"\r")
                        return
                except ConnectionRefusedError:
                    await asyncio.sleep(0)
