"""Captured exchanges of the field: what the host said then, the simulator answers as the device did."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import serial_asyncio_fast

from simulators.demo_programs import free_port
from simulators.device import SimDevice
from tests.drivers.captures import Capture, all_captures
from tests.simulators.conftest import Ear, Simulate, Wire, wire

#: these dial the hall or its broker: nobody can ask them, their own tests play their captures
DIALLING = {"rate_ws", "screen_web", "mqtt_native", "satellite"}
CAPTURES = {str(capture): capture for capture in all_captures() if capture.family not in DIALLING}
#: captures of a device that was not in order
FAULTS = {"escpos-paper_out": "paper-out"}
#: captures that begin where another one ended
BEFORE = {"modbus_text-strip_readback_tcp": "modbus_text-strip_write_tcp"}
ANSWERED = [c for c in CAPTURES.values() if c.command["op"] != "press" and c.heard]
PRESSED = [c for c in CAPTURES.values() if c.command["op"] == "press"]
SHOWN = [c for c in CAPTURES.values() if not c.heard and c.command["op"] != "status"]


def device_of(capture: Capture, address: str) -> dict[str, Any]:
    unit = capture.command.get("unit", 1)
    options = capture.command.get("options", {})
    return {"profile": capture.profile, "address": address, "unit": unit, "options": options}


def address_of(capture: Capture) -> str:
    scheme = "rtu+tcp" if capture.name.endswith("_rtu") else "tcp"
    return f"{scheme}://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("capture", ANSWERED, ids=str)
async def test_the_simulator_answers_as_the_device_did(simulate: Simulate, capture: Capture) -> None:
    address = address_of(capture)
    async with simulate(device_of(capture, address)) as hall, wire(address) as host:
        if earlier := BEFORE.get(str(capture)):
            await play(CAPTURES[earlier], host)
        if fault := FAULTS.get(str(capture)):
            hall.devices["device-1"].fault(fault)
        await play(capture, host)


async def play(capture: Capture, host: Wire) -> None:
    for mark, data in capture.lines:
        if mark == ">":
            host.send(data)
        else:
            assert (await host.receive(len(data))).hex(" ") == data.hex(" ")


@pytest.mark.parametrize("capture", PRESSED, ids=str)
async def test_a_pad_says_what_the_fields_pad_said(
    simulate: Simulate, tmp_path: Path, capture: Capture
) -> None:
    tty = tmp_path / "tty"
    async with simulate(device_of(capture, f"serial://{tty}")) as hall:
        pad = hall.devices["device-1"]
        host = Wire(*await serial_asyncio_fast.open_serial_connection(url=str(tty)))
        try:
            for key in keys_for(capture.command["event"], pad):
                pad.key(key)
            assert await host.receive(len(capture.heard[0])) == capture.heard[0]
            quiet = asyncio.Event()
            pad.watchers.add(lambda d: quiet.set() if not d.shows()["unanswered"] else None)
            host.send(capture.sent[0])
            async with asyncio.timeout(5):
                await quiet.wait()
        finally:
            await host.close()


def keys_for(event: dict[str, Any], pad: SimDevice) -> list[str]:
    if event["kind"] == "key-pressed":
        return [*event["digits"], event["op"]]
    (key,) = [key for key, score in pad.profile.options["scores"].items() if score == event["score"]]
    return [f"rate-{key}"]


@pytest.mark.parametrize("capture", SHOWN, ids=str)
async def test_what_the_field_sent_is_seen_on_the_device(simulate: Simulate, capture: Capture) -> None:
    address = address_of(capture)
    command = capture.command
    async with simulate(device_of(capture, address)) as hall, wire(address) as host:
        device = hall.devices["device-1"]
        ear = Ear(device.line)
        said = b"".join(capture.sent) + (b"\x1d\x56\x00" if command["op"] == "qr" else b"")
        host.send(said)
        await ear.until(len(said))
        shows = device.shows()
        seen = {
            "text": lambda: shows["text"] == command["text"],
            "qr": lambda: [slip["qr"] for slip in shows["slips"]] == [command["url"]],
            "digits": lambda: shows["ticket"] == command["ticket"],
            "beep": lambda: shows["beeps"] == 1,
            "ask": lambda: shows["asking"],
            "page": lambda: [p["text"] for p in shows["pagers"].values()] == [command["text"]],
        }
        assert seen[command["op"]]()


def test_every_family_has_captures_of_each_kind_it_needs() -> None:
    assert {c.family for c in ANSWERED} >= {"escpos", "modbus_text", "onbon_k"}
    assert {c.family for c in PRESSED} == {"keypad_ff68"}
    assert {c.family for c in SHOWN} >= {"escpos", "keypad_ff68", "onbon_k"}
