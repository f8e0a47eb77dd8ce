"""Huidu full-colour screens: packets, fragments, XML of people's words, sessions, refusals."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.huidu_sdk import codec
from device_drivers.huidu_sdk.driver import DeviceDriver
from device_drivers.huidu_sdk.errors import name_of, sentence
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    CounterMode,
    CounterPicture,
    DeviceState,
    Outcome,
    Picture,
    ScreenPicture,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, ProfileInvalid
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, Script, pool

PROFILE = firmware_profiles.load("huidu.hd-a3")
CAPTURES = [
    replace(_read(path), family="huidu_sdk") for path in sorted((FOLDER / "huidu_sdk").rglob("*.txt"))
]
BOARD = BoardPicture(
    hall="海棠街道政务服务中心",
    rows=(BoardRow(label="A018", counter="3号窗口", fresh=True), BoardRow(label="B002", counter="1号窗口")),
    notice="周五 <14:00> 起维护 & 停办",
)


def said(method: str, result: str = "kSuccess", carried: str = "", session: str = "S-1") -> bytes:
    out = f'<out method="{method}" result="{result}">{carried}</out>'
    xml = f'<?xml version="1.0" encoding="utf-8"?><sdk guid="{session}">{out}</sdk>'.encode()
    body = len(xml).to_bytes(4, "little") + bytes(4) + xml
    return (len(body) + 4).to_bytes(2, "little") + b"\x04\x20" + body


@dataclass
class Card:
    """Does everything; `results` change what it answers to a method, once each."""

    results: dict[str, str] = field(default_factory=dict)
    session: str = "S-1"
    size: tuple[int, int] = (384, 192)
    error: int | None = None
    asked: list[tuple[str, str, ElementTree.Element]] = field(default_factory=list)
    beats: int = 0
    _parts: bytes = b""

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        kind, body = data[2:4].hex(), data[4:]
        assert int.from_bytes(data[:2], "little") == len(data)
        if kind == "0120":
            wire.say(bytes.fromhex("08 00 02 20 05 00 00 01"))
        elif kind == "5f00":
            self.beats += 1
            wire.say(bytes.fromhex("04 00 60 00"))
        elif self.error is not None:
            wire.say(b"\x06\x00\x00\x20" + self.error.to_bytes(2, "little"))
        else:
            self._hear(wire, body)

    def _hear(self, wire: FakeWire, body: bytes) -> None:
        assert int.from_bytes(body[4:8], "little") == len(self._parts)
        self._parts += body[8:]
        if len(self._parts) < int.from_bytes(body[:4], "little"):
            return
        root, self._parts = ElementTree.fromstring(self._parts), b""
        (element,) = root
        method = element.get("method", "")
        self.asked.append((method, root.get("guid", ""), element))
        width, height = self.size
        carried = f'<screen width="{width}" height="{height}"/>' if method == "GetDeviceInfo" else ""
        wire.say(said(method, self.results.pop(method, "kSuccess"), carried, self.session))

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]

    def texts(self) -> list[str | None]:
        return [string.text for string in self.asked[-1][2].iter("string")]


def screen(buses: BusPool, clock: FixedClock, profile: str = PROFILE.id, **options: object) -> DeviceDriver:
    setup = DeviceSetup(name="screen", profile=profile, address="tcp://127.0.0.1:9", options=options)
    return DeviceDriver(setup, firmware_profiles.load(profile), buses, clock)


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_driver_plays_every_capture(capture: Capture, in_pieces: bool, clock: FixedClock) -> None:
    script = Script(list(capture.lines), in_pieces)
    setup = DeviceSetup(name="device", profile=capture.profile, address="tcp://127.0.0.1:9")
    async with (
        pool(clock, FakeWire(script)) as buses,
        DeviceDriver(setup, firmware_profiles.load(capture.profile), buses, clock) as driver,
    ):
        picture: Picture = TypeAdapter(Picture).validate_python(capture.command["picture"])
        assert await driver.show(picture) is Outcome(capture.command["outcome"])
    assert script.surprises == []
    assert script.lines == []


def test_the_handshake_is_byte_for_byte_that_of_the_sdk() -> None:
    assert codec.hello().hex(" ") == "08 00 01 20 05 00 00 01"
    (packet,) = codec.command("##GUID", "GetIFVersion", codec.element("version", {"value": "1000005"}))
    assert packet[12:] == (
        b'<?xml version="1.0" encoding="utf-8"?><sdk guid="##GUID"><in method="GetIFVersion">'
        b'<version value="1000005"/></in></sdk>'
    )
    # the same packet as sent by a client of other authors
    foreign = (FOLDER / "huidu_sdk" / "node_sdk.peer").read_text().splitlines()[2]
    assert packet == bytes.fromhex(foreign[2:])


@given(st.text(max_size=400), st.integers(256, 8000))
def test_words_of_people_come_through_xml_and_fragments_as_they_were(words: str, most: int) -> None:
    packets = codec.command("S", "AddProgram", codec.element("string", None, codec.plain(words)), most)
    whole = b"".join(packet[12:] for packet in packets)
    assert all(len(packet) <= most + 12 for packet in packets)
    assert [int.from_bytes(p[8:12], "little") for p in packets] == list(range(0, len(whole), most))
    assert {int.from_bytes(p[4:8], "little") for p in packets} == {len(whole)}
    shown = "".join(c if c.isprintable() else " " for c in words)
    assert (ElementTree.fromstring(whole).findtext(".//string") or "") == shown


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(st.characters(exclude_categories=["Cs", "Cc"]))))
def test_attributes_come_through_xml_as_they_were(given_: dict[str, str]) -> None:
    kept = {k: v for k, v in given_.items() if v.isprintable()}
    assert dict(ElementTree.fromstring(codec.element("x", kept)).attrib) == kept


@given(st.binary(max_size=60))
def test_no_bytes_break_the_readers(noise: bytes) -> None:
    for data in (noise, said("GetIFVersion")[:-9] + noise, b"\x10\x00\x04\x20" + noise):
        try:
            codec.read_hello(data)
            codec.read_answer(data, "GetIFVersion")
            codec.read_heartbeat(data)
        except DeviceRefused:
            continue


def test_an_answer_in_two_fragments_behind_a_heartbeat_is_put_together() -> None:
    whole = said("GetDeviceInfo", carried='<screen width="64" height="32"/>')
    xml, size = whole[12:], (len(whole) - 12).to_bytes(4, "little")

    def part(at: int, data: bytes) -> bytes:
        return (len(data) + 12).to_bytes(2, "little") + b"\x04\x20" + size + at.to_bytes(4, "little") + data

    heard = bytes.fromhex("04 00 60 00") + part(0, xml[:50]) + part(50, xml[50:])
    for cut in range(len(heard)):
        assert codec.read_answer(heard[:cut], "GetDeviceInfo") is None
    answer = codec.read_answer(heard, "GetDeviceInfo")
    assert answer is not None
    assert answer.first("screen") == {"width": "64", "height": "32"}
    assert codec.read_answer(heard, "OpenScreen") is None


def test_a_document_type_is_no_answer() -> None:
    xml = b'<!DOCTYPE sdk [<!ENTITY a "b">]><sdk guid="&a;"><out method="X" result="kSuccess"/></sdk>'
    body = len(xml).to_bytes(4, "little") + bytes(4) + xml
    assert codec.read_answer((len(body) + 4).to_bytes(2, "little") + b"\x04\x20" + body, "X") is None


def test_error_numbers_are_the_places_in_the_vendors_list() -> None:
    """From the vendor's enum: kParseXmlFailed 22, kInvalidMethod 23, kInvalidGUID 43, kPermissionDenied 49."""
    names = {
        0: "kSuccess",
        22: "kParseXmlFailed",
        23: "kInvalidMethod",
        43: "kInvalidGUID",
        49: "kPermissionDenied",
    }
    assert {code: name_of(code) for code in names} == names
    assert "error 999" in sentence(name_of(999))


