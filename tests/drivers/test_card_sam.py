"""ID card readers: frames in any noise, a card told once, and nothing kept of it but digest and mask."""

import asyncio
import gc
import hmac
import logging
import re
import types
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.card_sam import codec
from device_drivers.card_sam.codec import FIND, READ, SELECT, STATUS, Question
from device_drivers.card_sam.driver import DeviceDriver
from device_drivers.card_sam.identity import card_read
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import BoardPicture, CardRead, DeviceState
from hall_core.errors import BadFrame, DeviceRefused, DeviceUnreachable, SettingsInvalid
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, Script, pool

PROFILE = firmware_profiles.load("card.sam-v")
HASTY = PROFILE.model_copy(
    update={"timing": PROFILE.timing.model_copy(update={"response_timeout_ms": 30, "retries": 0})}
)
PEPPER = "pepper of a test hall"
CAPTURES = [replace(_read(path), family="card_sam") for path in sorted((FOLDER / "card_sam").rglob("*.txt"))]
QUESTIONS = {"find": FIND, "select": SELECT, "read": READ, "status": STATUS}


def fake(nth: int) -> str:
    """A number of nobody, made in memory."""
    return "0" * 6 + "1900010" + str(nth) + "0" * 3 + "X"


def content(number: str) -> bytes:
    """Data of a card: text and a photo whose octets repeat the number, to see whether any of it stays."""
    text = " " * 61 + number.ljust(18) + " " * 49
    return b"\x01\x00\x04\x00" + text.encode("utf-16-le") + (number.encode() * 57)[:1024]


def frame(state: int, data: bytes = b"") -> bytes:
    said = bytes([0, 0, state]) + data
    body = (len(said) + 1).to_bytes(2, "big") + said
    return b"\xaa\xaa\xaa\x96\x69" + body + bytes([reduce(xor, body)])


class Reader:
    """Answers like a reader with this card on it; `refinds` as some do without its being lifted."""

    def __init__(self, number: str | None = None) -> None:
        self.number, self.refinds, self.read, self.broken = number, False, 0, {}
        self.told = False

    def lay(self, number: str | None) -> None:
        self.number, self.told = number, False

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        name = next(name for name, question in QUESTIONS.items() if question.frame == data)
        lying = self.number is not None and (self.refinds or not self.told)
        if name in self.broken:
            said = self.broken[name]
        elif name == "find":
            said = frame(0x9F, bytes(4)) if lying else frame(0x80)
        elif name == "read":
            assert self.number is not None
            self.told, self.read = True, self.read + 1
            said = frame(0x90, content(self.number))
        else:
            said = frame(0x90, bytes(8) if name == "select" else b"")
        if said is not None:
            wire.say(said)


def reader(buses: BusPool, clock: FixedClock, profile: Profile = PROFILE, **options: Any) -> DeviceDriver:
    setup = DeviceSetup(
        name="reader",
        profile=profile.id,
        address="serial:///dev/ttyX",
        options=options or {"pepper": PEPPER},
    )
    return DeviceDriver(setup, profile, buses, clock)


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_driver_plays_every_capture(capture: Capture, in_pieces: bool, clock: FixedClock) -> None:
    command = capture.command
    script = Script(list(capture.lines), in_pieces)
    async with (
        pool(clock, FakeWire(script)) as buses,
        reader(buses, clock, **command["options"]) as driver,
    ):
        if command["op"] == "probe":
            script.lines = list(capture.lines)
            assert (await driver.probe()).state is DeviceState(command["state"])
        else:
            event = await anext(driver.events())
            assert event.model_dump(mode="json") == command["event"]
    assert script.surprises == []
    assert script.lines == []


