"""The simulated Samsung display: judged by the frames of the field, by its driver and by a foreign program."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import serial_asyncio_fast

import firmware_profiles
from device_drivers import BusPool, open_driver
from hall_core.clock import FixedClock, SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import DeviceState, Outcome, ScreenPicture
from hall_core.errors import DeviceUnreachable
from simulators.device import SimDevice
from tests.simulators.conftest import Ear, Simulate, Wire, wire

DISPLAY = {"profile": "samsung.qm55r", "options": {"wakes_s": 0.2}}
STATUS = "AA 00 01 00 01"
ON, OFF = "AA 11 01 01 01 14", "AA 11 01 01 00 13"
ON_ACK, OFF_ACK = "AA FF 01 03 41 11 01 56", "AA FF 01 03 41 11 00 55"
STANDS = "AA FF 01 09 41 00 01 14 00 21 01 00 00 81"


async def until(device: SimDevice, true: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until the device shows something."""
    seen = asyncio.Event()

    def look(_: SimDevice) -> None:
        if true(device.shows()):
            seen.set()

    device.watchers.add(look)
    look(device)
    async with asyncio.timeout(5):
        await seen.wait()
    device.watchers.discard(look)


async def until_well(driver: Driver) -> None:
    """Probe until there is nothing more to say."""
    async with asyncio.timeout(5):
        while (await driver.probe()).detail:
            continue


async def until_shown(driver: Driver, picture: ScreenPicture) -> None:
    """Show it again and again, as the agent does over a bad wire."""
    async with asyncio.timeout(20):
        while True:
            try:
                await driver.show(picture)
            except DeviceUnreachable:
                continue
            return


def driver_of(device: SimDevice, buses: BusPool, **options: Any) -> Driver:
    profile = firmware_profiles.load(device.profile.id)
    quick = profile.timing.model_copy(update={"quarantine_ms": 20, "gap_ms": 1, "response_timeout_ms": 200})
    profile = profile.model_copy(update={"timing": quick})
    setup = {"name": "screen", "profile": profile.id, "address": device.address, "unit": device.unit}
    setup["options"] = device.setup.options | options
    return open_driver(DeviceSetup.model_validate(setup), profile, buses, SystemClock())


async def test_golden_frames_switch_it_off_and_on(simulate: Simulate, tmp_path: Path) -> None:
    async with simulate(DISPLAY | {"address": f"serial://{tmp_path}/tty"}) as hall:
        screen = hall.devices["device-1"]
        host = Wire(*await serial_asyncio_fast.open_serial_connection(url=f"{tmp_path}/tty"))
        try:
            assert await host.ask(STATUS, STANDS) == bytes.fromhex(STANDS)
            assert await host.ask(OFF, OFF_ACK) == bytes.fromhex(OFF_ACK)
            assert (screen.shows()["power"], screen.shows()["standing"]) == ("off", "standby")
            assert await host.ask(ON, ON_ACK) == bytes.fromhex(ON_ACK)
            assert screen.shows()["standing"] == "waking"
            # while it wakes up it refuses settings
            assert (await host.ask("AA 14 01 01 23 39", bytes(8)))[4:6] == b"N\x14"
            await until(screen, lambda shows: shows["standing"] == "on")
            assert (await host.ask("AA 14 01 01 23 39", bytes(8)))[4:6] == b"A\x14"
            assert screen.shows()["input"] == "hdmi2"
        finally:
            await host.close()


@pytest.mark.parametrize(
    "sent",
    ["AA 12 01 01 65 79", "AA 14 01 01 22 38", "AA 99 01 00 9A", "AA 13 01 01 02 17"],
    ids=["too loud", "an input that can only be read", "no such command", "no such value"],
)
async def test_what_it_cannot_do_is_refused(simulate: Simulate, sent: str) -> None:
    async with simulate(DISPLAY) as hall, wire(hall.devices["device-1"].address) as host:
        assert (await host.ask(sent, bytes(8)))[4:6] == b"N" + bytes.fromhex(sent)[1:2]


@pytest.mark.parametrize(
    "sent", ["AA 11 01 01 00 14", "AA 11 02 01 00 14", "FF 00", "AA"], ids=["sum", "id", "noise", "half"]
)
async def test_it_is_silent_to_what_is_not_for_it(simulate: Simulate, clock: FixedClock, sent: str) -> None:
    async with simulate(DISPLAY) as hall, wire(hall.devices["device-1"].address) as host:
        ear = Ear(hall.devices["device-1"].line)
        host.send(sent)
        await ear.until(len(bytes.fromhex(sent)))
        clock.advance(2)
        assert await host.ask(STATUS, STANDS) == bytes.fromhex(STANDS)


async def test_a_chain_obeys_the_broadcast_and_nobody_answers_it(simulate: Simulate, tmp_path: Path) -> None:
    tty = {"address": f"serial://{tmp_path}/tty"}
    async with simulate(DISPLAY | tty, DISPLAY | tty | {"unit": 2}) as hall:
        one, two = hall.devices.values()
        host = Wire(*await serial_asyncio_fast.open_serial_connection(url=f"{tmp_path}/tty"))
        try:
            host.send("AA 12 FE 01 09 1A")
            assert await host.ask("AA 12 02 00 14", bytes(8)) == bytes.fromhex("AA FF 02 03 41 12 09 60")
            assert [d.shows()["volume"] for d in (one, two)] == [9, 9]
        finally:
            await host.close()