async def test_a_board_shows_its_calls_from_the_top_and_the_notice_runs(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        assert await driver.show(BOARD) is Outcome.ACCEPTED
    assert card.texts() == ["A018 → 3号窗口", "B002 → 1号窗口", "周五 <14:00> 起维护 & 停办"]
    fonts = [font.get("color") for font in card.asked[-1][2].iter("font")]
    effects = [effect.get("in") for effect in card.asked[-1][2].iter("effect")]
    places = [rectangle.get("y") for rectangle in card.asked[-1][2].iter("rectangle")]
    assert (fonts, effects) == (["#ff0000", "#00ff00", "#ffff00"], ["0", "0", "26"])
    assert places == ["0", "32", "160"]


async def test_no_more_rows_than_fit_are_sent(clock: FixedClock) -> None:
    card = Card()
    rows = tuple(BoardRow(label=f"A{n:03}", counter="1") for n in range(20))
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        await driver.show(BoardPicture(hall="海棠", rows=rows))
        assert len(card.texts()) == 6
        await driver.show(BoardPicture(hall="海棠", rows=rows, notice="通知"))
        assert len(card.texts()) == 6
        await driver.show(BoardPicture(hall="海棠"))
        assert card.texts() == ["海棠"]


async def test_the_first_picture_is_added_and_the_next_update_it(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        await driver.show(BOARD)
        await driver.show(BOARD.model_copy(update={"notice": ""}))
        card.results = {"UpdateProgram": "kNodeNotExist"}  # somebody else cleared the screen
        assert await driver.show(BOARD) is Outcome.ACCEPTED
    assert card.methods == [
        "GetIFVersion",
        "GetDeviceInfo",
        "AddProgram",
        *["UpdateProgram"] * 2,
        "AddProgram",
    ]
    guids = {program.get("guid") for _, _, element in card.asked for program in element.iter("program")}
    assert len(guids) == 1


async def test_a_long_board_is_sent_in_fragments(clock: FixedClock) -> None:
    card = Card()
    wire = FakeWire(card)
    async with pool(clock, wire) as buses, screen(buses, clock, fragment=300) as driver:
        assert await driver.show(BOARD) is Outcome.ACCEPTED
    assert len(card.texts()) == 3
    assert max(len(frame) for frame in wire.frames) == 312


async def test_a_counters_screen_shows_its_own_words(clock: FixedClock) -> None:
    card = Card(size=(192, 32))
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock, "huidu.hd-c15") as driver:
        for mode, shown in ((CounterMode.CALLED, ["A018 → 3号窗口"]), (CounterMode.CLOSED, [])):
            picture = CounterPicture(counter="3", name="3号窗口", mode=mode, label="A018", text="")
            assert await driver.show(picture) is Outcome.ACCEPTED
            assert card.texts() == shown


@pytest.mark.parametrize(
    ("picture", "methods"),
    [
        (ScreenPicture(on=True), ["OpenScreen"]),
        (ScreenPicture(on=False, brightness=70), ["CloseScreen"]),
        (ScreenPicture(on=True, brightness=0), ["SetLuminancePloy", "OpenScreen"]),
    ],
)
async def test_the_screen_is_switched_and_dimmed(
    clock: FixedClock, picture: ScreenPicture, methods: list[str]
) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        assert await driver.show(picture) is Outcome.ACCEPTED
    assert card.methods[2:] == methods
    lights = [element.get("value") for _, _, e in card.asked for element in e.iter("default")]
    assert lights == ["1"] * (len(methods) - 1)  # a card knows 1 … 100


@pytest.mark.parametrize("asked", [{"input": "hdmi1"}, {"volume": 3}, {"muted": True}])
async def test_inputs_and_sound_are_refused_in_words(clock: FixedClock, asked: dict[str, object]) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="没有输入源和音量"):
            await driver.show(ScreenPicture.model_validate({"on": True} | asked))
        with pytest.raises(DeviceRefused, match="不能执行 print-ticket"):
            await driver.do(JOB)
    assert "OpenScreen" not in card.methods


