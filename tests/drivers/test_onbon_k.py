"""Onbon font cards: stuffing, checksum, text, refusals."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.onbon_k import codec
from device_drivers.onbon_k.driver import DeviceDriver
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CounterMode, CounterPicture, DeviceState, Outcome
from hall_core.errors import BadFrame, DeviceRefused, DeviceUnreachable, SettingsInvalid
from tests.drivers.wires import FakeWire, pool

PROFILE = firmware_profiles.load("onbon.bx-6k1")


def picture(mode: CounterMode, label: str | None = None, name: str = "3号窗口") -> CounterPicture:
    return CounterPicture(counter="3", name=name, mode=mode, label=label, text="")


def reply(data: bytes, unit: int = 1) -> bytes:
    """A card's frame, by the layout of the BX-5K header file."""
    header = codec.HOST.to_bytes(2, "little") + unit.to_bytes(2, "little") + bytes(6) + b"\xfe\x02"
    body = header + len(data).to_bytes(2, "little") + data
    return b"\xa5" * 8 + codec.stuff(body + codec.crc16_arc(body).to_bytes(2, "little")) + b"\x5a"


class Card:
    """Acknowledges everything; `errors` are given first, one per frame."""

    def __init__(self) -> None:
        self.errors: list[int] = []
        self.seen: list[bytes] = []
        self.areas = 1

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        body = codec.unstuff(re.fullmatch(rb"\xa5+([^\xa5\x5a]+)\x5a", data)[1])  # type: ignore[index]
        self.seen.append(body[14:-2])
        error = self.errors.pop(0) if self.errors else 0
        status = bytes([1, 15]) + bytes(15) + bytes([self.areas]) if self.seen[-1][:2] == b"\xa1\x02" else b""
        wire.say(reply(bytes([0xA0, 1 if error else 0, error, 0, 0]) + status))


def card_driver(buses: BusPool, clock: FixedClock, **kw: object) -> DeviceDriver:
    setup = DeviceSetup.model_validate(
        {"name": "strip-3", "profile": PROFILE.id, "address": "tcp://127.0.0.1:9"} | kw
    )
    return DeviceDriver(setup, PROFILE, buses, clock)


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"", 0), (b"123456789", 0xBB3D), (bytes.fromhex("0100008000000000000000fe0205"), None)],
)
def test_the_checksum_is_crc16_arc(data: bytes, crc: int | None) -> None:
    """BB3D is the published check value of CRC-16/ARC; appending the checksum always gives 0."""
    value = codec.crc16_arc(data)
    assert crc is None or value == crc
    assert codec.crc16_arc(data + value.to_bytes(2, "little")) == 0


@pytest.mark.parametrize(
    ("plain", "stuffed"), [("a5", "a602"), ("a6", "a601"), ("5a", "5b02"), ("5b", "5b01"), ("41", "41")]
)
def test_marks_inside_a_frame_are_stuffed(plain: str, stuffed: str) -> None:
    assert codec.stuff(bytes.fromhex(plain)).hex() == stuffed
    assert codec.unstuff(bytes.fromhex(stuffed)).hex() == plain


@given(st.binary(max_size=200))
def test_stuffing_hides_every_mark_and_can_be_undone(body: bytes) -> None:
    stuffed = codec.stuff(body)
    assert not {0xA5, 0x5A} & set(stuffed)
    assert codec.unstuff(stuffed) == body


@pytest.mark.parametrize("body", [b"\xa6", b"\x5b", b"\xa6\x03", b"\x5b\x00", b"A\xa6"])
def test_a_pair_that_stands_for_nothing_is_a_bad_frame(body: bytes) -> None:
    with pytest.raises(BadFrame):
        codec.unstuff(body)


@given(st.binary(max_size=40), st.integers(1, 20))
def test_an_answer_is_found_behind_noise_and_with_any_number_of_start_marks(noise: bytes, marks: int) -> None:
    frame = b"\xa5" * marks + reply(bytes([0xA0, 0, 0, 0, 0])).lstrip(b"\xa5")
    found = list(codec.answers(noise.replace(b"\xa5", b"") + frame))
    assert [a.error for a in found] == [0]


@given(st.integers(8, 29), st.integers(1, 255))
def test_a_frame_with_one_byte_changed_is_never_an_answer_of_another_content(at: int, change: int) -> None:
    frame = bytearray(reply(bytes([0xA0, 1, 3, 0, 0])))
    frame[min(at, len(frame) - 1)] ^= change
    assert all(a.error == 3 for a in codec.answers(bytes(frame)))


