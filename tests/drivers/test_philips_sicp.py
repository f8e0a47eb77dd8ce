"""Philips displays: frames with and without group, waiting for each answer, NAV and NACK, picture values."""

from collections.abc import Iterator
from functools import reduce
from operator import xor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.philips_sicp import DeviceDriver, codec
from device_drivers.philips_sicp.codec import Command
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import BoardPicture, DeviceState, Outcome, ScreenPicture
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool

D_LINE, OLD = (firmware_profiles.load(f"philips.{name}") for name in ("43bdl4550d", "sicp-v1"))
HDMI1, HDMI2 = 0x0D, 0x06
ACK, NACK, NAV = 0x06, 0x15, 0x18


def report(*data: int, unit: int = 1, group: int | None = 0) -> bytes:
    """A display's frame, by the layout of the protocol's description."""
    body = bytes([unit, *([] if group is None else [group]), *data])
    body = bytes([len(body) + 2]) + body
    return body + bytes([reduce(xor, body)])


class Screen:
    """A display: its values by the code that asks for them, and codes it answers in another way."""

    def __init__(self, *, grouped: bool = True) -> None:
        self.grouped = grouped
        self.values: dict[int, list[int]] = {
            0x19: [2],
            0xAD: [HDMI1, 0, 1, 0],
            0x45: [20, 20],
            0x46: [0],
            0x33: [80, 50, 60, 10, 50, 50, 3],
            0x2F: [38, 35],
        }
        #: answered NAV or NACK instead, for ever or so many times
        self.verdicts: dict[int, list[int]] = {}
        self.ignores: set[int] = set()
        self.silences = 0
        self.answers_group = 0
        self.set: list[list[int]] = []
        self.heard: list[int] = []

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        command, *values = data[3:-1] if self.grouped else data[2:-1]
        self.heard.append(command)
        if self.silences:
            self.silences -= 1
            return
        wire.say(report(*self._answer(command, values), group=self.answers_group if self.grouped else None))

    def _answer(self, command: int, values: list[int]) -> list[int]:
        if self.verdicts.get(command):
            return [0, self.verdicts[command].pop(0)]
        if not values:
            return [command, *self.values[command]]
        self.set.append([command, *values])
        asked = {0x18: 0x19, 0xAC: 0xAD, 0x44: 0x45, 0x47: 0x46, 0x32: 0x33}[command]
        if command not in self.ignores:
            self.values[asked] = values
        return [0, ACK]


@pytest.fixture
def screen() -> Iterator[Screen]:
    return Screen()


def display_driver(buses: BusPool, clock: FixedClock, **kw: Any) -> DeviceDriver:
    profile = kw.pop("profile", D_LINE)
    setup = {"name": "hall-screen", "profile": profile.id, "address": "serial:///dev/ttyX"} | kw
    return DeviceDriver(DeviceSetup.model_validate(setup), profile, buses, clock)


@pytest.mark.parametrize(
    ("command", "data", "golden"),
    [
        (Command.POWER, "", "05 01 00 19 1D"),
        (Command.SET_POWER, "02", "06 01 00 18 02 1D"),
        (Command.SET_POWER, "01", "06 01 00 18 01 1E"),
        (Command.INPUT, "", "05 01 00 AD A9"),
        (Command.SET_INPUT, "0D 09 01 00", "09 01 00 AC 0D 09 01 00 A1"),
        (Command.SET_INPUT, "10 09 01 00", "09 01 00 AC 10 09 01 00 BC"),
        (Command.SET_VOLUME, "16 32", "07 01 00 44 16 32 66"),
        (Command.SET_VIDEO, "37 37 37 37 37 37 03", "0C 01 00 32 37 37 37 37 37 37 03 3C"),
        (Command.TEMPERATURE, "", "05 01 00 2F 2B"),
        (Command.SET_MUTE, "00", "06 01 00 47 00 40"),
    ],
)
def test_frames_are_those_of_the_vendors_document(command: Command, data: str, golden: str) -> None:
    assert codec.frame(command, 1, bytes.fromhex(data), grouped=True) == bytes.fromhex(golden)