async def test_off_without_network_standby_it_refuses_connections_until_somebody_presses_power(
    simulate: Simulate,
) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with wire(screen.address) as host:
            await host.ask(OFF, OFF_ACK)
            assert await host.ended()
        with pytest.raises(ConnectionRefusedError):
            async with wire(screen.address):
                raise AssertionError
        screen.key("power")
        await until(screen, lambda shows: shows["standing"] == "on")
        async with asyncio.timeout(5):
            while True:
                try:
                    async with wire(screen.address) as host:
                        assert await host.ask(STATUS, STANDS) == bytes.fromhex(STANDS)
                        return
                except ConnectionRefusedError:
                    await asyncio.sleep(0)


async def test_noise_never_breaks_it(simulate: Simulate, clock: FixedClock) -> None:
    class Host:
        def send(self, data: bytes) -> None: ...

        def hang_up(self) -> None: ...

    random = Random(11)
    sound = bytes.fromhex(STATUS + ON + OFF + "AA 14 01 01 23 39")
    async with simulate(DISPLAY) as hall:
        (screen,) = hall.devices.values()
        for _ in range(300):
            data = bytearray(sound)
            for _ in range(4):
                data[random.randrange(len(data))] = random.randrange(256)
            link = Host()
            for at in range(0, len(data), 7):
                await screen.line.heard(link, bytes(data[at : at + 7]))
            screen.line.lost(link)
            screen.shows()
            clock.advance(1)


async def test_the_driver_brings_it_on_over_a_network_that_drops_and_back_from_every_hand(
    simulate: Simulate,
) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(screen, buses, wakes_s=3) as driver:
            wanted = ScreenPicture(on=True, input="hdmi2", volume=30, muted=False, brightness=70)
            assert await driver.show(wanted) is Outcome.APPLIED
            shows = screen.shows()
            assert (shows["input"], shows["volume"], shows["brightness"]) == ("hdmi2", 30, 70)
            assert shows["network_standby"]
            assert await driver.show(ScreenPicture(on=False)) is Outcome.APPLIED
            assert await driver.show(wanted) is Outcome.ACCEPTED
            assert screen.shows()["standing"] == "waking"
            assert (await driver.probe()).state is DeviceState.ONLINE
            await until_well(driver)
            assert (screen.shows()["standing"], screen.shows()["input"]) == ("on", "hdmi2")
            for key in ("power", "input", "mute", "volume-up"):
                screen.key(key)
            await until_well(driver)
            shows = screen.shows()
            assert (shows["standing"], shows["input"], shows["volume"]) == ("on", "hdmi2", 30)
            screen.fault("power-cycle")
            assert screen.shows()["standing"] == "standby"
            await until_well(driver)
            assert (screen.shows()["standing"], screen.shows()["input"]) == ("on", "hdmi2")


async def test_the_driver_tells_what_is_wrong_with_it(simulate: Simulate) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(screen, buses) as driver:
            for key, words in [("block-vent", "温度过高 78°C"), ("break-fan", "风扇"), ("unplug", "信号")]:
                screen.key(key)
                health = await driver.probe()
                assert (health.state, words in health.detail) == (DeviceState.DEGRADED, True)
                screen.key(key)
                assert (await driver.probe()).state is DeviceState.ONLINE
            screen.fault("stuck")
            await driver.show(ScreenPicture(on=True, volume=5))
            assert "没有照做：音量" in (await driver.probe()).detail
            screen.clear()
            await until_well(driver)
            assert screen.shows()["volume"] == 5


@pytest.mark.parametrize("fault", ["slow:50", "duplicate", "drop:30", "garble"])
async def test_the_driver_lives_with_a_bad_wire(simulate: Simulate, fault: str) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(screen, buses) as driver:
            screen.fault(fault, 0.5 if fault == "garble" else None)
            await until_shown(driver, ScreenPicture(on=True, input="hdmi3", volume=3))
            screen.clear()
            await until_well(driver)
            assert (screen.shows()["input"], screen.shows()["volume"]) == ("hdmi3", 3)


async def installed(package: str, folder: Path) -> Path:
    """A foreign program in a folder of its own; the test is skipped where no packages can be had."""
    uv = Path(sys.executable).parent / "uv"
    if not uv.is_file():
        pytest.skip("uv is not installed")
    process = await asyncio.create_subprocess_exec(
        *(str(uv), "pip", "install", "-q", "--python", sys.executable, "--target", str(folder), package),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        _, said = await process.communicate()
    if process.returncode:
        pytest.skip(f"{package} cannot be had: {said.decode()[-200:]}")
    return folder


async def run_python(folder: Path, *words: str) -> tuple[int, str]:
    """Run the interpreter with the folder's packages. Returns its code and all it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", *words),
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.peer
async def test_a_foreign_program_reads_and_sets_it(simulate: Simulate, tmp_path: Path) -> None:
    folder = await installed("python-samsung-mdc", tmp_path)
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        target = screen.address.replace("tcp://", "1@")

        async def mdc(*words: str) -> tuple[int, str]:
            return await run_python(folder, "-m", "samsung_mdc", target, *words)

        assert "HDMI1" in (await mdc("status"))[1]
        assert "QM55R" in (await mdc("model_name"))[1]
        assert "NORMAL" in (await mdc("error_status"))[1]
        await mdc("input_source", "hdmi2")
        await mdc("volume", "33")
        await mdc("mute", "on")
        await mdc("brightness", "44")
        await mdc("network_standby", "on")
        shows = screen.shows()
        assert (shows["input"], shows["volume"], shows["muted"], shows["brightness"]) == (
            "hdmi2",
            33,
            True,
            44,
        )
        screen.fault("nack:7")
        code, said = await mdc("volume", "5")
        assert (code != 0, "NAK" in said.upper()) == (True, True)
        screen.clear()
        await mdc("power", "off")
        assert screen.shows()["standing"] == "standby"
        await mdc("power", "on")
        await until(screen, lambda shows: shows["standing"] == "on")
