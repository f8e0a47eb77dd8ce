"""The Onbon K card, judged by the frames of the field."""

import asyncio

import pytest

from hall_core.clock import FixedClock
from simulators.device import SimDevice
from tests.simulators.conftest import Simulate, Wire, wire

START = "A5" * 8
ACK = "A5A5A5A5A5A5A5A5 00 80 01 00 00 00 00 00 00 00 FE 02 05 00 A0 00 00 00 00 64 DC 5A"
PING = "A5A5A5A5A5A5A5A5 01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A2 00 01 00 00 68 F8 5A"
STATUS = "A5A5A5A5A5A5A5A5 01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A1 02 01 00 00 2D 40 5A"
CLEAR = "A5A5A5A5A5A5A5A5 01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A3 10 01 00 00 51 F8 5A"
TEXT = (
    "A5A5A5A5A5A5A5A5 01 00 00 80 00 00 00 00 00 00 FE 02 32 00 A3 06 01 2D 00 00 01 29 00 00 00 00 00 00 18 00 20"
    " 00 00 00 00 02 00 00 00 00 02 02 03 00 04 05 0E 00 00 00 30 31 32 33 34 35 51 52 53 54 54 56 27 42 A8 7D 5A"
)
RED = (
    "A5A5A5A5A5A5A5A5 01 00 00 80 00 00 00 00 00 00 61 02 38 00 A3 06 01 01 00 00 01 2F 00 00 00 80 00 00 40 80 10"
    " 00 00 00 00 00 00 00 00 00 01 01 01 00 00 0A 14 00 00 00 5C 43 31 C7 EB 41 30 30 31 BA C5 B5 BD 33 BA C5 B4"
    " B0 BF DA F4 51 5A"
)
CARD = {"profile": "onbon.bx-6k1"}


def crc(data: bytes) -> int:
    """CRC-16/ARC over a table made from its definition, apart from the simulator's."""
    register = 0
    for bit in (b >> i & 1 for b in data for i in range(8)):
        register = (register >> 1) ^ (0xA001 if (register ^ bit) & 1 else 0)
    return register


def frame(data: bytes, *, to: int = 1, device_type: int = 0xFE) -> bytes:
    """A host's frame. The test's own builder, checked against the golden ones below."""
    body = to.to_bytes(2, "little") + bytes.fromhex("0080 000000 00 00 00")
    body += bytes([device_type, 2]) + len(data).to_bytes(2, "little") + data
    body += crc(body).to_bytes(2, "little")
    table = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
    return bytes.fromhex(START) + b"".join(table.get(b, bytes([b])) for b in body) + b"\x5a"


def text(data: bytes, *, area_id: int = 0, run_mode: int = 0, timeout: int = 0, effect: int = 1) -> bytes:
    """Data field of a text in pixels, 64 x 16."""
    area = (
        bytes.fromhex("00 0080 0000 4080 1000")
        + bytes([area_id, 0, run_mode])
        + timeout.to_bytes(2, "little")
    )
    area += bytes([0, 0, 0x0A, 1, 1, effect, 0, 0, 10]) + len(data).to_bytes(4, "little") + data
    return bytes.fromhex("A306010000 00 01") + len(area).to_bytes(2, "little") + area


def verdict(answer: bytes) -> tuple[int, int]:
    """(0 ACK | 1 NACK, error number) of an answer without stuffing in its head."""
    assert answer[22] == 0xA0
    return answer[23], answer[24]


async def until_shown(device: SimDevice, times: int) -> None:
    seen = asyncio.Event()
    device.watchers.add(lambda _: seen.set() if len(device.history) >= times else None)
    if len(device.history) < times:
        async with asyncio.timeout(5):
            await seen.wait()


def test_the_tests_own_builder_makes_the_golden_frames() -> None:
    assert frame(bytes.fromhex("A200010000")) == bytes.fromhex(PING)
    assert frame(bytes.fromhex("A310010000")) == bytes.fromhex(CLEAR)


async def test_golden_ping_gets_the_golden_acknowledgement(simulate: Simulate) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        assert await host.ask(PING, ACK) == bytes.fromhex(ACK)