def test_older_displays_want_no_group_byte() -> None:
    assert codec.frame(Command.SET_POWER, 1, b"\2", grouped=False) == bytes.fromhex("05 01 18 02 1E")
    assert codec.frame(Command.POWER, 1, grouped=False) == bytes.fromhex("04 01 19 1C")


@given(st.lists(st.sampled_from([0, 0xFF, 41, 200]), max_size=20), st.binary(min_size=1, max_size=8))
def test_an_answer_is_found_behind_bytes_that_can_be_no_size(noise: list[int], data: bytes) -> None:
    answer = report(0x19, *data, unit=7)
    heard = bytes(noise) + answer
    assert list(codec.answers(heard, grouped=True)) == [codec.Received(7, 0x19, data)]
    assert codec.Received(7, 0x19, data) not in list(codec.answers(heard[:-1], grouped=True))


@given(st.integers(1, 5), st.integers(1, 255))
def test_a_frame_with_one_byte_changed_is_no_answer(at: int, change: int) -> None:
    frame = bytearray(bytes.fromhex("06 01 00 19 02 1C"))
    frame[at] ^= change
    assert codec.Received(1, 0x19, b"\2") not in list(codec.answers(bytes(frame), grouped=True))


async def test_what_is_not_as_wanted_is_set_and_read_back(clock: FixedClock, screen: Screen) -> None:
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        wanted = ScreenPicture(on=True, input="hdmi2", volume=35, muted=True, brightness=60)
        assert await driver.show(wanted) is Outcome.APPLIED
        assert screen.set == [
            [0xAC, HDMI2, 9, 1, 0],
            [0x44, 35, 35],
            [0x47, 1],
            [0x32, 60, 50, 60, 10, 50, 50, 3],
        ]
        assert await driver.show(wanted) is Outcome.APPLIED
        assert (await driver.probe()).detail == ""
        assert len(screen.set) == 4


async def test_an_answer_may_name_another_group(clock: FixedClock, screen: Screen) -> None:
    screen.answers_group = 1
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.APPLIED


async def test_on_a_shared_line_only_the_displays_own_answer_counts(
    clock: FixedClock, screen: Screen
) -> None:
    def chain(wire: FakeWire, data: bytes) -> None:
        wire.say(report(data[3], 1, 1, unit=2) + report(0, NACK, unit=2))
        screen(wire, data)

    async with pool(clock, FakeWire(chain)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, volume=20)) is Outcome.APPLIED
    assert screen.set == []


async def test_a_display_that_is_off_is_switched_on_and_the_rest_follows_with_the_next_probe(
    clock: FixedClock, screen: Screen
) -> None:
    screen.values[0x19] = [1]
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.ACCEPTED
        assert screen.set == [[0x18, 2]]
        screen.verdicts[0xAD] = [NAV] * 2
        health = await driver.probe()
        assert (health.state, "正在开机" in health.detail) == (DeviceState.ONLINE, True)
        assert "已恢复" in (await driver.probe()).detail
        assert screen.values[0xAD][0] == HDMI2


async def test_a_frame_without_answer_is_sent_again(clock: FixedClock, screen: Screen) -> None:
    quick = D_LINE.model_copy(update={"timing": D_LINE.timing.model_copy(update={"response_timeout_ms": 15})})
    async with (
        pool(clock, FakeWire(screen)) as buses,
        display_driver(buses, clock, profile=quick) as driver,
    ):
        screen.heard.clear()
        screen.silences = 2
        began = clock.monotonic()
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert screen.heard == [0x19, 0x19, 0x19, 0x2F]
        assert clock.monotonic() - began >= 2 * quick.timing.quarantine_ms / 1000
        screen.silences = 9
        with pytest.raises(DeviceUnreachable, match="没有应答"):
            await driver.probe()