async def test_each_probe_is_a_heartbeat(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        for _ in range(3):
            assert (await driver.probe()).state is DeviceState.ONLINE
    assert card.beats == 3
    assert PROFILE.timing.probe_s <= 30


async def test_behind_a_new_link_everything_is_said_again(clock: FixedClock) -> None:
    card = Card()
    wire = FakeWire(card)
    async with pool(clock, wire) as buses, screen(buses, clock) as driver:
        await driver.show(ScreenPicture(on=True))
        await driver.show(BOARD)
        card.asked.clear()
        card.session = "S-2"
        wire.hang_up()
        health = await driver.probe()
        assert (health.state, health.detail) == (DeviceState.ONLINE, "内容已重新显示 (repainted)")
        assert (await driver.probe()).detail == ""
    assert card.methods == ["GetIFVersion", "GetDeviceInfo", "OpenScreen", "AddProgram"]
    assert [session for _, session, _ in card.asked] == ["##GUID", "S-2", "S-2", "S-2"]


async def test_a_session_the_card_has_forgotten_is_opened_anew(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        card.results = {"AddProgram": "kInvalidGUID"}
        assert await driver.show(BOARD) is Outcome.ACCEPTED
    assert card.methods == [*["GetIFVersion", "GetDeviceInfo", "AddProgram"] * 2]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("kDeviceOccupa", "「screen」控制卡正被其他软件占用"),
        ("kNotSpaceToSave", "「screen」控制卡存储空间已满"),
        ("kRunningError", "「screen」控制卡拒绝：kRunningError"),
    ],
)
async def test_a_refusal_is_said_in_words_and_not_tried_again(
    clock: FixedClock, result: str, words: str
) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        card.results = {"AddProgram": result}
        with pytest.raises(DeviceRefused, match=words):
            await driver.show(BOARD)
    assert card.methods.count("AddProgram") == 1