@pytest.mark.parametrize(
    ("question", "golden"),
    [
        (FIND, "AA AA AA 96 69 00 03 20 01 22"),
        (SELECT, "AA AA AA 96 69 00 03 20 02 21"),
        (READ, "AA AA AA 96 69 00 03 30 01 32"),
        (STATUS, "AA AA AA 96 69 00 03 11 FF ED"),
    ],
)
def test_questions_are_the_published_frames(question: Question, golden: str) -> None:
    assert question.frame.hex(" ").upper() == golden


@given(st.binary(max_size=60), st.sampled_from([*QUESTIONS.values()]), st.data())
def test_an_answer_is_found_behind_any_noise(noise: bytes, question: Question, data: st.DataObject) -> None:
    said = frame(question.good, data.draw(st.binary(min_size=question.least, max_size=300)))
    found = codec.answer_to(question, noise + said)
    assert found is not None
    assert found.state == question.good


@given(st.binary(max_size=400), st.sampled_from([*QUESTIONS.values()]))
def test_arbitrary_bytes_never_break_the_reader(data: bytes, question: Question) -> None:
    codec.answer_to(question, data)
    codec.answer_to(question, b"\xaa\xaa\xaa\x96\x69" + data)


@pytest.mark.parametrize(
    "said",
    [
        frame(0x90, content(fake(1)))[:-1],  # not all there
        frame(0x90, content(fake(1)))[:-1] + b"\xff",  # wrong check
        frame(0x90, bytes(8)),  # a late answer to the selecting
        frame(0x9F, bytes(4)),  # a late answer to the finding
        frame(0x90),  # a late answer to the status
    ],
)
def test_what_is_no_answer_to_the_reading_is_not_taken_for_one(said: bytes) -> None:
    assert codec.answer_to(READ, said) is None


def test_the_digest_is_the_keyed_one_and_the_mask_hides_birthday_and_order() -> None:
    number = fake(3)
    card = card_read(content(number), PEPPER.encode())
    assert card.digest == hmac.new(PEPPER.encode(), number.encode(), "sha256").hexdigest()
    assert card.masked == "000000********000X"
    assert card_read(content(number.lower()), PEPPER.encode()) == card
    assert card_read(content(number), b"another pepper of a hall").digest != card.digest


@pytest.mark.parametrize("number", ["", "A" * 18, "0" * 15, "０" * 18])
def test_a_card_without_an_id_number_is_no_card(number: str) -> None:
    with pytest.raises(BadFrame, match="没有居民身份证号码"):
        card_read(content(number), PEPPER.encode())


def hands(driver: DeviceDriver, *moves: Callable[[], None]) -> None:
    """Make one move in each pause between two looks."""
    waiting = [*moves]

    async def pause(_seconds: float) -> None:
        waiting.pop(0)()

    driver._port.pause = pause  # type: ignore[method-assign]


async def test_a_card_is_told_once_until_it_is_lifted(clock: FixedClock) -> None:
    device = Reader(fake(1))
    async with pool(clock, FakeWire(device)) as buses, reader(buses, clock) as driver:
        lie, lift = (lambda: None), (lambda: device.lay(None))
        hands(driver, lie, lift, lambda: device.lay(fake(1)), lie, lambda: device.lay(fake(2)))
        events = driver.events()
        told = [await anext(events) for _ in range(3)]
    assert [event.digest for event in told] == digests(1, 1, 2)
    assert device.read == 3


async def test_a_reader_that_finds_a_lying_card_again_does_not_make_two_of_it(clock: FixedClock) -> None:
    device = Reader(fake(1))
    device.refinds = True
    async with pool(clock, FakeWire(device)) as buses, reader(buses, clock) as driver:
        lie, lift = (lambda: None), (lambda: device.lay(None))
        hands(driver, lie, lie, lift, lambda: device.lay(fake(1)), lie, lambda: device.lay(fake(2)))
        events = driver.events()
        told = [await anext(events) for _ in range(3)]
    assert [event.digest for event in told] == digests(1, 1, 2)
    assert device.read == 6


def digests(*cards: int) -> list[str]:
    return [card_read(content(fake(n)), PEPPER.encode()).digest for n in cards]


