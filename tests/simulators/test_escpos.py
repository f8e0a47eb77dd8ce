"""The ticket printer, judged by a foreign driver, a foreign QR reader and golden status bytes."""

import asyncio
import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import segno
from escpos.printer import Network
from PIL import Image

from simulators.device import SimDevice
from tests.simulators.conftest import Ear, Simulate, port_of, wire

PRINTER = {"profile": "escpos.80mm"}
URL = "https://hall.example/t/0123456789abcdef"
CUT = b"\x1d\x56\x01"


def qr(data: bytes) -> bytes:
    """Native QR code: model 2, module 8, correction M, store, print."""
    size = (len(data) + 3).to_bytes(2, "little")
    return (
        bytes.fromhex("1D286B0400314132 00 1D286B0300314308 1D286B0300314531 1D286B")
        + size
        + b"1P0"
        + data
        + bytes.fromhex("1D286B0300315130")
    )


SLIP = (
    b"\x1b\x40\x1c\x26\x1ba\x01\x1d\x21\x11\x1c\x21\x0c"
    + "海棠区政务服务中心\n".encode("gbk")
    + b"\x1d\x21\x00\x1c\x21\x00\x1b\x45\x01A018\x1b\x45\x00\n"
    + b"\x1ba\x00"
    + "前面 3 位\n".encode("gbk")
    + qr(URL.encode())
    + b"\x1b\x64\x03"
    + CUT
)


async def printed(device: SimDevice, slips: int) -> list[dict[str, Any]]:
    """The slips, as soon as there are so many."""
    seen = asyncio.Event()
    device.watchers.add(lambda _: seen.set())
    async with asyncio.timeout(10):
        while device.shows()["printed"] < slips:
            seen.clear()
            await seen.wait()
    return device.shows()["slips"]


async def test_bytes_become_a_slip_with_lines_sizes_and_qr(simulate: Simulate) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        async with wire(printer.address) as host:
            for at in range(0, len(SLIP), 7):
                host.send(SLIP[at : at + 7])
                await asyncio.sleep(0)
            (slip,) = await printed(printer, 1)
        assert slip == {
            "lines": ["海棠区政务服务中心", "A018", "前面 3 位"],
            "styles": [
                {"size": [2, 2], "bold": False, "align": "centre"},
                {"size": [1, 1], "bold": False, "align": "centre"},
                {"size": [1, 1], "bold": False, "align": "left"},
            ],
            "qr": URL,
            "images": [],
            "cut": "partial",
            "at": "2026-11-23T09:30:00.000000+08:00",
        }
        assert [entry["shows"]["slips"] for entry in printer.history] == [[slip]]


async def test_chinese_without_chinese_mode_prints_as_signs(simulate: Simulate) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        async with wire(printer.address) as host:
            host.send(
                b"\x1b\x40" + "号".encode("gbk") + b"\n\x1c\x26" + "号".encode("gbk") + b"\x1c\x2e" + CUT
            )
            (slip,) = await printed(printer, 1)
        assert slip["lines"] == ["║┼", "号"]


@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        (None, {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}),
        ("paper-low", {1: 0x12, 2: 0x12, 4: 0x1E}),
        ("paper-out", {1: 0x1A, 2: 0x32, 4: 0x7E}),
        ("cutter-jam", {1: 0x1A, 2: 0x52, 3: 0x1A}),
    ],
)
async def test_status_bytes_are_the_fields(
    simulate: Simulate, fault: str | None, answers: dict[int, int]
) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        if fault:
            printer.fault(fault)
        async with wire(printer.address) as host:
            for n, byte in answers.items():
                assert await host.ask(bytes([0x10, 0x04, n]), b"?") == bytes([byte])


async def test_an_open_cover_is_silence_and_the_slip_comes_when_it_is_closed(simulate: Simulate) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        async with wire(printer.address) as host:
            printer.fault("cover-open")
            ear = Ear(printer.line)
            host.send(b"\x10\x04\x01" + SLIP)
            await ear.until(3 + len(SLIP))
            assert (printer.shows()["printed"], printer.shows()["cover"]) == (0, "open")
            printer.clear("cover-open")
            assert await host.ask(b"\x10\x04\x01", b"?") == b"\x12"
            assert printer.shows()["printed"] == 1


