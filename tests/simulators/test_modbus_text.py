"""Modbus strips, judged by a foreign master and by frames of the specification."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from hall_core.clock import FixedClock
from simulators.demo_programs import free_port
from simulators.hall import SimulatedHall
from tests.simulators.conftest import Ear, Simulate, port_of, stands, wire

STRIP = {"profile": "modbus.led-strip-generic"}
#: write mode=called, blink=3, brightness=12, commit=1 to unit 1
CALLED = "0001 0000 000F 01 10 0000 0004 08 0002 0003 000C 0001"
WRITTEN = "0001 0000 0006 01 10 0000 0004"
#: write the GBK text "A001请" to registers 16..18
TEXT = "0002 0000 000D 01 10 0010 0003 06 41 30 30 31 C7 EB"
TEXT_WRITTEN = "0002 0000 0006 01 10 0010 0003"
FIRMWARE = "0003 0000 0006 01 04 0000 0001"
FIRMWARE_IS = "0003 0000 0005 01 04 02 0102"


def crc(data: bytes) -> bytes:
    """CRC-16/MODBUS by its definition."""
    register = 0xFFFF
    for bit in (b >> i & 1 for b in data for i in range(8)):
        register = (register >> 1) ^ (0xA001 if (register ^ bit) & 1 else 0)
    return register.to_bytes(2, "little")


def rtu(hexed: str) -> bytes:
    body = bytes.fromhex(hexed)
    return body + crc(body)


def test_the_tests_own_check_is_the_specifications() -> None:
    # read one register of unit 1: the example in every Modbus primer
    assert rtu("01 03 0000 0001") == bytes.fromhex("01 03 00 00 00 01 84 0A")


async def test_text_becomes_visible_at_the_commit_only(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        async with wire(strip.address) as host:
            assert await host.ask(TEXT, TEXT_WRITTEN) == bytes.fromhex(TEXT_WRITTEN)
            assert strip.shows()["text"] == ""
            assert await host.ask(CALLED, WRITTEN) == bytes.fromhex(WRITTEN)
        assert strip.shows() == {
            "text": "A001请",
            "colour": "red",
            "mode": "called",
            "blinking": True,
            "brightness": 12,
        }
        assert len(strip.history) == 1


async def test_the_text_blinks_as_often_as_told_then_stands_still(
    simulate: Simulate, clock: FixedClock
) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        async with wire(strip.address) as host:
            await host.ask(CALLED, WRITTEN)
        clock.advance(5.3)
        assert strip.shows()["blinking"]
        clock.advance(0.2)
        assert not strip.shows()["blinking"]


async def test_registers_read_back_as_written_and_commit_falls_back(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall, wire(hall.devices["device-1"].address) as host:
        await host.ask(CALLED, WRITTEN)
        answer = await host.ask("0004 0000 0006 01 03 0000 0011", "00" * (9 + 34))
        assert answer[9:] == bytes.fromhex("0002 0003 000C 0000" + "0000" * 12 + "2020")
        assert await host.ask(FIRMWARE, FIRMWARE_IS) == bytes.fromhex(FIRMWARE_IS)
        # FC06 echoes what was asked, also for the commit
        commit = "0005 0000 0006 01 06 0003 0001"
        assert await host.ask(commit, commit) == bytes.fromhex(commit)


@pytest.mark.parametrize(
    ("sent", "function", "exception"),
    [
        ("0001 0000 0006 01 03 0030 0001", 0x83, 2),
        ("0001 0000 0006 01 03 0000 0000", 0x83, 3),
        ("0001 0000 0006 01 06 0000 0005", 0x86, 3),
        ("0001 0000 0006 01 06 0002 0010", 0x86, 3),
        ("0001 0000 0006 01 06 0001 0100", 0x86, 3),
        ("0001 0000 0006 01 01 0000 0001", 0x81, 1),
        ("0001 0000 0006 01 55 0000 0001", 0xD5, 1),
        ("0001 0000 0009 01 10 0000 0002 04 0001", 0x90, 3),
    ],
)
async def test_wrong_requests_get_the_specifications_exceptions(
    simulate: Simulate, sent: str, function: int, exception: int
) -> None:
    async with simulate(STRIP) as hall, wire(hall.devices["device-1"].address) as host:
        answer = await host.ask(sent, "00" * 9)
        assert answer[7:] == bytes([function, exception])
        assert answer[:2] == b"\x00\x01"


async def test_units_share_a_line_and_absent_ones_are_silent(simulate: Simulate) -> None:
    address = f"rtu+tcp://127.0.0.1:{free_port()}"
    units = [STRIP | {"address": address, "unit": unit} for unit in (1, 2)]
    async with simulate(*units) as hall, wire(address) as host:
        host.send(rtu("09 06 0002 0007"))
        for unit in ("01", "02"):
            request = rtu(f"{unit} 06 0002 0007")
            assert await host.ask(request, request) == request
        assert {d.unit for d in hall.devices.values()} == {1, 2}


async def test_a_broadcast_is_done_by_all_and_answered_by_none(simulate: Simulate) -> None:
    address = f"rtu+tcp://127.0.0.1:{free_port()}"
    units = [STRIP | {"address": address, "unit": unit} for unit in (1, 2)]
    async with simulate(*units) as hall, wire(address) as host:
        host.send(rtu("00 10 0010 0002 04 42303031"))
        ask = rtu("02 06 0003 0001")
        for unit in ("01", "02"):
            ask = rtu(f"{unit} 06 0003 0001")
            assert await host.ask(ask, ask) == ask
        assert [d.shows()["text"] for d in hall.devices.values()] == ["B001", "B001"]


async def test_a_frame_with_a_wrong_check_is_not_answered_and_not_done(simulate: Simulate) -> None:
    async with simulate(STRIP | {"address": f"rtu+tcp://127.0.0.1:{free_port()}"}) as hall:
        strip = hall.devices["device-1"]
        async with wire(strip.address) as host:
            ear = Ear(strip.line)
            host.send(rtu("01 06 0002 0007")[:-1] + b"\0")
            await ear.until(8)
            read = rtu("01 03 0002 0001")
            host.send(read[:3])
            assert await host.ask(read[3:], rtu("01 03 02 0000")) == rtu("01 03 02 0000")


@pytest.mark.parametrize(("fault", "exception"), [("busy", 6), ("exception:4", 4), ("exception", 4)])
async def test_a_faulty_strip_answers_its_exception(simulate: Simulate, fault: str, exception: int) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        strip.fault(fault)
        async with wire(strip.address) as host:
            assert (await host.ask(CALLED, "00" * 9))[7:] == bytes([0x90, exception])
        assert strip.shows()["mode"] is None


async def test_a_stuck_strip_takes_everything_and_shows_the_old(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        strip.fault("stuck")
        async with wire(strip.address) as host:
            assert await host.ask(CALLED, WRITTEN) == bytes.fromhex(WRITTEN)
        assert strip.shows()["mode"] is None


async def test_a_late_answer_comes_after_the_next_one(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        async with wire(strip.address) as host:
            strip.fault("late:100")
            ear = Ear(strip.line)
            host.send(TEXT)
            await ear.until(len(bytes.fromhex(TEXT)))
            strip.clear()
            assert await host.ask(FIRMWARE, FIRMWARE_IS) == bytes.fromhex(FIRMWARE_IS)
            assert await host.receive(12) == bytes.fromhex(TEXT_WRITTEN)


async def test_everything_dropped_is_neither_done_nor_answered(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        strip.fault("drop:100")
        async with wire(strip.address) as host:
            ear = Ear(strip.line)
            host.send(CALLED)
            host.send(TEXT)
            await ear.until(len(bytes.fromhex(CALLED + TEXT)))
            strip.clear()
            assert await host.ask(FIRMWARE, FIRMWARE_IS) == bytes.fromhex(FIRMWARE_IS)
        assert strip.shows()["mode"] is None


async def test_power_gone_registers_gone(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        async with wire(strip.address) as host:
            await host.ask(TEXT, TEXT_WRITTEN)
            await host.ask(CALLED, WRITTEN)
            strip.fault("power-cycle")
            answer = await host.ask("0004 0000 0006 01 03 0010 0002", "00" * 13)
        assert answer[9:] == b"    "
        assert strip.shows()["text"] == ""


async def test_panels_without_a_commit_show_every_write(simulate: Simulate) -> None:
    async with simulate({"profile": "modbus.dm36b06"}) as hall:
        panel = hall.devices["device-1"]
        async with wire(panel.address) as host:
            await host.ask("0001 0000 000D 01 10 0000 0003 06 0031 0032 0033", "00" * 12)
        assert panel.shows()["text"] == "123"


async def mbpoll(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "mbpoll", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    text = out.decode("utf-8", errors="replace")
    assert process.returncode == 0, text
    return text


needs_mbpoll = pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed")


@pytest.mark.peer
@needs_mbpoll
async def test_mbpoll_writes_and_reads_over_tcp(simulate: Simulate) -> None:
    async with simulate(STRIP | {"unit": 5}) as hall:
        strip = hall.devices["device-1"]
        line = ["-m", "tcp", "-p", str(port_of(strip.address)), "-a", "5", "-0", "-1", "-q"]
        await mbpoll(*line, "-t", "4", "-r", "16", "127.0.0.1", str(0x4130), str(0x3138))
        await mbpoll(*line, "-t", "4", "-r", "0", "127.0.0.1", "3", "0", "9", "1")
        assert (strip.shows()["text"], strip.shows()["mode"]) == ("A018", "serving")
        assert "258" in await mbpoll(*line, "-t", "3", "-r", "0", "-c", "1", "127.0.0.1")


@pytest.mark.peer
@needs_mbpoll
async def test_mbpoll_writes_and_reads_over_a_serial_line(simulate: Simulate, tmp_path: Path) -> None:
    tty = tmp_path / "line" / "tty"
    units = [STRIP | {"address": f"serial://{tty}", "unit": unit} for unit in (3, 4)]
    async with simulate(*units) as hall:
        line = ["-m", "rtu", "-b", "9600", "-P", "none", "-0", "-1", "-q", "-a", "4"]
        await mbpoll(*line, "-t", "4", "-r", "16", str(tty), str(0x4232), str(0x3031))
        await mbpoll(*line, "-t", "4", "-r", "0", str(tty), "4", "0", "9", "1")
        assert "258" in await mbpoll(*line, "-t", "3", "-r", "0", "-c", "1", str(tty))
        shown = {d.unit: (d.shows()["text"], d.shows()["mode"]) for d in hall.devices.values()}
    assert shown == {3: ("", None), 4: ("B201", "paused")}
    assert not stands(tty)


async def test_an_address_is_free_again_when_the_hall_is_left(simulate: Simulate) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    for _ in range(2):
        async with simulate(STRIP | {"address": address}) as hall:
            assert isinstance(hall, SimulatedHall)
            async with wire(address) as host:
                await host.ask(FIRMWARE, FIRMWARE_IS)
