"""The Huidu full-colour card, judged by the bytes of a client of other authors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest

import firmware_profiles
from device_drivers import open_driver
from device_drivers.bus import BusPool
from hall_core.clock import FixedClock, SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import BoardPicture, BoardRow, DeviceState, Outcome, ScreenPicture
from hall_core.errors import DeviceRefused, DeviceUnreachable
from simulators.device import SimDevice
from simulators.huidu_sdk import _Cable
from tests.drivers.captures import FOLDER, Capture, _read
from tests.simulators.conftest import Simulate, Wire, wire

CARD = {"profile": "huidu.hd-a3"}
HELLO, WELCOME = "08 00 01 20 05 00 00 01", "08 00 02 20 05 00 00 01"
BEAT, BEAT_ANSWER = "04 00 5F 00", "04 00 60 00"
#: what node-huidu-sdk sent: hello, session, name, add, update, brightness, its reading, off, on, info, wrong guid
PEER = [
    bytes.fromhex(line[2:])
    for line in (FOLDER / "huidu_sdk" / "node_sdk.peer").read_text("utf-8").splitlines()
    if line.startswith("> ")
]
CAPTURES = [
    replace(_read(path), family="huidu_sdk") for path in sorted((FOLDER / "huidu_sdk").rglob("*.txt"))
]
BOARD = BoardPicture(hall="海棠", rows=(BoardRow(label="A018", counter="3号窗口"),), notice="<通知> & 公告")


async def answer(host: Wire) -> str:
    """The next XML answer."""
    size = int.from_bytes(await host.receive(2), "little")
    body = await host.receive(size - 2)
    assert body[:2] == b"\x04\x20"
    assert int.from_bytes(body[2:6], "little") == size - 12
    return body[10:].decode()


def command(xml: str) -> bytes:
    data = xml.encode()
    body = len(data).to_bytes(4, "little") + bytes(4) + data
    return (len(body) + 4).to_bytes(2, "little") + b"\x03\x20" + body


def with_session(packet: bytes, session: str) -> bytes:
    """A packet of the foreign client, said in another session of the same length."""
    return packet.replace(b"ece76944-afba-49d8-bf00-73bcf8692ad8", session.encode())


async def greet(host: Wire) -> str:
    """Hello and GetIFVersion as the foreign client says them; returns the session."""
    await host.ask(PEER[0], WELCOME)
    host.send(PEER[1])
    words = await answer(host)
    assert 'method="GetIFVersion" result="kSuccess"' in words
    return words.split('guid="')[1].split('"')[0]


async def test_a_foreign_client_is_served_from_hello_to_refusal(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            session = await greet(host)
            said = []
            for packet in PEER[2:]:
                host.send(with_session(packet, session))
                said.append(await answer(host))
        seen = [(s["shows"]["lines"], s["shows"]["on"], s["shows"]["brightness"]) for s in card.history]
        assert seen == [
            (["A018 & <3> okó"], True, 100),
            (["B002 & 1"], True, 100),
            (["B002 & 1"], True, 40),
            ([], False, 40),
            (["B002 & 1"], True, 40),
        ]
        assert [words.split('result="')[1].split('"')[0] for words in said[:-1]] == ["kSuccess"] * (
            len(said) - 1
        )
        assert 'result="kNodeNotExist"' in said[-1]
        assert '<default value="40"/>' in said[4]
        assert '<screen width="384" height="192"' in said[-2]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_card_answers_as_captured(simulate: Simulate, capture: Capture) -> None:
    async with (
        simulate({"profile": capture.profile}) as hall,
        wire(hall.devices["device-1"].address) as host,
    ):
        for mark, data in capture.lines:
            if mark == ">":
                host.send(data)
            else:
                assert (await host.receive(len(data))).hex(" ") == data.hex(" ")


async def test_a_command_before_the_hello_is_an_error(simulate: Simulate) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        host.send(PEER[1])
        assert (await host.receive(6)).hex(" ") == "06 00 00 20 02 00"


@pytest.mark.parametrize(
    ("xml", "result"),
    [
        ('<sdk guid="SESSION"><in method="Dance"/></sdk>', "kInvalidMethod"),
        ('<sdk guid="other"><in method="OpenScreen"/></sdk>', "kInvalidGUID"),
        ('<sdk guid="SESSION"><in method="AddProgram"/></sdk>', "kScreenNodeIsNull"),
        ('<sdk guid="SESSION"><in method="UpdateProgram"/></sdk>', "kTagNotFound"),
        ('<sdk guid="SESSION"><in method="SetLuminancePloy"/></sdk>', "kTagNotFound"),
        (
            '<sdk guid="SESSION"><in method="SetLuminancePloy"><default value="0"/></in></sdk>',
            "kInvalidParam",
        ),
        ('<sdk guid="SESSION"><in method="OpenScreen"></sdk>', "kParseXmlFailed"),
        (
            '<!DOCTYPE a [<!ENTITY b "c">]><sdk guid="SESSION"><in method="OpenScreen"/></sdk>',
            "kParseXmlFailed",
        ),
        ('<sdk guid="SESSION"/>', "kTagNotFound"),
    ],
)
async def test_what_it_cannot_do_is_refused_by_name(simulate: Simulate, xml: str, result: str) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        session = await greet(host)
        host.send(command(xml.replace("SESSION", session)))
        assert f'result="{result}"' in await answer(host)


async def test_fragments_are_put_together_and_a_wrong_one_is_an_error(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            xml = with_session(PEER[3], await greet(host))[12:]
            size = len(xml).to_bytes(4, "little")

            def part(at: int, data: bytes) -> bytes:
                head = (len(data) + 12).to_bytes(2, "little") + b"\x03\x20"
                return head + size + at.to_bytes(4, "little") + data

            host.send(part(0, xml[:100]) + part(100, xml[100:]))
            assert 'result="kSuccess"' in await answer(host)
            assert card.shows()["lines"] == ["A018 & <3> okó"]
            host.send(part(0, xml[:100]) + part(120, xml[120:]))
            assert (await host.receive(6)).hex(" ") == "06 00 00 20 15 00"


async def test_a_packet_longer_than_the_card_takes_ends_the_connection(simulate: Simulate) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        assert (await host.ask("FF FF 03 20", "06 00 00 20 07 00")).hex(" ") == "06 00 00 20 07 00"
        assert await host.ended()


async def test_a_host_without_heartbeat_is_dropped_and_one_with_is_kept(
    simulate: Simulate, clock: FixedClock
) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        cable = card.line.heard.__self__  # type: ignore[attr-defined]
        assert isinstance(cable, _Cable)
        async with wire(card.address) as silent, wire(card.address) as alive:
            await silent.ask(HELLO, WELCOME)
            clock.advance(60)
            assert await alive.ask(BEAT, BEAT_ANSWER) == bytes.fromhex(BEAT_ANSWER)
            clock.advance(31)
            cable.drop_silent()
            assert await silent.ended()
            await alive.ask(BEAT, BEAT_ANSWER)


@pytest.mark.parametrize(("volatile", "left"), [(False, ["A018 & <3> okó"]), (True, [])])
async def test_programs_come_back_with_the_power_unless_the_profile_says_otherwise(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch, volatile: bool, left: list[str]
) -> None:
    profile = firmware_profiles.load("huidu.hd-a3").model_copy(update={"volatile": volatile})
    monkeypatch.setattr(firmware_profiles.Shelf, "load", lambda _shelf, _id: profile)
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            host.send(with_session(PEER[3], await greet(host)))
            await answer(host)
            card.fault("power-cycle")
            assert await host.ended()
        assert card.shows()["lines"] == left


class _Host:
    def __init__(self) -> None:
        self.heard = b""

    def send(self, data: bytes) -> None:
        self.heard += data

    def hang_up(self) -> None:
        """It stays on."""


async def test_no_bytes_break_the_card(simulate: Simulate) -> None:
    random = Random("huidu")
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        for _ in range(300):
            data = bytearray(b"".join(random.choices(PEER, k=3)))
            for _ in range(random.randrange(1, 10)):
                data[random.randrange(len(data))] = random.randrange(256)
            host = _Host()
            await card.line.heard(host, PEER[0] + PEER[1])
            while data:
                size = random.randrange(1, 300)
                await card.line.heard(host, bytes(data[:size]))
                del data[:size]
            card.line.lost(host)
            card.shows()


@asynccontextmanager
async def driven(card: SimDevice) -> AsyncIterator[Driver]:
    """The card with its driver on a real link."""
    setup = DeviceSetup(name="screen", profile=card.profile.id, address=card.address)
    quick = card.profile.model_copy(
        update={"timing": card.profile.timing.model_copy(update={"response_timeout_ms": 300})}
    )
    clock = SystemClock()
    async with BusPool(clock=clock) as buses, open_driver(setup, quick, buses, clock) as driver:
        yield driver


async def test_the_driver_and_the_card_understand_each_other(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with driven(card) as driver:
            assert await driver.show(BOARD) is Outcome.ACCEPTED
            assert card.shows()["lines"] == ["A018 → 3号窗口", "<通知> & 公告"]
            assert [area["running"] for area in card.shows()["areas"]] == [False, True]
            assert await driver.show(ScreenPicture(on=True, brightness=40)) is Outcome.ACCEPTED
            assert card.shows()["brightness"] == 40
            assert await driver.show(ScreenPicture(on=False)) is Outcome.ACCEPTED
            assert card.shows()["on"] is False
            assert (await driver.probe()).state is DeviceState.ONLINE


async def test_after_a_power_cut_the_driver_paints_the_card_again(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with driven(card) as driver:
            await driver.show(BOARD)
            card.fault("power-cycle")
            health = await driver.probe()
            assert "已重新显示" in health.detail
            assert card.history[-1]["shows"]["lines"] == ["A018 → 3号窗口", "<通知> & 公告"]


async def test_faults_reach_the_driver_as_the_errors_they_are(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with driven(card) as driver:
            checks: list[tuple[str, type[Exception], str]] = [
                ("busy", DeviceRefused, "其他软件占用"),
                ("nack:49", DeviceRefused, "设有密码"),
                ("silence", DeviceUnreachable, "没有应答"),
            ]
            for fault, kind, words in checks:
                card.fault(fault)
                with pytest.raises(kind, match=words):
                    await driver.show(BOARD)
                card.clear()
            card.fault("stuck")
            assert await driver.show(BOARD) is Outcome.ACCEPTED
            card.clear()
            await driver.show(BOARD)
            assert card.shows()["lines"][0] == "A018 → 3号窗口"


async def test_garbled_and_doubled_answers_do_not_mislead_the_driver(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with driven(card) as driver:
            card.fault("duplicate")
            for _ in range(3):
                assert await driver.show(BOARD) is Outcome.ACCEPTED
            card.clear()
            assert (await driver.probe()).state is DeviceState.ONLINE
