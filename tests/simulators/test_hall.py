"""A hall of simulated devices as a whole, and the program that serves it."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import yaml
from typer.testing import CliRunner

from firmware_profiles import all_profiles
from hall_core.clock import SystemClock
from hall_core.devices.layout import HallFile
from hall_core.errors import SettingsInvalid
from simulators.cli import app
from simulators.demo_programs import free_port
from simulators.device import SimDevice
from simulators.hall import SimulatedHall, family_of, read_hall_file
from tests.simulators.conftest import HALL, Simulate, port_of, stands, wire
from tests.simulators.test_modbus_text import FIRMWARE, FIRMWARE_IS
from tests.simulators.test_sms_gateway import number

ROOT = Path(__file__).parents[2]
STRIP = {"profile": "modbus.led-strip-generic"}


def test_every_profile_can_be_simulated_and_its_faults_have_words() -> None:
    from simulators.faults import FAULT_WORDS

    for profile in all_profiles().values():
        family = family_of(profile.family)
        assert "offline" in family.FAULTS
        assert set(family.FAULTS) <= set(FAULT_WORDS)


def test_a_family_without_a_simulator_is_named() -> None:
    for name in ("teleporter", "wall"):
        with pytest.raises(SettingsInvalid, match=f"simulators/{name}.py"):
            family_of(name)


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        ([STRIP, {"profile": "onbon.bx-6k1"}], "different families"),
        ([STRIP, STRIP], "same unit"),
    ],
)
def test_devices_that_cannot_share_a_line_are_refused(devices: list[dict[str, str]], reason: str) -> None:
    setups = [d | {"name": f"d{n}", "address": "tcp://127.0.0.1:9"} for n, d in enumerate(devices)]
    with pytest.raises(SettingsInvalid, match=reason):
        SimulatedHall(HallFile.model_validate({"hall": HALL, "devices": setups}), SystemClock())


def test_an_address_without_a_port_is_refused() -> None:
    setup = STRIP | {"name": "d", "address": "tcp://127.0.0.1"}
    with pytest.raises(SettingsInvalid, match="names no port"):
        SimulatedHall(HallFile.model_validate({"hall": HALL, "devices": [setup]}), SystemClock())


async def test_a_taken_port_leaves_nothing_open(simulate: Simulate, tmp_path: Path) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    async with simulate(STRIP | {"address": address}):
        line = STRIP | {"address": f"serial://{tmp_path}/tty"}
        with pytest.raises(OSError, match="in use"):
            async with simulate(line, STRIP | {"address": address}):
                pass
        assert not stands(tmp_path / "tty")


async def test_a_device_whose_port_was_taken_meanwhile_comes_back_when_it_is_free(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall:
        strip = hall.devices["device-1"]
        strip.fault("offline")
        async with asyncio.timeout(5):
            thief = await asyncio.start_server(lambda *_: None, "127.0.0.1", await freed(strip))
            strip.clear()
            while strip.line._again is None:  # noqa: ASYNC110 — a line rings no bell
                await asyncio.sleep(0)
            thief.close()
            await thief.wait_closed()
            while strip.line._server is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with wire(strip.address) as host:
            assert await host.ask(FIRMWARE, FIRMWARE_IS) == bytes.fromhex(FIRMWARE_IS)


async def freed(device: SimDevice) -> int:
    """The device's port, once it has let go of it."""
    while device.line._server is not None:  # noqa: ASYNC110
        await asyncio.sleep(0)
    return port_of(device.address)


async def test_an_error_in_a_hall_is_not_wrapped(simulate: Simulate) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with simulate(STRIP):
            raise KeyError("mine")


def test_a_wrong_hall_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hall.yaml"
    for content in ("hall: [", "hall: {}"):
        path.write_text(content)
        with pytest.raises(SettingsInvalid, match=r"hall\.yaml"):
            read_hall_file(path)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_every_command_explains_itself() -> None:
    for command in ((), ("hall",), ("gateway",), ("profiles", "check"), ("fault",), ("key",), ("devices",)):
        code, out = run(*command, "--help")
        assert code == 0
        assert "Example" in out or command == ()


def test_profiles_are_checked() -> None:
    code, out = run("profiles", "check", str(ROOT / "firmware_profiles/onbon.bx-6k1.yaml"))
    assert (code, "font-missing" in out) == (0, True)


def test_a_wrong_profile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "acme.strip.yaml"
    path.write_text("schema: hall.profile/1\nid: acme.strip\n")
    code, out = run("profiles", "check", str(path))
    assert (code, "acme.strip.yaml" in out) == (2, True)


async def test_the_program_serves_a_hall_and_takes_orders_over_http(tmp_path: Path) -> None:
    tty = tmp_path / "pads"
    devices = [
        {"name": "strip-1", "profile": "onbon.bx-6k1", "address": "tcp://127.0.0.1:0"},
        {"name": "pad-1", "profile": "keypad.ff68-21", "address": f"serial://{tty}", "unit": 3},
    ]
    file = tmp_path / "hall.yaml"
    file.write_text(yaml.safe_dump({"hall": HALL, "devices": devices}))
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "hall", str(file), "--port", "0"),
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(30):
            assert program.stdout
            while not (line := (await program.stdout.readline()).decode()).startswith("ready "):
                assert line, "the program ended"
        wall = line.split()[1]
        code, out = await asyncio.to_thread(run, "devices", wall)
        assert code == 0
        assert "strip-1" in out
        assert "keypad.ff68-21" in out
        assert (await asyncio.to_thread(run, "fault", wall, "strip-1", "slow:20"))[1] == "strip-1: slow:20\n"
        assert "正常" in (await asyncio.to_thread(run, "fault", wall, "strip-1", "clear"))[1]
        code, out = await asyncio.to_thread(run, "key", wall, "pad-1", "5")
        assert (code, '"digits": "5"' in out) == (0, True)
        code, out = await asyncio.to_thread(run, "key", wall, "pad-1", "dance")
        assert (code, "dance" in out) == (1, True)
        async with httpx2.AsyncClient() as client, client.stream("GET", f"{wall}/api/stream") as stream:
            assert stream.status_code == 200
            program.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await program.wait() == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert not stands(tty)


async def test_the_gateway_program_prints_a_key_that_works() -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "gateway", "--port", "0"), stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert program.stdout
        async with asyncio.timeout(30):
            key = (await program.stdout.readline()).decode().split()[1]
            url = (await program.stdout.readline()).decode().split()[1]
        body = {"client_ref": "r", "to": number(), "text": "号"}
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client:
            assert (await client.post(f"{url}/send", json=body)).json()["status"] == "accepted"
    finally:
        program.terminate()
        async with asyncio.timeout(10):
            await program.wait()