async def test_golden_text_of_a_5k1_is_shown(simulate: Simulate) -> None:
    async with simulate({"profile": "onbon.bx-5k1"}) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            assert await host.ask(TEXT, ACK) == bytes.fromhex(ACK)
        shows = card.shows()
        assert (shows["text"], shows["effect"]) == ("012345QRSTTV'B", "left")


async def test_golden_red_text_is_shown_in_red_and_clear_clears_it(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            answer = await host.ask(RED, ACK)
            assert verdict(answer) == (0, 0)
            assert answer[18] == 0x61
            assert card.shows()["text"] == "请A001号到3号窗口"
            assert card.shows()["segments"] == [["red", "请A001号到3号窗口"]]
            assert card.shows()["visible"] == "请A001号"
            await host.ask(CLEAR, ACK)
            assert card.shows()["text"] == ""
        assert [entry["shows"]["text"] for entry in card.history] == ["请A001号到3号窗口", ""]
        assert card.history[0]["at"] == "2026-11-23T09:30:00.000000+08:00"


async def test_the_status_tells_switch_brightness_clock_and_areas(simulate: Simulate) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        await host.ask(frame(text(b"A001", area_id=3)), ACK)
        await host.ask(frame(bytes.fromhex("A302010000 01 07") + bytes(48)), ACK)
        host.send(STATUS)
        answer = await host.receive(22 + 5 + 19 + 3)
        assert answer[22:27] == bytes.fromhex("A000000000")
        assert answer[27:29] == bytes([1, 7])
        assert answer[29:37] == bytes.fromhex("2026 11 23 00 09 30 01")
        assert answer[44:46] == bytes([1, 3])


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\\C1" + "请".encode("gbk") + b"\\C2A001", [["red", "请"], ["green", "A001"]]),
        # the second byte of 乗 is a backslash
        ("乗C1".encode("gbk"), [["red", "乗C1"]]),
        (b"\xff\xff" + b"A", [["red", "□□A"]]),
        (b"a\\nb", [["red", "a\nb"]]),
        (b"a\\zb", [["red", "ab"]]),
    ],
)
async def test_text_is_split_at_its_escapes(simulate: Simulate, data: bytes, shown: list[list[str]]) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            await host.ask(frame(text(data)), ACK)
        assert card.shows()["segments"] == shown


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (bytes.fromhex(PING[:-8] + "FFF8 5A"), 5),
        (frame(bytes.fromhex("A299010000")), 2),
        (frame(bytes.fromhex("B000010000")), 1),
        (frame(text(b"\\FO009A001")), 12),
        (frame(bytes.fromhex("A306010000 00 01 FF00 00")), 10),
    ],
    ids=["checksum", "command", "group", "font", "lengths"],
)
async def test_what_it_cannot_do_is_refused_with_its_number(
    simulate: Simulate, sent: bytes, error: int
) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        assert verdict(await host.reply(sent, b"\x5a")) == (1, error)


@pytest.mark.parametrize(
    "sent",
    [
        frame(bytes.fromhex("A200010000"), device_type=0x51),
        frame(bytes.fromhex("A200010000"), to=2),
        frame(bytes.fromhex("A200020000")),
        frame(bytes.fromhex("A200010000"), to=0xFFFF),
        b"\xa5\xa5\x01\x02\x5a",
        b"noise",
    ],
    ids=["other type", "other number", "no answer wanted", "broadcast", "too short", "noise"],
)
async def test_it_is_silent_to_what_is_not_for_it(simulate: Simulate, sent: bytes) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        host.send(sent)
        assert await host.ask(PING, ACK) == bytes.fromhex(ACK)


async def test_a_silent_broadcast_is_done_and_any_with_answer_is_answered(simulate: Simulate) -> None:
    async with simulate({**CARD, "unit": 7}) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            host.send(frame(text(b"A002"), to=0xFFFF))
            answer = await host.ask(frame(bytes.fromhex("A200010000"), to=0xFFFE), ACK)
        assert answer[10:12] == b"\x07\x00"
        assert card.shows()["text"] == "A002"


async def test_frames_may_come_in_pieces_and_together(simulate: Simulate) -> None:
    async with simulate(CARD) as hall, wire(hall.devices["device-1"].address) as host:
        ping = bytes.fromhex(PING)
        for byte in ping[:-1]:
            host.send(bytes([byte]))
            await asyncio.sleep(0)
        assert await host.ask(ping[-1:] + ping + ping[7:], ACK * 3) == bytes.fromhex(ACK * 3)