async def test_without_paper_nothing_prints_until_paper_is_in_and_power_loses_it(simulate: Simulate) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        async with wire(printer.address) as host:
            printer.fault("paper-out")
            ear = Ear(printer.line)
            host.send(SLIP)
            await ear.until(len(SLIP))
            assert (printer.shows()["printed"], printer.shows()["paper"]) == (0, "out")
            printer.clear()
            assert printer.shows()["printed"] == 1
            printer.fault("paper-out")
            host.send(SLIP)
            await ear.until(2 * len(SLIP))
            printer.fault("power-cycle")
            printer.clear()
        assert printer.shows()["printed"] == 1


async def test_a_job_is_confirmed_when_it_is_printed_not_before(simulate: Simulate) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        confirm = bytes.fromhex("1D 28 48 06 00 30 30 31 32 33 34")
        async with wire(printer.address) as host:
            printer.fault("paper-out")
            host.send(SLIP + confirm)
            assert await host.ask(b"\x10\x04\x04", b"?") == b"\x7e"
            printer.clear()
            assert await host.receive(7) == bytes.fromhex("37 22 31 32 33 34 00")


async def test_automatic_status_tells_of_paper_by_itself(simulate: Simulate) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        async with wire(printer.address) as host:
            assert await host.ask(b"\x1d\x61\x0f", b"????") == bytes.fromhex("10 00 00 00")
            printer.fault("paper-out")
            assert await host.receive(4) == bytes.fromhex("18 00 0F 00")


async def test_only_so_many_slips_hang_out_and_people_take_them(simulate: Simulate) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        async with wire(printer.address) as host:
            for n in range(12):
                host.send(f"A{n:03}\n".encode() + CUT)
            slips = await printed(printer, 12)
        assert [slip["lines"] for slip in slips] == [[f"A{n:03}"] for n in range(4, 12)]
        printer.key("tear-off")
        assert printer.shows()["slips"] == []
        assert len(printer.history) == 12


def by_foreign_driver(port: int, work: Callable[[Network], None]) -> None:
    printer = Network("127.0.0.1", port, timeout=10)
    try:
        work(printer)
    finally:
        printer.close()


@pytest.mark.peer
async def test_python_escpos_prints_a_slip_and_reads_the_paper_state(simulate: Simulate) -> None:
    states = []

    def work(printer: Network) -> None:
        printer.open()
        states.append(printer.paper_status())
        printer.set(align="center", bold=True, double_width=True, double_height=True)
        printer.textln("A018")
        printer.set_with_default()
        printer._raw(b"\x1c\x26" + "海棠区政务服务中心\n".encode("gbk"))
        printer.qr(URL, native=True, size=6)
        printer.cut()

    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        await asyncio.to_thread(by_foreign_driver, port_of(printer.address), work)
        (slip,) = await printed(printer, 1)
    assert states == [2]
    assert [line for line in slip["lines"] if line] == ["A018", "海棠区政务服务中心"]
    assert slip["styles"][0] == {"size": [2, 2], "bold": True, "align": "centre"}
    assert (slip["qr"], slip["cut"]) == (URL, "full")


def zbarimg(path: Path) -> str:
    done = subprocess.run(["zbarimg", "-q", "--raw", path], capture_output=True, check=True, timeout=20)
    return done.stdout.decode().strip()


needs_zbarimg = pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg is not installed")


@pytest.mark.peer
@needs_zbarimg
async def test_the_printed_qr_is_read_by_a_foreign_reader(simulate: Simulate, tmp_path: Path) -> None:
    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        async with wire(printer.address) as host:
            host.send(SLIP)
            (slip,) = await printed(printer, 1)
    segno.make(slip["qr"], micro=False).save(str(tmp_path / "qr.png"), scale=6, border=4)
    assert await asyncio.to_thread(zbarimg, tmp_path / "qr.png") == URL


@pytest.mark.peer
@needs_zbarimg
async def test_a_qr_printed_dot_by_dot_is_read_by_a_foreign_reader(
    simulate: Simulate, tmp_path: Path
) -> None:
    def work(printer: Network) -> None:
        printer.open()
        printer.qr(URL, native=False, size=6)
        printer.cut()

    async with simulate(PRINTER) as hall:
        printer = hall.devices["device-1"]
        await asyncio.to_thread(by_foreign_driver, port_of(printer.address), work)
        (slip,) = await printed(printer, 1)
    (image,) = slip["images"]
    dots = bytes(255 - byte for byte in base64.b64decode(image["bits"]))
    picture = Image.frombytes("1", (image["width"], image["height"]), dots).convert("L")
    paper = Image.new("L", (picture.width + 60, picture.height + 60), 255)
    paper.paste(picture, (30, 30))
    paper.save(tmp_path / "slip.png")
    assert await asyncio.to_thread(zbarimg, tmp_path / "slip.png") == URL