async def test_a_frame_the_display_heard_wrongly_is_sent_again(clock: FixedClock, screen: Screen) -> None:
    screen.verdicts[0xAC] = [NAV]
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.APPLIED
    assert screen.heard.count(0xAC) == 2


async def test_what_is_not_possible_now_is_no_refusal_for_good(clock: FixedClock, screen: Screen) -> None:
    screen.verdicts[0xAC] = [NAV] * 4
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, input="hdmi2", volume=5)) is Outcome.UNCONFIRMED
        assert screen.values[0x45] == [5, 5]
        health = await driver.probe()
        assert (health.state, "现在不能执行 输入源" in health.detail) == (DeviceState.DEGRADED, True)
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert screen.values[0xAD][0] == HDMI2


async def test_a_command_the_display_does_not_know_is_a_refusal_in_words(
    clock: FixedClock, screen: Screen
) -> None:
    screen.verdicts |= {0x46: [NACK] * 2, 0x44: [NACK]}
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="「hall-screen」不支持 mute"):
            await driver.show(ScreenPicture(on=True, muted=True))
        assert (await driver.probe()).state is DeviceState.DEGRADED
        with pytest.raises(DeviceRefused, match="不支持 音量"):
            await driver.show(ScreenPicture(on=True, input="hdmi2", volume=5))
        assert screen.values[0xAD][0] == HDMI2


async def test_what_somebody_changed_by_hand_is_set_again_by_the_probe(
    clock: FixedClock, screen: Screen
) -> None:
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        await driver.show(ScreenPicture(on=True, input="hdmi1"))
        screen.values |= {0x19: [1]}
        assert "正在开机" in (await driver.probe()).detail
        screen.values |= {0xAD: [HDMI2, 0, 1, 0]}
        assert "已恢复" in (await driver.probe()).detail
        assert (screen.values[0x19], screen.values[0xAD][0]) == ([2], HDMI1)


async def test_a_display_that_acknowledges_and_does_nothing_is_degraded(
    clock: FixedClock, screen: Screen
) -> None:
    screen.ignores = {0x47}
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, muted=True)) is Outcome.ACCEPTED
        health = await driver.probe()
        assert (health.state, "没有照做：静音" in health.detail) == (DeviceState.DEGRADED, True)


async def test_a_hot_display_is_degraded_and_one_without_sensor_is_well(
    clock: FixedClock, screen: Screen
) -> None:
    screen.values[0x2F] = [40, 82]
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        health = await driver.probe()
        assert (health.state, "82°C" in health.detail) == (DeviceState.DEGRADED, True)
        screen.verdicts[0x2F] = [NACK]
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_model_without_mute_is_muted_by_its_volume_in_its_own_steps(clock: FixedClock) -> None:
    screen = Screen(grouped=False)
    screen.values[0x45] = [20]
    options = {"volume_max": 60}
    async with (
        pool(clock, FakeWire(screen)) as buses,
        display_driver(buses, clock, profile=OLD, options=options) as driver,
    ):
        assert (
            await driver.show(ScreenPicture(on=True, volume=50, muted=True, brightness=9)) is Outcome.APPLIED
        )
        assert await driver.show(ScreenPicture(on=True, volume=50, muted=False)) is Outcome.APPLIED
    assert screen.set == [[0x44, 0], [0x44, 30]]


async def test_a_display_shows_no_numbers_does_no_jobs_and_knows_only_its_own_inputs(
    clock: FixedClock, screen: Screen
) -> None:
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="「hall-screen」是显示屏"):
            await driver.show(BoardPicture(hall="海棠街道"))
        with pytest.raises(DeviceRefused, match="print-ticket"):
            await driver.do(JOB)
        with pytest.raises(DeviceRefused, match="没有输入源 scart，现有：hdmi1、"):
            await driver.show(ScreenPicture(on=True, input="scart"))
    assert screen.set == []


@pytest.mark.parametrize("unit", [0, 256])
async def test_the_silent_broadcast_is_no_address(clock: FixedClock, unit: int) -> None:
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(SettingsInvalid, match="1–255"):
            display_driver(buses, clock, unit=unit)
