"""Samsung displays: frames, settings in order, switching on without blocking, refusals, errors in words."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.samsung_mdc import DeviceDriver, codec
from device_drivers.samsung_mdc.codec import Command
from device_drivers.samsung_mdc.state import trouble
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import BoardPicture, DeviceState, Outcome, ScreenPicture
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool

LARGE, PLASMA = (firmware_profiles.load(f"samsung.{name}") for name in ("qm55r", "p50hp"))
TCP, SERIAL = "tcp://127.0.0.1:9", "serial:///dev/ttyX"
HDMI1, HDMI1_OF_A_COMPUTER, HDMI2 = 0x21, 0x22, 0x23


def reply(command: int, data: bytes, *, unit: int = 1, well: bool = True) -> bytes:
    """A display's frame, by the layout of the protocol's description."""
    body = bytes([0xFF, unit, len(data) + 2, ord("A" if well else "N"), command]) + data
    return b"\xaa" + body + bytes([sum(body) % 256])


class Screen:
    """A display: what it stands at, and commands it refuses, ignores or is silent to."""

    def __init__(self) -> None:
        self.values = {0x11: 1, 0x12: 20, 0x13: 0, 0x14: HDMI1, 0x25: 80, 0xB5: 0}
        self.errors = bytes([0, 0, 2, 0, 41, 0])
        self.refuses: set[int] = set()
        self.ignores: set[int] = set()
        self.silent = False
        self.unit = 1
        #: (command, value) of everything that was set
        self.set: list[tuple[int, int]] = []
        self.heard: list[int] = []

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        command, value = data[1], data[4:-1]
        self.heard.append(command)
        if self.silent:
            return
        if value and command in self.refuses:
            wire.say(reply(command, b"\x05", unit=self.unit, well=False))
            return
        if value:
            self.set.append((command, value[0]))
            self.values[command] = self.values[command] if command in self.ignores else value[0]
        v = self.values
        known = {0x00: bytes([v[0x11], v[0x12], v[0x13], v[0x14], 1, 0, 0]), 0x0D: self.errors}
        wire.say(reply(command, value or known.get(command) or bytes([v[command]]), unit=self.unit))


def display_driver(buses: BusPool, clock: FixedClock, **kw: object) -> DeviceDriver:
    profile = kw.pop("profile", LARGE)
    setup = {"name": "hall-screen", "profile": profile.id, "address": SERIAL} | kw
    return DeviceDriver(DeviceSetup.model_validate(setup), profile, buses, clock)


@pytest.fixture
def screen() -> Iterator[Screen]:
    return Screen()


@pytest.mark.parametrize(
    ("command", "data", "golden"),
    [
        (Command.STATUS, b"", "AA 00 01 00 01"),
        (Command.POWER, b"\0", "AA 11 01 01 00 13"),
        (Command.POWER, b"\1", "AA 11 01 01 01 14"),
    ],
)
def test_frames_are_those_of_the_field(command: Command, data: bytes, golden: str) -> None:
    assert codec.frame(command, 1, data) == bytes.fromhex(golden)


@given(st.binary(max_size=30), st.binary(max_size=8))
def test_an_answer_is_found_behind_noise(noise: bytes, data: bytes) -> None:
    answer = reply(0x11, data, unit=7)
    heard = noise.replace(b"\xaa", b"") + answer
    expected = codec.Received(7, 0x11, nak=False, data=data)
    assert list(codec.answers(heard)) == [expected]
    assert expected not in list(codec.answers(heard[:-1]))


@given(st.integers(1, 13), st.integers(1, 255))
def test_a_frame_with_one_byte_changed_is_no_answer(at: int, change: int) -> None:
    frame = bytearray(reply(0x00, bytes([1, 20, 0, HDMI1, 1, 0, 0])))
    frame[at] ^= change
    assert not list(codec.answers(bytes(frame)))


async def test_what_is_not_as_wanted_is_set_and_read_back(clock: FixedClock, screen: Screen) -> None:
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        wanted = ScreenPicture(on=True, input="hdmi2", volume=35, muted=True, brightness=60)
        assert await driver.show(wanted) is Outcome.APPLIED
        assert screen.set == [(0x14, HDMI2), (0x12, 35), (0x13, 1), (0x25, 60)]
        assert await driver.show(wanted) is Outcome.APPLIED
        assert (await driver.probe()).detail == ""
        assert len(screen.set) == 4


async def test_a_display_that_is_off_is_switched_on_and_the_rest_follows_with_the_next_probe(
    clock: FixedClock, screen: Screen
) -> None:
    screen.values |= {0x11: 0, 0x14: HDMI2}
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, input="hdmi1")) is Outcome.ACCEPTED
        assert screen.set == [(0x11, 1)]
        health = await driver.probe()
        assert (health.state, screen.set[-1]) == (DeviceState.ONLINE, (0x14, HDMI1))
        assert (await driver.probe()).detail == ""


async def test_while_it_switches_silence_and_refusals_are_no_failures(
    clock: FixedClock, screen: Screen
) -> None:
    screen.values[0x11] = 0
    profile = LARGE.model_copy(
        update={"timing": LARGE.timing.model_copy(update={"response_timeout_ms": 15, "retries": 0})}
    )
    async with (
        pool(clock, FakeWire(screen)) as buses,
        display_driver(buses, clock, profile=profile) as driver,
    ):
        screen.refuses = {0x14}
        await driver.show(ScreenPicture(on=True, input="hdmi2"))
        health = await driver.probe()
        assert (health.state, "正在开机" in health.detail) == (DeviceState.ONLINE, True)
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.UNCONFIRMED
        screen.silent = True
        assert "正在开机" in (await driver.probe()).detail
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.ACCEPTED
        clock.advance(LARGE.options["wakes_s"])
        with pytest.raises(DeviceUnreachable, match="「hall-screen」"):
            await driver.probe()


async def test_one_refused_setting_is_said_in_words_and_keeps_no_other_from_being_set(
    clock: FixedClock, screen: Screen
) -> None:
    screen.refuses = {0x14}
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match=r"拒绝了 输入源 .*错误码 5"):
            await driver.show(ScreenPicture(on=True, input="hdmi2", volume=5))
        assert screen.set == [(0x12, 5)]
        health = await driver.probe()
        assert (health.state, "输入源" in health.detail) == (DeviceState.DEGRADED, True)
        screen.refuses = set()
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert screen.values[0x14] == HDMI2


async def test_what_somebody_changed_by_hand_is_set_again_by_the_probe(
    clock: FixedClock, screen: Screen
) -> None:
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        await driver.show(ScreenPicture(on=True, input="hdmi1", volume=20))
        screen.values |= {0x12: 90, 0x14: HDMI2}
        assert "已恢复" in (await driver.probe()).detail
        assert (screen.values[0x12], screen.values[0x14]) == (20, HDMI1)
        screen.values[0x11] = 0
        assert "正在开机" in (await driver.probe()).detail
        assert screen.values[0x11] == 1


async def test_a_display_that_acknowledges_and_does_nothing_is_degraded(
    clock: FixedClock, screen: Screen
) -> None:
    screen.ignores = {0x14}
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.ACCEPTED
        health = await driver.probe()
        assert (health.state, "没有照做：输入源" in health.detail) == (DeviceState.DEGRADED, True)


async def test_the_other_code_of_an_input_is_that_input(clock: FixedClock, screen: Screen) -> None:
    screen.values[0x14] = HDMI1_OF_A_COMPUTER
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, input="hdmi1")) is Outcome.APPLIED
    assert screen.set == []


async def test_what_a_model_lacks_is_left_out(clock: FixedClock, screen: Screen) -> None:
    screen.values |= {0x12: 0xFF, 0x13: 0xFF}
    async with (
        pool(clock, FakeWire(screen)) as buses,
        display_driver(buses, clock, profile=PLASMA) as driver,
    ):
        wanted = ScreenPicture(on=True, volume=10, muted=True, brightness=50)
        assert await driver.show(wanted) is Outcome.APPLIED
    assert screen.set == []


@pytest.mark.parametrize(
    ("address", "set_too"), [(TCP, [(0xB5, 1)]), (SERIAL, [])], ids=["network", "serial"]
)
async def test_network_standby_is_switched_on_once_so_that_the_display_stays_reachable(
    clock: FixedClock, screen: Screen, address: str, set_too: list[tuple[int, int]]
) -> None:
    async with (
        pool(clock, FakeWire(screen)) as buses,
        display_driver(buses, clock, address=address) as driver,
    ):
        assert await driver.show(ScreenPicture(on=False)) is Outcome.APPLIED
        assert await driver.show(ScreenPicture(on=True)) is Outcome.ACCEPTED
        assert (await driver.probe()).state is DeviceState.ONLINE
    assert screen.set == [*set_too, (0x11, 0), (0x11, 1)]
    assert screen.heard.count(0xB5) == 2 * len(set_too)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ("00 00 00 00 29 00", ""),
        ("00 00 02 02 29 02", ""),
        ("01 00 00 00 29 00", "背光故障"),
        ("00 01 00 00 4E 00", "温度过高 78°C"),
        ("00 00 00 01 29 00", "没有输入信号"),
        ("00 00 01 00 29 01", "风扇故障.*亮度感应器"),
        ("00", ""),
    ],
)
def test_errors_are_told_in_words(errors: str, words: str) -> None:
    said = trouble(bytes.fromhex(errors))
    assert (said == "") is (words == "")
    if words:
        with pytest.raises(ValueError, match=words):
            raise ValueError(said)


async def test_a_hot_display_is_degraded_though_it_works(clock: FixedClock, screen: Screen) -> None:
    screen.errors = bytes([0, 1, 0, 0, 78, 0])
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True)) is Outcome.APPLIED
        health = await driver.probe()
        assert (health.state, "78°C" in health.detail) == (DeviceState.DEGRADED, True)


async def test_on_a_shared_line_only_the_displays_own_answer_counts(
    clock: FixedClock, screen: Screen
) -> None:
    def chain(wire: FakeWire, data: bytes) -> None:
        wire.say(reply(data[1], bytes([0, 0, 0, 0, 0, 0, 0]), unit=2))
        screen(wire, data)

    async with pool(clock, FakeWire(chain)) as buses, display_driver(buses, clock) as driver:
        assert await driver.show(ScreenPicture(on=True, volume=20)) is Outcome.APPLIED
    assert screen.set == []


async def test_a_display_alone_may_be_asked_without_knowing_its_id(clock: FixedClock, screen: Screen) -> None:
    screen.unit = 9
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock, unit=0xFE) as driver:
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_display_shows_no_numbers_does_no_jobs_and_knows_only_its_own_inputs(
    clock: FixedClock, screen: Screen
) -> None:
    async with pool(clock, FakeWire(screen)) as buses, display_driver(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="「hall-screen」是显示屏"):
            await driver.show(BoardPicture(hall="海棠街道"))
        with pytest.raises(DeviceRefused, match="print-ticket"):
            await driver.do(JOB)
        with pytest.raises(DeviceRefused, match="没有输入源 vga，现有：hdmi1、"):
            await driver.show(ScreenPicture(on=True, input="vga"))
    assert screen.set == []


async def test_a_display_that_wants_encryption_says_so_in_words(clock: FixedClock) -> None:
    def secured(wire: FakeWire, _data: bytes) -> None:
        wire.say(b"MDCSTART<<TLS>>")

    timing = LARGE.timing.model_copy(update={"response_timeout_ms": 15, "retries": 0})
    profile = LARGE.model_copy(update={"timing": timing})
    async with (
        pool(clock, FakeWire(secured)) as buses,
        display_driver(buses, clock, profile=profile, address=TCP) as driver,
    ):
        health = await driver.probe()
        assert (health.state, "Secured Protocol" in health.detail) == (DeviceState.DEGRADED, True)
        with pytest.raises(DeviceUnreachable):
            await driver.show(ScreenPicture(on=True))


async def test_the_id_of_all_displays_is_the_highest(clock: FixedClock) -> None:
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(SettingsInvalid, match="254"):
            display_driver(buses, clock, unit=0xFF)
