"""Simulated modules of inputs and outputs, judged by captures and by mbpoll, which nobody here wrote."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

import firmware_profiles
from device_drivers import BusPool, open_driver
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CounterMode, CounterPicture, KeyOp, KeyPressed, Outcome
from simulators.demo_programs import free_port
from simulators.device import SimDevice
from simulators.modbus_io_frames import FrameReader
from tests.drivers.captures import FOLDER, Capture, _read
from tests.simulators.conftest import Ear, Simulate, Wire, port_of, wire
from tests.simulators.test_modbus_text import rtu

MODULE = {"profile": "waveshare.modbus-rtu-io-8ch"}
CAPTURES = {
    path.stem: replace(_read(path), family="modbus_io") for path in (FOLDER / "modbus_io").rglob("*.txt")
}
INPUTS = "0001 0000 0006 01 02 0000 0008"


@asynccontextmanager
async def one(simulate: Simulate, **setup: Any) -> AsyncIterator[tuple[SimDevice, Wire]]:
    async with simulate(MODULE | setup) as hall, wire(hall.devices["device-1"].address) as host:
        yield hall.devices["device-1"], host


async def told(host: Wire, question: str, answer: str) -> None:
    assert (await host.ask(question, answer)).hex() == bytes.fromhex(answer).hex()


@pytest.mark.parametrize("name", CAPTURES)
async def test_the_simulator_answers_as_the_module_did(simulate: Simulate, name: str) -> None:
    capture: Capture = CAPTURES[name]
    async with one(simulate, address=f"rtu+tcp://127.0.0.1:{free_port()}") as (module, host):
        for place, (mark, data) in enumerate(capture.lines):
            if mark == ">":
                if capture.lines[place + 1][1][:4] == bytes.fromhex("01 02 01 01"):
                    module.key(capture.command["event"]["op"])
                host.send(data)
            else:
                assert await host.receive(len(data)) == data
        if capture.command["op"] == "show":
            mode = capture.command["picture"]["mode"]
            assert module.shows()["lamps"] == module.profile.options["lamps"][mode]
            assert mode in module.shows()["modes"]


async def test_a_key_is_down_for_a_while_and_then_up(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with one(simulate) as (module, host):
        monkeypatch.setattr("simulators.modbus_io.HELD_S", 3600)
        for key, octet in (("next", "01"), ("pause", "09"), ("di8", "89")):
            module.key(key)
            await told(host, INPUTS, f"0001 0000 0004 01 02 01 {octet}")
        monkeypatch.setattr("simulators.modbus_io.HELD_S", 0.01)
        module.key("next")
        up = asyncio.Event()
        module.watchers.add(lambda _: up.set())
        async with asyncio.timeout(5):
            await up.wait()
        await told(host, INPUTS, "0001 0000 0004 01 02 01 00")


async def test_outputs_are_written_one_by_one_and_together(simulate: Simulate) -> None:
    async with one(simulate) as (module, host):
        write = "0001 0000 0006 01 05 0007 FF00"
        await told(host, write, write)
        await told(host, "0002 0000 0008 01 0F 0000 0003 01 05", "0002 0000 0006 01 0F 0000 0003")
        await told(host, "0003 0000 0006 01 01 0000 0008", "0003 0000 0004 01 01 01 85")
        await told(host, "0003 0000 0006 01 01 0002 0002", "0003 0000 0004 01 01 01 01")
        assert module.shows() == {"lamps": [1, 3, 8], "outputs": 8, "modes": [], "pressed": []}
        assert len(module.history) == 2
        await told(host, write, write)
        assert len(module.history) == 2, "what burns already does not change"
        module.fault("power-cycle")
        assert module.shows()["modes"] == ["closed"]


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("01 02 0008 0001", "82 02"),
        ("01 02 0000 0009", "82 02"),
        ("01 01 0000 0000", "81 03"),
        ("01 05 0008 FF00", "85 02"),
        ("01 05 0000 0001", "85 03"),
        ("01 0F 0006 0003 01 07", "8F 02"),
        ("01 0F 0000 0003 02 0707", "8F 03"),
        ("01 03 0000 0001", "83 01"),
        ("01 77", "F7 01"),
    ],
)
async def test_wrong_requests_get_the_specifications_exceptions(
    simulate: Simulate, sent: str, answer: str
) -> None:
    body = bytes.fromhex(sent)
    async with one(simulate) as (module, host):
        host.send(b"\0\1\0\0" + len(body).to_bytes(2, "big") + body)
        assert (await host.receive(9))[7:] == bytes.fromhex(answer)
        assert module.shows()["lamps"] == []
    async with one(simulate, address=f"rtu+tcp://127.0.0.1:{free_port()}") as (_, host):
        host.send(rtu(sent))
        assert await host.receive(5) == rtu(f"01 {answer}")


async def test_units_share_a_line_absent_ones_are_silent_and_a_broadcast_is_for_all(
    simulate: Simulate,
) -> None:
    address = f"rtu+tcp://127.0.0.1:{free_port()}"
    units = [MODULE | {"address": address, "unit": unit} for unit in (1, 2)]
    async with simulate(*units) as hall, wire(address) as host:
        host.send(rtu("09 05 0000 FF00") + rtu("00 05 0001 FF00"))
        for unit in ("01", "02"):
            request = rtu(f"{unit} 05 0002 FF00")
            assert await host.ask(request, request) == request
        assert [d.shows()["lamps"] for d in hall.devices.values()] == [[2, 3], [2, 3]]


@pytest.mark.parametrize(("fault", "exception"), [("busy", 6), ("exception:4", 4)])
async def test_a_faulty_module_answers_its_exception(simulate: Simulate, fault: str, exception: int) -> None:
    async with one(simulate) as (module, host):
        module.fault(fault)
        await told(host, INPUTS, f"0001 0000 0003 01 82 0{exception}")
        module.clear()
        module.fault("stuck")
        await told(host, "0001 0000 0006 01 05 0000 FF00", "0001 0000 0006 01 05 0000 FF00")
        assert module.shows()["lamps"] == []


async def test_foreign_bytes_end_a_tcp_link(simulate: Simulate) -> None:
    async with one(simulate) as (_, host):
        host.send(b"GET / HTTP/1.1\r\n\r\n")
        assert await host.ended()


def test_requests_are_found_in_noise_and_in_any_segmentation() -> None:
    random = Random(5)
    frames = [rtu("01 02 0000 0008"), rtu("01 0F 0000 0003 01 05"), rtu("02 05 0000 FF00")]
    for _ in range(300):
        chosen = random.choices(frames, k=4)
        stream = b"".join(
            bytes(random.choices(range(0x80, 0x100), k=random.randrange(4))) + f for f in chosen
        )
        reader, found = FrameReader(rtu=True), 0
        while stream:
            size = random.randrange(1, 9)
            found += len(reader.feed(stream[:size]))
            stream = stream[size:]
        assert found == 4


async def test_a_broken_frame_is_not_answered_and_not_done(simulate: Simulate) -> None:
    async with one(simulate, address=f"rtu+tcp://127.0.0.1:{free_port()}") as (module, host):
        ear = Ear(module.line)
        host.send(rtu("01 05 0000 FF00")[:-1] + b"\0")
        await ear.until(8)
        assert module.shows()["lamps"] == []
        read = rtu("01 01 0000 0008")
        assert await host.ask(read, rtu("01 01 01 00")) == rtu("01 01 01 00")


async def test_the_halls_driver_hears_its_keys_and_lights_its_lamps(
    simulate: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.modbus_io.HELD_S", 3600)
    tty, clock = tmp_path / "tty", SystemClock()
    profile = firmware_profiles.load("waveshare.modbus-rtu-io-8ch")
    setup = DeviceSetup(name="module", profile=profile.id, address=f"serial://{tty}", counter="1")
    async with simulate(MODULE | {"address": f"serial://{tty}"}) as hall:
        module = hall.devices["device-1"]
        ear = Ear(module.line)
        async with BusPool(clock=clock) as buses, open_driver(setup, profile, buses, clock) as driver:

            async def press() -> None:
                await ear.until(16)  # it was asked when it was entered, and once more: nothing is pressed
                module.key("next")

            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                tasks.create_task(press(), name="press")
                assert await anext(driver.events()) == KeyPressed(op=KeyOp.NEXT)
            for mode in CounterMode:
                picture = CounterPicture(counter="1", name="1号窗口", mode=mode, text="")
                assert await driver.show(picture) is Outcome.APPLIED
                assert mode in module.shows()["modes"]


async def mbpoll(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "mbpoll", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    text = out.decode("utf-8", errors="replace")
    assert process.returncode == 0, text
    return text


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed")
@pytest.mark.parametrize("scheme", ["tcp", "serial"])
async def test_mbpoll_reads_keys_and_writes_lamps(simulate: Simulate, tmp_path: Path, scheme: str) -> None:
    tty = tmp_path / "tty"
    address = f"serial://{tty}" if scheme == "serial" else "tcp://127.0.0.1:0"
    async with simulate(MODULE | {"address": address, "unit": 5}) as hall:
        module = hall.devices["device-1"]
        if scheme == "serial":
            line, where = ["-m", "rtu", "-b", "9600", "-P", "none"], str(tty)
        else:
            line, where = ["-m", "tcp", "-p", str(port_of(module.address))], "127.0.0.1"
        common = [*line, "-a", "5", "-0", "-1"]
        await mbpoll(*common, "-t", "0", "-r", "0", where, "1", "0", "1", "1")
        await mbpoll(*common, "-t", "0", "-r", "3", where, "0")
        assert module.shows()["lamps"] == [1, 3]
        coils = await mbpoll(*common, "-t", "0", "-r", "0", "-c", "8", where)
        assert values(coils) == list("10100000")
        inputs = await mbpoll(*common, "-t", "1", "-r", "0", "-c", "8", where)
        assert values(inputs) == list("00000000")


def values(said: str) -> list[str]:
    return [line.split()[-1] for line in said.splitlines() if line.startswith("[")]
