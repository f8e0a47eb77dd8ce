"""Projectors: greeting and password, warming up and cooling down, one short connection per conversation."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.bus import Address, Link
from device_drivers.pjlink import DeviceDriver, codec
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import BoardPicture, DeviceState, Outcome, ScreenPicture
from hall_core.errors import DeviceRefused, DeviceUnreachable
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool

CLASS_1, LASER = (firmware_profiles.load(f"pjlink.{name}") for name in ("class1", "panasonic-pt-vmz51"))
#: the example of the standard, 5.1
TOKEN, PASSWORD = "498e4a67", "JBMIAProjectorLink"
DIGEST = "5d8409bc1c3fa39749434aa3a5c38682"


class Projector:
    """A projector: its answers by command, and errors it gives to settings instead."""

    def __init__(self, greeting: str = "PJLINK 0\r") -> None:
        self.greeting = greeting
        self.values = {"POWR": "1", "INPT": "31", "AVMT": "30", "ERST": "000000", "LAMP": "1234 1"}
        self.errors: dict[str, list[str]] = {}
        self.ignores: set[str] = set()
        self.volume = 7
        self.loudest = 20
        #: every line, without its digest and end
        self.heard: list[str] = []
        self.silences = 0

    @property
    def set(self) -> list[str]:
        return [line[2:] for line in self.heard if not line.endswith("?")]

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        line = data.decode("ascii").removesuffix("\r")
        if self.greeting.startswith("PJLINK 1") and not self.heard_on_link:
            digest, line = line[:32], line[32:]
            right = hashlib.md5((TOKEN + PASSWORD).encode()).hexdigest()
            if digest != right:
                wire.say(b"PJLINK ERRA\r")
                return
        self.heard_on_link = True
        self.heard.append(line)
        if self.silences:
            self.silences -= 1
            return
        wire.say(f"{line[:6]}={self._answer(line[2:6], line[7:])}\r".encode())

    def _answer(self, command: str, parameter: str) -> str:
        if parameter == "?":
            return self.values[command]
        if self.errors.get(command):
            return self.errors[command].pop(0)
        if command == "SVOL":
            self.volume = min(max(self.volume + (1 if parameter == "1" else -1), 0), self.loudest)
        elif command == "AVMT":
            self._mute(parameter)
        elif command not in self.ignores:
            warm = {"1": "3", "0": "2"}
            self.values[command] = warm[parameter] if command == "POWR" else parameter
        return "OK"

    def _mute(self, parameter: str) -> None:
        dark, muted = (self.values["AVMT"] in ("11", "31")), (self.values["AVMT"] in ("21", "31"))
        dark = parameter[1] == "1" if parameter[0] in "13" else dark
        muted = parameter[1] == "1" if parameter[0] in "23" else muted
        self.values["AVMT"] = "31" if dark and muted else "11" if dark else "21" if muted else "30"


@dataclass
class Network(FakeWire):
    """A wire whose device speaks first, on every new connection."""

    projector: Projector | None = None

    async def open(self, address: Address, profile: Profile, hear: Any, lost: Any) -> Link:
        assert self.projector is not None
        self.device = self.projector
        link = await super().open(address, profile, hear, lost)
        self.projector.heard_on_link = False
        if self.projector.greeting == "hang up":
            asyncio.get_running_loop().call_soon(self.hang_up)
        else:
            self.say(self.projector.greeting.encode())
        return link


@pytest.fixture
def projector() -> Iterator[Projector]:
    return Projector()


def projector_driver(buses: Any, clock: FixedClock, profile: Profile = CLASS_1, **kw: Any) -> DeviceDriver:
    setup = {"name": "beamer", "profile": profile.id, "address": "tcp://127.0.0.1:9"} | kw
    return DeviceDriver(DeviceSetup.model_validate(setup), profile, buses, clock)


def quick(profile: Profile = CLASS_1) -> Profile:
    timing = profile.timing.model_copy(update={"response_timeout_ms": 15})
    return profile.model_copy(update={"timing": timing})


def test_the_digest_is_that_of_the_standards_example() -> None:
    assert codec.digest(TOKEN, PASSWORD).decode() == DIGEST


@given(st.integers(1, 40))
def test_greeting_and_answer_are_found_however_they_are_cut(cut: int) -> None:
    heard = b"PJLINK 1 498e4a67\r%1POWR=3\r"
    assert codec.greeting(heard[:cut]) == (codec.Greeting(TOKEN) if cut >= 18 else None)
    assert codec.answer_to("POWR", 1, heard[:cut]) == ("3" if cut >= len(heard) else None)


@pytest.mark.parametrize(
    ("heard", "answer"),
    [
        (b"%1POWR=ERR3\r", "ERR3"),
        (b"%1powr=1\r", "1"),
        (b"%2POWR=1\r", None),
        (b"%1INPT=31\r%1POWR=0\r", "0"),
        (b"PJLINK ERRA\r", "ERRA"),
        ("%1POWR=大厅\r".encode(), "大厅"),
    ],
)
def test_only_the_line_that_answers_is_an_answer(heard: bytes, answer: str | None) -> None:
    assert codec.answer_to("POWR", 1, heard) == answer


async def test_what_is_not_as_wanted_is_set_and_read_back(clock: FixedClock, projector: Projector) -> None:
    wire = Network(projector=projector)
    async with pool(clock, wire) as buses, projector_driver(buses, clock) as driver:
        wanted = ScreenPicture(on=True, input="hdmi2", muted=True, volume=50, brightness=50)
        assert await driver.show(wanted) is Outcome.APPLIED
        assert projector.set == ["INPT 32", "AVMT 21"]
        assert await driver.show(wanted) is Outcome.APPLIED
        assert (await driver.probe()).detail == ""
        assert projector.set == ["INPT 32", "AVMT 21"]


async def test_each_conversation_has_its_own_connection_so_that_others_may_talk_too(
    clock: FixedClock, projector: Projector
) -> None:
    wire = Network(projector=projector)
    async with pool(clock, wire) as buses, projector_driver(buses, clock) as driver:
        assert (wire.opened, wire.link) == (1, None)
        await driver.probe()
        assert (wire.opened, wire.link) == (2, None)


async def test_the_password_is_proven_once_per_connection(clock: FixedClock) -> None:
    projector = Projector(f"PJLINK 1 {TOKEN}\r")
    wire = Network(projector=projector)
    options = {"password": PASSWORD}
    async with pool(clock, wire) as buses, projector_driver(buses, clock, options=options) as driver:
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.APPLIED
    assert [frame for frame in wire.frames if DIGEST.encode() in frame] == [
        f"{DIGEST}%1POWR ?\r".encode()
    ] * 3


@pytest.mark.parametrize(
    ("options", "words"), [({}, "要求 PJLink 密码"), ({"password": "guess"}, "密码不正确")]
)
async def test_a_missing_or_wrong_password_is_said_in_words_and_never_repeated(
    clock: FixedClock, options: dict[str, str], words: str
) -> None:
    wire = Network(projector=Projector(f"PJLINK 1 {TOKEN}\r"))
    async with pool(clock, wire) as buses, projector_driver(buses, clock, options=options) as driver:
        health = await driver.probe()
        assert (health.state, words in health.detail) == (DeviceState.DEGRADED, True)
        with pytest.raises(DeviceRefused, match=words) as caught:
            await driver.show(ScreenPicture(on=True))
    assert "guess" not in f"{health}{caught.value!r}{driver._options!r}"


async def test_switching_on_is_not_waited_for_and_the_rest_follows_when_it_is_warm(
    clock: FixedClock, projector: Projector
) -> None:
    projector.values["POWR"] = "0"
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        wanted = ScreenPicture(on=True, input="hdmi2")
        assert await driver.show(wanted) is Outcome.ACCEPTED
        health = await driver.probe()
        assert (health.state, "正在预热" in health.detail) == (DeviceState.ONLINE, True)
        assert await driver.show(wanted) is Outcome.ACCEPTED
        assert projector.set == ["POWR 1"]
        projector.values["POWR"] = "1"
        assert "已恢复" in (await driver.probe()).detail
        assert projector.set == ["POWR 1", "INPT 32"]
        assert await driver.show(wanted) is Outcome.APPLIED


async def test_a_projector_that_cools_down_is_told_when_it_has_cooled(
    clock: FixedClock, projector: Projector
) -> None:
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        assert await driver.show(ScreenPicture(on=False)) is Outcome.ACCEPTED
        assert await driver.show(ScreenPicture(on=True)) is Outcome.UNCONFIRMED
        assert "正在散热" in (await driver.probe()).detail
        assert projector.set == ["POWR 0"]
        projector.values["POWR"] = "0"
        assert "正在预热" in (await driver.probe()).detail
        assert projector.set == ["POWR 0", "POWR 1"]


async def test_not_now_is_no_refusal_for_good(clock: FixedClock, projector: Projector) -> None:
    projector.errors["INPT"] = ["ERR3", "ERR3"]
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        wanted = ScreenPicture(on=True, input="hdmi2", muted=True)
        assert await driver.show(wanted) is Outcome.UNCONFIRMED
        assert projector.values["AVMT"] == "21"
        health = await driver.probe()
        assert (health.state, "现在不能执行 INPT" in health.detail) == (DeviceState.DEGRADED, True)
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert projector.values["INPT"] == "32"


@pytest.mark.parametrize(("error", "words"), [("ERR1", "不支持"), ("ERR2", "没有这个取值"), ("ERR4", "故障")])
async def test_other_errors_are_refusals_in_words(
    clock: FixedClock, projector: Projector, error: str, words: str
) -> None:
    projector.errors["INPT"] = [error, error]
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        with pytest.raises(DeviceRefused, match=words):
            await driver.show(ScreenPicture(on=True, input="hdmi2"))
        assert (await driver.probe()).state is DeviceState.DEGRADED


async def test_what_somebody_changed_by_hand_is_set_again_by_the_probe(
    clock: FixedClock, projector: Projector
) -> None:
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        await driver.show(ScreenPicture(on=True, input="hdmi1", muted=True))
        projector.values |= {"INPT": "11", "AVMT": "31"}
        assert "已恢复" in (await driver.probe()).detail
        assert (projector.values["INPT"], projector.values["AVMT"]) == ("31", "21")
        projector.values["POWR"] = "0"
        assert "正在预热" in (await driver.probe()).detail


async def test_a_projector_that_acknowledges_and_does_nothing_is_degraded(
    clock: FixedClock, projector: Projector
) -> None:
    projector.ignores = {"INPT"}
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.ACCEPTED
        health = await driver.probe()
        assert (health.state, "没有照做：输入源" in health.detail) == (DeviceState.DEGRADED, True)


async def test_a_volume_is_stepped_from_the_bottom_once_and_from_where_it_stands_then(
    clock: FixedClock, projector: Projector
) -> None:
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock, LASER) as driver,
    ):
        assert await driver.show(ScreenPicture(on=True, volume=50)) is Outcome.ACCEPTED
        assert (projector.volume, len(projector.set)) == (10, 30)
        assert await driver.show(ScreenPicture(on=True, volume=50)) is Outcome.APPLIED
        assert await driver.show(ScreenPicture(on=True, volume=25)) is Outcome.ACCEPTED
        assert (projector.volume, len(projector.set)) == (5, 35)
        assert projector.heard[-1] == "%2SVOL 0"
        projector.values["POWR"] = "3"
        await driver.probe()
        projector.values["POWR"], projector.volume = "1", 19
        await driver.probe()
        assert projector.volume == 5


@pytest.mark.parametrize(
    ("errors", "lamps", "words"),
    [
        ("200000", "10 1", "风扇故障"),
        ("010000", "10 1", "灯泡寿命将尽"),
        ("002000", "10 1", "温度过高"),
        ("000200", "10 1", "机盖未关好"),
        ("000010", "10 1", "滤网该清洗了"),
        ("000002", "10 1", "指示灯"),
        ("000000", "10 1 4100 0", "灯泡已用 4100 小时"),
    ],
)
async def test_troubles_are_told_in_words(
    clock: FixedClock, projector: Projector, errors: str, lamps: str, words: str
) -> None:
    projector.values |= {"ERST": errors, "LAMP": lamps}
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        health = await driver.probe()
    assert (health.state, words in health.detail) == (DeviceState.DEGRADED, True)


async def test_a_projector_without_lamp_and_sound_is_well(clock: FixedClock, projector: Projector) -> None:
    projector.values |= {"LAMP": "ERR1", "AVMT": "ERR1", "ERST": "ERR3"}
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_silent_projector_is_asked_again_over_a_new_connection(
    clock: FixedClock, projector: Projector
) -> None:
    wire = Network(projector=projector)
    async with pool(clock, wire) as buses, projector_driver(buses, clock, quick()) as driver:
        projector.silences = 1
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert wire.opened == 3
        projector.silences = 9
        with pytest.raises(DeviceUnreachable, match="没有应答"):
            await driver.probe()


@pytest.mark.parametrize(
    ("greeting", "words"),
    [("hang up", "可能正被其他程序占用"), ("", "没有 PJLink 问候"), ("SSH-2.0\r", "没有 PJLink 问候")],
)
async def test_a_port_that_does_not_greet_is_no_projector(
    clock: FixedClock, projector: Projector, greeting: str, words: str
) -> None:
    projector.greeting = greeting
    async with pool(clock, Network(projector=projector)) as buses:
        with pytest.raises(DeviceUnreachable, match=words):
            async with projector_driver(buses, clock, quick()):
                raise AssertionError


async def test_a_projector_shows_no_numbers_does_no_jobs_and_knows_only_its_own_inputs(
    clock: FixedClock, projector: Projector
) -> None:
    async with (
        pool(clock, Network(projector=projector)) as buses,
        projector_driver(buses, clock) as driver,
    ):
        with pytest.raises(DeviceRefused, match="「beamer」是投影机"):
            await driver.show(BoardPicture(hall="海棠街道"))
        with pytest.raises(DeviceRefused, match="print-ticket"):
            await driver.do(JOB)
        with pytest.raises(DeviceRefused, match="没有输入源 scart，现有：rgb1、"):
            await driver.show(ScreenPicture(on=True, input="scart"))
    assert projector.set == []