@given(st.text(max_size=60), st.sampled_from(["red", "green", "yellow", None]))
def test_no_text_of_people_can_be_read_as_an_escape(words: str, colour: codec.Colour | None) -> None:
    data = codec.encode_text(words, colour, 240)
    own = 3 if colour else 0
    assert b"\\" not in data[own:]
    assert not any(byte < 0x20 for byte in data[own:])
    data[own:].decode("gbk")


@given(st.text(alphabet="请号到窗口A01😀", max_size=200), st.integers(4, 240))
def test_a_text_is_cut_between_characters(words: str, most: int) -> None:
    data = codec.encode_text(words, None, most)
    assert len(data) <= most
    data.decode("gbk")


async def test_a_closed_counter_clears_the_screen_and_the_reset_command_is_never_sent(
    clock: FixedClock,
) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, card_driver(buses, clock) as driver:
        for mode in CounterMode:
            assert await driver.show(picture(mode, "A018")) is Outcome.ACCEPTED
        await driver.probe()
    commands = [data[:2].hex() for data in card.seen]
    assert commands[1:6] == ["a310", "a306", "a306", "a306", "a306"]
    assert "a201" not in commands


async def test_a_text_wider_than_the_panel_runs(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, card_driver(buses, clock) as driver:
        await driver.show(picture(CounterMode.FREE, name="3号窗口"))
        await driver.show(picture(CounterMode.FREE, name="企业开办综合服务窗口"))
    effects = [data[9 + 19] for data in card.seen if data[:2] == b"\xa3\x06"]
    assert effects == [1, 3]


async def test_a_busy_card_is_left_alone_and_asked_again(clock: FixedClock) -> None:
    card = Card()
    async with (
        pool(clock, FakeWire(card)) as buses,
        card_driver(buses, clock) as driver,
    ):
        card.errors = [codec.BUSY] * 3
        began = clock.monotonic()
        assert await driver.show(picture(CounterMode.CALLED, "A018")) is Outcome.ACCEPTED
        assert clock.monotonic() - began >= 0.9
        card.errors = [codec.BUSY] * 4
        with pytest.raises(DeviceUnreachable, match="忙"):
            await driver.show(picture(CounterMode.CALLED, "A018"))


async def test_a_missing_font_is_said_in_words_and_not_tried_again(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, card_driver(buses, clock) as driver:
        card.errors = [12]
        with pytest.raises(DeviceRefused, match="「strip-3」控制卡缺少字库"):
            await driver.show(picture(CounterMode.CALLED, "A018"))
    assert [data[:2].hex() for data in card.seen] == ["a200", "a306"]


async def test_a_checksum_the_card_found_wrong_is_sent_again(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, card_driver(buses, clock) as driver:
        card.errors = [codec.CHECKSUM]
        assert await driver.show(picture(CounterMode.CALLED, "A018")) is Outcome.ACCEPTED


async def test_a_card_without_its_dynamic_area_is_painted_again(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, card_driver(buses, clock) as driver:
        await driver.show(picture(CounterMode.SERVING, "A018"))
        assert (await driver.probe()).detail == ""
        card.areas = 0
        health = await driver.probe()
        assert (health.state, card.seen[-1][:2]) == (DeviceState.ONLINE, b"\xa3\x06")
        assert "已重新显示" in health.detail


async def test_a_card_behind_a_new_link_is_painted_again(clock: FixedClock) -> None:
    card = Card()
    wire = FakeWire(card)
    async with pool(clock, wire) as buses, card_driver(buses, clock) as driver:
        await driver.show(picture(CounterMode.SERVING, "A018"))
        wire.hang_up()
        assert "已重新显示" in (await driver.probe()).detail
        assert (await driver.probe()).detail == ""


async def test_the_silent_broadcast_is_no_address(clock: FixedClock) -> None:
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(SettingsInvalid, match="65535"):
            card_driver(buses, clock, unit=0xFFFF)


async def test_on_a_shared_line_only_the_cards_own_answer_counts(clock: FixedClock) -> None:
    def neighbour(wire: FakeWire, _data: bytes) -> None:
        wire.say(reply(bytes([0xA0, 1, 12, 0, 0]), unit=7) + reply(bytes([0xA0, 0, 0, 0, 0]), unit=1))

    wire = FakeWire(neighbour)
    async with (
        pool(clock, wire) as buses,
        card_driver(buses, clock, address="serial:///dev/ttyX") as driver,
    ):
        assert (await driver.probe()).state is DeviceState.ONLINE
