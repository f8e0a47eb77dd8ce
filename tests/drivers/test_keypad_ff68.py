"""Key-pads: frames in any noise, echo always, a key pressed once, digits and beeps."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.keypad_ff68 import codec
from device_drivers.keypad_ff68.codec import Frame, FrameParser
from device_drivers.keypad_ff68.driver import DeviceDriver
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    CounterMode,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Evaluated,
    KeyOp,
    KeyPressed,
    Outcome,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool

PROFILE = firmware_profiles.load("keypad.ff68-21")

FRAMES = st.builds(
    Frame, st.integers(0, 255), st.sampled_from([0x01, 0x02, 0x03, 0x11]), st.binary(max_size=8)
)


def picture(label: str | None, mode: CounterMode = CounterMode.CALLED, call_no: int = 1) -> CounterPicture:
    return CounterPicture(
        counter="3", name="3号窗口", mode=mode, label=label, call_no=call_no, waiting=12, text=""
    )


def pad(buses: BusPool, clock: FixedClock, unit: int = 5) -> DeviceDriver:
    setup = DeviceSetup(
        name=f"pad-{unit}", profile=PROFILE.id, address="serial:///dev/ttyX", unit=unit, counter="3"
    )
    return DeviceDriver(setup, PROFILE, buses, clock)


async def steps() -> None:
    """Let the bus do what it can do now."""
    for _ in range(20):
        await asyncio.sleep(0)


def waiting_events(driver: DeviceDriver) -> int:
    return driver._pressed.qsize()


@given(st.lists(FRAMES, max_size=6), st.data())
def test_frames_are_found_in_any_segmentation(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(codec.encode(frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    parser, found = FrameParser(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += parser.feed(stream[start:end])
    assert found == frames


@given(st.binary(max_size=40).filter(lambda b: b"\xff\x68" not in b and not b.endswith(b"\xff")), FRAMES)
def test_a_frame_is_found_behind_noise(noise: bytes, frame: Frame) -> None:
    assert FrameParser().feed(noise + codec.encode(frame)) == [frame]


@given(FRAMES, st.integers(0, 13), FRAMES)
def test_a_torn_frame_does_not_swallow_the_ones_behind_it(torn: Frame, kept: int, frame: Frame) -> None:
    """At worst the torn head eats as many bytes as it announced: the third repetition is always heard."""
    parser = FrameParser()
    start = codec.encode(torn)[: min(kept, len(torn.data) + 8)]
    found = parser.feed(start + codec.encode(frame) * 4)
    assert frame in found


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_break_the_parser_and_never_pile_up(data: bytes) -> None:
    parser = FrameParser()
    for frame in parser.feed(data):
        assert codec.encode(frame) in data
    assert len(parser._rest) < 32


@pytest.mark.parametrize(
    "broken",
    [
        "ff 68 03 04 68 05 01 0c 12 16",  # the two lengths differ
        "ff 68 03 03 67 05 01 0c 12 16",  # middle mark
        "ff 68 03 03 68 05 01 0c 13 16",  # sum
        "ff 68 03 03 68 05 01 0c 12 17",  # end mark
        "ff 68 01 01 68 05 05 16",  # no function
    ],
)
def test_a_broken_frame_is_passed_over(broken: str) -> None:
    whole = Frame(5, 1, b"\x0c")
    assert FrameParser().feed(bytes.fromhex(broken) + codec.encode(whole)) == [whole]


@pytest.mark.parametrize(
    ("ticket", "waiting", "data"),
    [
        ("A001", None, "0a 0a 0a 00 00 01"),
        ("A018", 12, "00 01 02 00 01 08"),
        ("B1234", 5000, "09 09 09 02 03 04"),
        ("A7", 0, "00 00 00 0a 0a 07"),
        ("", None, "0a 0a 0a 0a 0a 0a"),
        ("٣٤٥", None, "0a 0a 0a 0a 0a 0a"),
    ],
)
def test_only_the_last_three_digits_are_shown(ticket: str, waiting: int | None, data: str) -> None:
    assert codec.show(5, ticket, waiting).data.hex(" ") == data


@pytest.mark.parametrize(
    ("data", "event"),
    [
        ("0c", KeyPressed(op=KeyOp.NEXT)),
        ("0d", KeyPressed(op=KeyOp.RECALL)),
        ("0b", KeyPressed(op=KeyOp.EVALUATE)),
        ("0e", KeyPressed(op=KeyOp.CANCEL)),
        ("12", KeyPressed(op=KeyOp.PAUSE)),
        ("02 13", KeyPressed(op=KeyOp.TRANSFER, digits="2")),
        ("00 01 08 0c", KeyPressed(op=KeyOp.NEXT, digits="018")),
        ("06 0f", KeyPressed(op=KeyOp.NO_SHOW)),
        ("00 0f", KeyPressed(op=KeyOp.HOLD)),
        ("03 0f", KeyPressed(op=KeyOp.RETURN)),
        ("09 0f", None),
        ("0f", None),
        ("11", None),
        ("0c 0c", None),
        ("", None),
    ],
)
async def test_what_the_keys_mean(clock: FixedClock, data: str, event: DeviceEvent | None) -> None:
    wire = FakeWire(clock=clock)
    frame = Frame(5, 0x01, bytes.fromhex(data))
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        wire.say(codec.encode(frame))
        await steps()
        assert wire.frames == [codec.encode(frame)], "every frame is echoed, whatever it means"
        assert waiting_events(driver) == (event is not None)
        if event is not None:
            assert await anext(driver.events()) == event


@pytest.mark.parametrize(("key", "score"), [(1, 5), (2, 4), (3, 3), (4, 1)])
async def test_an_evaluation_becomes_a_score_and_is_answered_as_function_01(
    clock: FixedClock, key: int, score: int
) -> None:
    wire = FakeWire(clock=clock)
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        wire.say(codec.encode(Frame(5, 0x11, bytes([key]))))
        assert await anext(driver.events()) == Evaluated(score=score)
        await steps()
    assert wire.frames == [codec.encode(Frame(5, 0x01, bytes([key])))]


async def test_a_repeated_frame_is_echoed_again_and_pressed_once(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    key = codec.encode(Frame(5, 0x01, b"\x0c"))
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        for _ in range(3):
            wire.say(key)
            await steps()
            clock.advance(0.4)
        assert (wire.frames, waiting_events(driver)) == ([key] * 3, 1)
        clock.advance(1.1)
        wire.say(key)
        await steps()
        assert (wire.frames, waiting_events(driver)) == ([key] * 4, 2)


async def test_another_key_within_the_same_second_counts(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        wire.say(codec.encode(Frame(5, 0x01, b"\x0c")) + codec.encode(Frame(5, 0x01, b"\x0d")))
        await steps()
        assert waiting_events(driver) == 2


async def test_two_pads_on_one_line_hear_only_their_own_keys(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    key = codec.encode(Frame(6, 0x01, b"\x0c"))
    async with (
        pool(clock, wire) as buses,
        pad(buses, clock, 5) as five,
        pad(buses, clock, 6) as six,
    ):
        wire.say(key)
        await steps()
        assert (waiting_events(five), waiting_events(six)) == (0, 1)
        assert (wire.frames, wire.opened) == ([key], 1)


async def test_a_new_call_beeps_once_and_a_recall_beeps_again(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    beep = codec.encode(codec.beep(5))
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        assert await driver.show(picture("A018")) is Outcome.UNCONFIRMED
        await driver.show(picture("A018"))
        assert wire.frames.count(beep) == 1
        await driver.show(picture("A018", call_no=2))
        assert wire.frames.count(beep) == 2
        await driver.show(picture("A018", CounterMode.SERVING, call_no=2))
        await driver.show(picture(None, CounterMode.FREE, call_no=2))
        assert wire.frames.count(beep) == 2
    assert wire.frames[-1] == codec.encode(codec.show(5, "000", 12))


async def test_a_pad_is_unconfirmed_until_heard_and_again_after_long_silence(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        assert (await driver.probe()).state is DeviceState.UNCONFIRMED
        wire.say(codec.encode(Frame(5, 0x01, b"\x0c")))
        assert (await driver.probe()).state is DeviceState.ONLINE
        clock.advance(121)
        assert (await driver.probe()).state is DeviceState.UNCONFIRMED


async def test_a_probe_shows_the_digits_again_without_a_beep(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        await driver.show(picture("A018"))
        wire.log.clear()
        await driver.probe()
    assert wire.frames == [codec.encode(codec.show(5, "018", 12))]


async def test_the_events_end_when_the_line_is_lost(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    async with pool(clock, wire) as buses, pad(buses, clock) as driver:
        wire.say(codec.encode(Frame(5, 0x01, b"\x0c")))
        wire.hang_up()
        events = driver.events()
        assert await anext(events) == KeyPressed(op=KeyOp.NEXT)
        with pytest.raises(DeviceUnreachable, match="「pad-5」连接已断开"):
            await anext(events)


async def test_a_line_that_cannot_be_opened_is_told_on_entering(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(unreachable=True)) as buses:
        with pytest.raises(DeviceUnreachable):
            async with pad(buses, clock):
                raise AssertionError


async def test_a_pad_does_not_print(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(clock=clock)) as buses, pad(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="呼叫器"):
            await driver.do(JOB)


async def test_an_evaluator_alone_is_asked_once_after_each_visit_and_shows_no_digits(
    clock: FixedClock,
) -> None:
    wire = FakeWire(clock=clock)
    profile = firmware_profiles.load("keypad.ff68-evaluator")
    setup = DeviceSetup(name="rate", profile=profile.id, address="serial:///x", unit=5, counter="3")
    ask = codec.encode(codec.ask(5))
    async with pool(clock, wire) as buses, DeviceDriver(setup, profile, buses, clock) as driver:
        for ended in (None, "A018-1", "A018-1", None, "A019-1"):
            shown = CounterPicture(counter="3", name="3", mode=CounterMode.FREE, text="", ended=ended)
            await driver.show(shown)
        await driver.probe()
        assert wire.frames == [ask, ask]
        for key, score in ((1, 5), (2, 4), (3, 3), (4, 1)):
            clock.advance(5)
            wire.say(codec.encode(Frame(5, 0x11, bytes([key]))))
            assert await anext(driver.events()) == Evaluated(score=score)