async def test_an_error_packet_is_said_in_words(clock: FixedClock) -> None:
    card = Card()
    async with pool(clock, FakeWire(card)) as buses, screen(buses, clock) as driver:
        card.error = 49
        with pytest.raises(DeviceRefused, match="「screen」控制卡设有密码"):
            await driver.show(BOARD)


async def test_a_card_of_the_other_huidu_family_is_recognised(clock: FixedClock) -> None:
    def other(wire: FakeWire, _data: bytes) -> None:
        wire.say(b"HT\x00\x1b\x00\x04")

    async with pool(clock, FakeWire(other)) as buses:
        with pytest.raises(DeviceRefused, match="单双色卡"):
            async with screen(buses, clock):
                pass


async def test_a_size_that_differs_from_the_profile_is_told(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(Card(size=(128, 64)))) as buses, screen(buses, clock) as driver:
        health = await driver.probe()
    assert health.state is DeviceState.DEGRADED
    assert "档案写 384×192，控制卡设为 128×64" in health.detail


async def test_a_silent_card_is_unreachable(clock: FixedClock) -> None:
    hasty = PROFILE.model_copy(
        update={"timing": PROFILE.timing.model_copy(update={"response_timeout_ms": 20, "retries": 0})}
    )
    setup = DeviceSetup(name="screen", profile=PROFILE.id, address="tcp://127.0.0.1:9")
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(DeviceUnreachable, match="「screen」"):
            async with DeviceDriver(setup, hasty, buses, clock):
                pass


@pytest.mark.parametrize(
    "change",
    [
        lambda o: o | {"row": "{ticket}"},
        lambda o: o | {"width": 0},
        lambda o: o | {"fragment": 9000},
        lambda o: o | {"colours": {"row": "red"}},
        lambda o: {k: v for k, v in o.items() if k != "font"},
    ],
)
async def test_options_a_screen_cannot_use_are_refused(
    clock: FixedClock, change: Callable[[dict[str, object]], dict[str, object]]
) -> None:
    wrong = PROFILE.model_copy(update={"options": change(PROFILE.options)})
    setup = DeviceSetup(name="screen", profile=PROFILE.id, address="tcp://127.0.0.1:9")
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(ProfileInvalid, match=r"huidu\.hd-a3\.yaml"):
            DeviceDriver(setup, wrong, buses, clock)