@pytest.mark.parametrize("name", ["select", "read"])
async def test_a_card_taken_away_too_soon_is_looked_for_again(clock: FixedClock, name: str) -> None:
    device = Reader(fake(1))
    device.broken = {name: frame(0x81 if name == "select" else 0x41)}
    async with pool(clock, FakeWire(device)) as buses, reader(buses, clock) as driver:
        hands(driver, device.broken.clear)
        assert isinstance(await anext(driver.events()), CardRead)


async def test_a_card_of_another_kind_is_passed_over(clock: FixedClock) -> None:
    device = Reader("NOT-A-NUMBER")
    async with pool(clock, FakeWire(device)) as buses, reader(buses, clock) as driver:
        hands(driver, lambda: device.lay(fake(2)))
        assert await anext(driver.events()) == card_read(content(fake(2)), PEPPER.encode())


@pytest.mark.parametrize(("state", "words"), [(0x60, "自检失败"), (0x66, "未授权"), (0x77, "读卡器错误 77H")])
async def test_a_module_that_is_not_well_is_degraded(clock: FixedClock, state: int, words: str) -> None:
    device = Reader()
    async with pool(clock, FakeWire(device)) as buses, reader(buses, clock) as driver:
        device.broken = {"status": frame(state)}
        found = await driver.probe()
    assert found.state is DeviceState.DEGRADED
    assert words in found.detail


async def test_a_silent_reader_ends_the_events(clock: FixedClock) -> None:
    device = Reader()
    async with pool(clock, FakeWire(device)) as buses, reader(buses, clock, HASTY) as driver:
        device.broken = {"find": None}
        with pytest.raises(DeviceUnreachable, match="没有应答"):
            await anext(driver.events())


async def test_without_a_pepper_no_card_is_read(clock: FixedClock) -> None:
    setup = DeviceSetup(name="reader", profile=PROFILE.id, address="serial:///dev/ttyX")
    wire = FakeWire(Reader(fake(1)))
    async with pool(clock, wire) as buses:
        with pytest.raises(SettingsInvalid, match=r"设备「reader」没有密钥，不能读身份证.*pepper_file"):
            async with DeviceDriver(setup, PROFILE, buses, clock):
                raise AssertionError
    assert wire.frames == []


async def test_a_short_pepper_and_one_that_cannot_be_read_are_refused(
    clock: FixedClock, tmp_path: Path
) -> None:
    async with pool(clock, FakeWire(Reader())) as buses:
        for options, words in (
            ({"pepper": "short"}, "少于 16 个字节"),
            ({"pepper_file": str(tmp_path / "none")}, "pepper_file 无法读取"),
        ):
            with pytest.raises(SettingsInvalid, match=words) as refused:
                async with reader(buses, clock, **options):
                    raise AssertionError
            assert "short" not in str(refused.value).replace("too short", "")


async def test_a_pepper_that_others_may_read_is_refused(clock: FixedClock, tmp_path: Path) -> None:
    (tmp_path / "pepper").write_text(PEPPER)
    (tmp_path / "pepper").chmod(0o640)
    async with pool(clock, FakeWire(Reader())) as buses:
        with pytest.raises(SettingsInvalid, match="chmod 600"):
            async with reader(buses, clock, pepper_file=str(tmp_path / "pepper")):
                raise AssertionError


async def test_a_pepper_file_makes_the_same_digest_with_or_without_a_line_end(
    clock: FixedClock, tmp_path: Path
) -> None:
    for line in (PEPPER, PEPPER + "\n"):
        (tmp_path / "pepper").write_text(line)
        (tmp_path / "pepper").chmod(0o600)
        async with (
            pool(clock, FakeWire(Reader(fake(1)))) as buses,
            reader(buses, clock, pepper_file=str(tmp_path / "pepper")) as driver,
        ):
            assert await anext(driver.events()) == card_read(content(fake(1)), PEPPER.encode())