async def test_stuffing_is_undone_and_done(simulate: Simulate) -> None:
    async with simulate({**CARD, "unit": 0xA5}) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            answer = await host.ask(frame(text(b"\xb2\xa5\x5b\x5a"), to=0xA5), ACK + "00")
        assert answer[10:12] == b"\xa6\x02"
        assert card.shows()["text"] == b"\xb2\xa5[Z".decode("gbk")


async def test_an_area_with_a_time_out_goes_by_itself(simulate: Simulate, clock: FixedClock) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            await host.ask(frame(text(b"A001", run_mode=2, timeout=30)), ACK)
            await host.ask(frame(text(b"B001", area_id=1, run_mode=3, timeout=60)), ACK)
            await host.ask(frame(text(b"C001", area_id=2, timeout=5)), ACK)
        clock.advance(29)
        assert card.shows()["text"] == "A001\nB001\nC001"
        clock.advance(1)
        assert card.shows()["text"] == "B001\nC001"
        clock.advance(30)
        assert card.shows()["text"] == "ONBON\nC001"


async def test_text_is_lost_with_the_power_and_brightness_is_not(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            await host.ask(frame(text(b"A001")), ACK)
            await host.ask(frame(bytes.fromhex("A302010000 01 05") + bytes(48)), ACK)
            card.fault("power-cycle")
        assert (card.shows()["text"], card.shows()["brightness"]) == ("", 5)
        assert card.faults.active() == []


@pytest.mark.parametrize(("fault", "error"), [("busy", 3), ("nack:7", 7), ("font-missing", 12)])
async def test_refusing_faults_change_nothing(simulate: Simulate, fault: str, error: int) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        card.fault(fault)
        async with wire(card.address) as host:
            assert verdict(await host.reply(frame(text(b"A001")), b"\x5a")) == (1, error)
            assert card.shows()["text"] == ""
            card.clear()
            assert verdict(await host.reply(frame(text(b"A001")), b"\x5a")) == (0, 0)
        assert card.shows()["text"] == "A001"


async def test_silence_does_it_without_a_word(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        card.fault("silence")
        async with wire(card.address) as host:
            host.send(frame(text(b"A001")))
            await until_shown(card, 1)
            card.clear()
            assert await host.ask(PING, ACK) == bytes.fromhex(ACK)


async def test_garbled_answers_have_a_wrong_check_and_duplicates_come_twice(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            card.fault("garble")
            broken = (await host.ask(PING, ACK))[8:-1]
            assert crc(broken[:-2]) != int.from_bytes(broken[-2:], "little")
            card.clear()
            card.fault("duplicate")
            assert await host.ask(PING, ACK * 2) == bytes.fromhex(ACK * 2)


async def test_an_offline_card_hangs_up_refuses_and_comes_back(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            await host.ask(PING, ACK)
            card.fault("offline")
            assert await host.ended()
        with pytest.raises(ConnectionRefusedError):
            async with wire(card.address):
                pass
        card.clear("offline")
        async with asyncio.timeout(5):
            async with await reconnect(card) as host:
                assert await host.ask(PING, ACK) == bytes.fromhex(ACK)


async def reconnect(card: SimDevice):
    while True:
        try:
            probe = await asyncio.open_connection("127.0.0.1", int(card.address.rsplit(":", 1)[1]))
        except ConnectionRefusedError:
            await asyncio.sleep(0)
            continue
        await Wire(*probe).close()
        return wire(card.address)


async def test_several_hosts_may_be_connected(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        address = hall.devices["device-1"].address
        async with wire(address) as one, wire(address) as two:
            one.send(bytes.fromhex(PING)[:12])
            assert await two.ask(PING, ACK) == bytes.fromhex(ACK)
            assert await one.ask(bytes.fromhex(PING)[12:], ACK) == bytes.fromhex(ACK)


async def test_reset_erases_what_no_hall_wants_erased(simulate: Simulate) -> None:
    async with simulate(CARD) as hall:
        card = hall.devices["device-1"]
        async with wire(card.address) as host:
            await host.ask(frame(text(b"A001")), ACK)
            await host.ask(frame(bytes.fromhex("A201010000")), ACK)
        assert (card.shows()["text"], card.shows()["resets"]) == ("", 1)
