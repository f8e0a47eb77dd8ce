"""The cabinet of a 24-hour terminal: what is wrong is said with a remedy, and it is never left without power."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from device_drivers.bus import Neighbour
from device_drivers.terminal_24h.cabinet import Readings, TerminalOptions
from device_drivers.terminal_24h.driver import EVENTS_KEPT, DeviceDriver
from device_drivers.terminal_24h.wiring import REST_S
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    DeviceState,
    Outcome,
    Restart,
    ScreenPicture,
    Sensed,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, ProfileInvalid, SettingsInvalid
from tests.drivers.cabinets import LINE, PROFILE, UPS, TwoWires, said, terminal
from tests.drivers.captures import FOLDER, _read
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, Script, pool

WELL = replace(_read(FOLDER / "terminal_24h" / "whole" / "well_rtu.txt"), family="terminal_24h")


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
async def test_the_driver_plays_the_manuals_frames(clock: FixedClock, in_pieces: bool) -> None:
    capture = WELL
    setup = DeviceSetup(
        name="h24", profile=PROFILE.id, address=LINE, unit=255, options=capture.command["options"]
    )
    script = Script(list(capture.lines), in_pieces)
    async with (
        pool(clock, FakeWire(script)) as buses,
        DeviceDriver(setup, PROFILE, buses, clock) as driver,
    ):
        assert script.lines == []
        script.lines = list(capture.lines)
        assert (await driver.probe()).state is DeviceState(capture.command["state"])
        assert Sensed(name="temperature", value=30.5, unit="°C") in said(driver)
    assert script.surprises == []


async def test_a_cabinet_in_order_is_online_and_tells_its_values(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, _):
        assert await driver.probe() == await driver.probe()
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert {e.name: e.value for e in said(driver)} == {
            "door_open": 0.0,
            "temperature": 30.5,
            "on_battery": 0.0,
            "battery": 100.0,
            "input_voltage": 229.8,
        }


async def test_a_value_is_told_when_it_has_changed_and_not_for_every_flicker(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        said(driver)
        wires.board.tenths = 308
        await driver.probe()
        assert said(driver) == []
        wires.board.tenths, wires.supply.battery = 312, 12.0
        await driver.probe()
        assert {e.name: e.value for e in said(driver)} == {"temperature": 31.2, "battery": 62.0}


@pytest.mark.parametrize("flaw", ["door", "hot", "cold", "mains", "low", "broken", "no-ups", "no-sensor"])
async def test_each_trouble_is_degraded_with_a_remedy_and_goes_by_itself(
    clock: FixedClock, flaw: str
) -> None:
    words = {
        "door": ("柜门打开", "关好柜门"),
        "hot": ("高于 45", "检查风扇"),
        "cold": ("低于 0", "检查加热"),
        "mains": ("市电中断", "检查供电"),
        "low": ("即将断电", "检查供电"),
        "broken": ("UPS 故障", "报修"),
        "no-ups": ("UPS 没有应答", "检查其串口线"),
        "no-sensor": ("温度传感器没有应答", "检查其电源"),
    }
    async with terminal(clock) as (driver, wires):
        board, supply = wires.board, wires.supply
        match flaw:
            case "door":
                board.inputs = 0
            case "hot":
                board.tenths = 620
            case "cold":
                board.tenths = -53
            case "mains":
                supply.bits = 0b10000000
            case "low":
                supply.bits = 0b11000000
            case "broken":
                supply.bits = 0b00010000
            case "no-ups":
                supply.silent = True
            case "no-sensor":
                board.silent = {2}
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert all(word in found.detail for word in words[flaw])
        assert await driver.probe() == found, "a sentence that changes by itself would wake every screen"
        board.inputs, board.tenths, board.silent = 1, 305, set()
        supply.bits, supply.silent = 0, False
        clock.advance(REST_S)
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_silent_sensor_or_supply_does_not_hold_up_every_look_at_the_board(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        wires.board.silent, wires.supply.silent = {2}, True
        await driver.probe()
        sent = [len(wire.frames) for wire in wires.wires.values()]
        found = await driver.probe()
        board, supply = (len(wire.frames) - n for wire, n in zip(wires.wires.values(), sent, strict=True))
        assert (board, supply) == (2, 0), "inputs and relays only"
        assert "温度传感器没有应答" in found.detail
        assert "UPS 没有应答" in found.detail


async def test_the_door_may_stand_open_while_paper_is_filled(clock: FixedClock) -> None:
    hours = {"allowed": {"mon": ["09:00-09:45"]}}
    async with terminal(clock, door=hours) as (driver, wires):
        wires.board.inputs = 0
        assert (await driver.probe()).state is DeviceState.ONLINE, "09:30 in Shanghai"
        clock.advance(20 * 60)
        assert (await driver.probe()).state is DeviceState.DEGRADED


@pytest.mark.parametrize(
    ("part", "state", "detail", "words"),
    [
        ("printer", DeviceState.DEGRADED, "缺纸，请装 80 mm 热敏纸", "缺纸，请装"),
        ("printer", DeviceState.OFFLINE, "", "检查打印机电源"),
        ("reader", DeviceState.OFFLINE, "", "检查读卡器电源"),
        ("screen", DeviceState.OFFLINE, "", "必要时远程重启"),
    ],
)
async def test_a_part_that_fails_degrades_the_terminal_and_says_who_must_do_what(
    clock: FixedClock, part: str, state: DeviceState, detail: str, words: str
) -> None:
    parts: dict[str, Any] = {"parts": {part: "part-1"}}
    async with terminal(clock, Neighbour("part-1", state, detail), **parts) as (driver, _):
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert "part-1" in found.detail
        assert words in found.detail
    async with terminal(clock, Neighbour("part-1", DeviceState.UNKNOWN), **parts) as (driver, _):
        assert (await driver.probe()).state is DeviceState.ONLINE, "nobody knows yet"
    async with terminal(clock, **parts) as (driver, _):
        assert "大厅文件" in (await driver.probe()).detail


async def test_it_is_locked_outside_its_service_and_unlocked_within(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        assert await driver.show(ScreenPicture(on=False)) is Outcome.APPLIED
        assert wires.board.relays == 0b01
        wires.board.relays = 0
        await driver.probe()
        assert wires.board.relays == 0b01, "a board that lost its power is told again"
        assert await driver.show(ScreenPicture(on=True)) is Outcome.APPLIED
        assert wires.board.relays == 0
        with pytest.raises(DeviceRefused):
            await driver.show(BoardPicture(hall="海棠"))


async def test_a_lock_that_does_not_move_is_said(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        wires.board.stuck = {0}
        with pytest.raises(DeviceRefused, match="锁继电器"):
            await driver.show(ScreenPicture(on=False))
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert "锁继电器" in found.detail


async def test_a_terminal_without_a_lock_is_open_and_cannot_be_locked(clock: FixedClock) -> None:
    async with terminal(clock, lock=None) as (driver, _):
        assert await driver.show(ScreenPicture(on=True)) is Outcome.APPLIED
        with pytest.raises(DeviceRefused, match="没有接锁"):
            await driver.show(ScreenPicture(on=False))


async def test_a_restart_cuts_the_power_for_its_time_and_gives_it_back(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        began = clock.monotonic()
        assert await driver.do(Restart(job_id="1")) is Outcome.APPLIED
        assert wires.board.powers == [True, False]
        assert clock.monotonic() - began >= 8
        assert wires.board.relays == 0


async def test_a_restart_that_is_cancelled_gives_the_power_back(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        cut = asyncio.Event()

        async def pause(_: float) -> None:
            cut.set()
            await asyncio.Event().wait()

        driver._wiring.pause = pause  # type: ignore[method-assign,assignment]
        doing = asyncio.get_running_loop().create_task(driver.do(Restart(job_id="1")))
        async with asyncio.timeout(5):
            await cut.wait()
            await driver.probe()
            assert wires.board.relays == 0b10, "a restart under way is nobody's trouble"
            doing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await doing
        assert wires.board.relays == 0


async def test_power_cut_by_a_restart_that_never_ended_is_given_back(clock: FixedClock) -> None:
    wires = TwoWires()
    wires.board.relays = 0b10
    async with terminal(clock, wires=wires) as (driver, _):
        assert wires.board.relays == 0
        wires.board.relays, wires.board.stuck = 0b10, {1}
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert "恢复供电" in found.detail


async def test_a_power_relay_that_does_not_move_restarts_nothing(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        wires.board.stuck = {1}
        with pytest.raises(DeviceRefused, match="未重启"):
            await driver.do(Restart(job_id="1"))
    async with terminal(clock, power=None) as (driver, _):
        with pytest.raises(DeviceRefused, match="不能远程重启"):
            await driver.do(Restart(job_id="1"))


async def test_a_board_that_is_away_has_restarted_nothing_and_one_lost_half_way_may_have(
    clock: FixedClock,
) -> None:
    async with terminal(clock) as (driver, wires):
        wires.board.silent = {1}
        with pytest.raises(DeviceUnreachable):
            await driver.do(Restart(job_id="1"))
        wires.board.silent = set()
        wires.board.deaf_after = len(wires.board.asked) + 3  # a whole look, then nothing
        assert await driver.do(Restart(job_id="2")) is Outcome.UNCONFIRMED


def test_a_normally_open_contact_may_be_wired_the_other_way() -> None:
    options = TerminalOptions.model_validate({"door": {"input": 3, "open": True}})
    assert Readings((False, False, True), ()).door_open(options.door)
    assert not Readings((False, False, False), ()).door_open(options.door)


async def test_events_nobody_fetches_do_not_pile_up(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, wires):
        for n in range(EVENTS_KEPT + 20):
            wires.board.tenths = 200 + 100 * (n % 2)
            await driver.probe()
        assert len(said(driver)) == EVENTS_KEPT


async def test_a_terminal_whose_board_is_silent_cannot_be_entered(clock: FixedClock) -> None:
    wires = TwoWires()
    wires.board.silent = {1}
    with pytest.raises(DeviceUnreachable):
        async with terminal(clock, wires=wires):
            pass


async def test_what_a_cabinet_cannot_do_is_refused(clock: FixedClock) -> None:
    async with terminal(clock) as (driver, _):
        with pytest.raises(DeviceRefused):
            await driver.do(JOB)


@pytest.mark.parametrize(
    "options",
    [
        {"lock": 2},
        {"power": 9},
        {"door": {"input": 9}},
        {"self_test_at": "25:00"},
        {"tz": "Mars/Phobos"},
        {"parts": {"toaster": "t"}},
        {"temperature": {"low": 50}},
        {"ups": {"address": "usb"}},
        {"ups": {"address": UPS, "empty_v": 14}},
    ],
)
async def test_options_that_do_not_hang_together_are_the_halls_fault(
    clock: FixedClock, options: dict[str, Any]
) -> None:
    with pytest.raises((SettingsInvalid, ProfileInvalid), match="h24"):
        async with terminal(clock, **options):
            pass