class Stops:
    """Kinds of objects through which a search does not go: the whole program, and the test, hang on them."""

    KINDS = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, FakeWire, FixedClock)
    LOOP = (asyncio.AbstractEventLoop,)
    #: a coroutine holds the names of its function: among them the test itself, which knows the number
    FRAMES = (types.FrameType, types.CodeType, types.TracebackType, types.CoroutineType)


def everything_behind(*roots: object) -> list[Any]:
    """All objects that can be reached from these, whatever holds them."""
    seen: dict[int, object] = {}
    waiting = [*roots]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (*Stops.KINDS, *Stops.LOOP, *Stops.FRAMES)):
            continue
        seen[id(thing)] = thing
        closure = getattr(thing, "__closure__", None) or ()
        waiting += [*gc.get_referents(thing), *closure]
    return [*seen.values()]


async def test_nothing_of_a_card_stays_in_memory_but_digest_and_mask(clock: FixedClock) -> None:
    number = fake(7)
    wire = FakeWire(Reader(number))
    traces = (
        number.encode(),
        number.encode("utf-16-le"),
        number[6:14].encode(),
        number[6:14].encode("utf-16-le"),
    )
    async with pool(clock, wire) as buses, reader(buses, clock) as driver:
        events = driver.events()
        card = await anext(events)
        things = everything_behind(driver, buses, card, events, wire.link)
        assert any(isinstance(thing, bytearray) for thing in things), "the wire's ear is among them"
        for thing in things:
            raw = thing.encode("utf-16-le") if isinstance(thing, str) else thing
            if isinstance(raw, (bytes, bytearray)):
                assert not any(trace in raw for trace in traces), type(thing)
    assert isinstance(card, CardRead)
    assert card.model_dump().keys() == {"kind", "digest", "masked"}


async def test_the_wire_forgets_a_card_that_was_read_half(clock: FixedClock) -> None:
    device = Reader(fake(7))
    device.broken = {"read": frame(0x90, content(fake(7)))[:600]}
    wire = FakeWire(device)
    async with pool(clock, wire) as buses, reader(buses, clock, HASTY) as driver:
        with pytest.raises(DeviceUnreachable):
            await anext(driver.events())
        heard = [bytes(t) for t in everything_behind(driver, buses) if isinstance(t, bytearray)]
    assert heard
    assert all(fake(7).encode("utf-16-le") not in raw for raw in heard)


async def test_no_number_stands_in_logs_reprs_and_errors(
    clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    number = fake(7)
    said = [repr(codec.answer_to(READ, frame(0x90, content(number))))]
    async with pool(clock, FakeWire(Reader(number))) as buses, reader(buses, clock) as driver:
        said += [repr(await anext(driver.events())), repr(driver), repr(vars(driver))]
    with pytest.raises(BadFrame) as refused:
        card_read(content(number[:-1] + "Y"), PEPPER.encode())
    said += [repr(refused.value), caplog.text]
    assert number[6:14] not in "".join(said)
    assert PEPPER not in repr(driver._options)


def test_the_repository_holds_no_id_like_number_of_this_family() -> None:
    root = Path(__file__).parents[2]
    mine = [
        path
        for name in ("card_sam", "card.sam-v")
        for path in root.rglob(f"*{name}*")
        if ".git" not in path.parts
    ]
    files = {
        f
        for path in mine
        for f in ([path] if path.is_file() else path.rglob("*"))
        if f.suffix in {".py", ".txt", ".yaml"}
    }
    assert len(files) > 8
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"(?<![0-9a-fA-F])\d{17}[\dXx]?(?![0-9a-fA-F])", text), file


async def test_a_reader_neither_shows_nor_prints(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(Reader())) as buses, reader(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="读卡器"):
            await driver.show(BoardPicture(hall="h"))
        with pytest.raises(DeviceRefused, match="读卡器"):
            await driver.do(JOB)
