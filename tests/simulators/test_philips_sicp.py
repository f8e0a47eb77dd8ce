"""The simulated Philips display: judged by the frames of the vendor's document and by its driver."""

from pathlib import Path
from random import Random

import pytest
import serial_asyncio_fast

from device_drivers import BusPool
from hall_core.clock import FixedClock, SystemClock
from hall_core.devices.vocabulary import DeviceState, Outcome, ScreenPicture
from tests.simulators.conftest import Ear, Simulate, Wire, wire
from tests.simulators.test_samsung_mdc import driver_of, until, until_shown, until_well

DISPLAY = {"profile": "philips.43bdl4550d", "options": {"wakes_s": 0.2}}
POWER, IS_ON, IS_OFF = "05 01 00 19 1D", "06 01 00 19 02 1C", "06 01 00 19 01 1F"
ON, OFF = "06 01 00 18 02 1D", "06 01 00 18 01 1E"
ACK, NACK, NAV = "06 01 00 00 06 01", "06 01 00 00 15 12", "06 01 00 00 18 1F"
HDMI2 = "09 01 00 AC 06 09 01 00 AA"


async def test_golden_frames_switch_it_off_and_on(simulate: Simulate) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with wire(screen.address) as host:
            assert await host.ask(POWER, IS_ON) == bytes.fromhex(IS_ON)
            assert await host.ask(OFF, ACK) == bytes.fromhex(ACK)
            assert await host.ask(POWER, IS_OFF) == bytes.fromhex(IS_OFF)
            assert await host.ask(HDMI2, NAV) == bytes.fromhex(NAV)
            assert await host.ask(ON, ACK) == bytes.fromhex(ACK)
            assert screen.shows()["standing"] == "waking"
            assert await host.ask(HDMI2, NAV) == bytes.fromhex(NAV)
            await until(screen, lambda shows: shows["standing"] == "on")
            assert await host.ask(HDMI2, ACK) == bytes.fromhex(ACK)
            assert screen.shows()["input"] == "hdmi2"


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        ("06 01 00 17 01 11", NACK),
        ("06 01 00 18 02 1E", NAV),
        ("06 01 00 18 04 1B", NAV),
        ("09 01 00 AC 77 09 01 00 DB", NAV),
        ("07 01 00 44 16 70 24", NAV),
        ("06 01 00 44 16 55", NAV),
    ],
    ids=["no such command", "checksum", "no such value", "no such input", "too loud", "audio output missing"],
)
async def test_what_it_cannot_do_has_the_documents_verdict(
    simulate: Simulate, sent: str, verdict: str
) -> None:
    async with simulate(DISPLAY) as hall, wire(hall.devices["device-1"].address) as host:
        assert (await host.ask(sent, verdict)).hex(" ").upper() == verdict


@pytest.mark.parametrize("sent", ["05 02 00 19 1E", "FF 00", "06 01"], ids=["id", "noise", "half"])
async def test_it_is_silent_to_what_is_not_for_it(simulate: Simulate, clock: FixedClock, sent: str) -> None:
    async with simulate(DISPLAY) as hall, wire(hall.devices["device-1"].address) as host:
        ear = Ear(hall.devices["device-1"].line)
        host.send(sent)
        await ear.until(len(bytes.fromhex(sent)))
        clock.advance(2)
        assert await host.ask(POWER, IS_ON) == bytes.fromhex(IS_ON)


async def test_a_chain_obeys_the_broadcast_and_nobody_answers_it(simulate: Simulate, tmp_path: Path) -> None:
    tty = {"address": f"serial://{tmp_path}/tty"}
    async with simulate(DISPLAY | tty, DISPLAY | tty | {"unit": 2}) as hall:
        host = Wire(*await serial_asyncio_fast.open_serial_connection(url=f"{tmp_path}/tty"))
        try:
            host.send("07 00 00 44 09 09 43")
            assert await host.ask("05 02 00 45 42", bytes(7)) == bytes.fromhex("07 02 00 45 09 09 40")
            assert [device.shows()["volume"] for device in hall.devices.values()] == [9, 9]
        finally:
            await host.close()


@pytest.mark.parametrize(("cold_start", "stands"), [("00", "off"), ("01", "on"), ("02", "on")])
async def test_with_the_mains_back_it_stands_as_it_was_told_to(
    simulate: Simulate, cold_start: str, stands: str
) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with wire(screen.address) as host:
            frame = bytes.fromhex(f"06 01 00 A3 {cold_start}")
            checksum = 0xA4 ^ int(cold_start)
            assert await host.ask(frame + bytes([checksum]), ACK) == bytes.fromhex(ACK)
            assert (await host.ask("05 01 00 A4 A0", bytes(6)))[4] == int(cold_start)
        screen.fault("power-cycle")
        assert screen.shows()["power"] == stands


async def test_noise_never_breaks_it(simulate: Simulate, clock: FixedClock) -> None:
    class Host:
        def send(self, data: bytes) -> None: ...

        def hang_up(self) -> None: ...

    random = Random(12)
    sound = bytes.fromhex(POWER + ON + OFF + HDMI2 + "0C 01 00 32 37 37 37 37 37 37 03 3C")
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


async def test_the_driver_brings_it_on_and_back_from_every_hand(simulate: Simulate) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(screen, buses, wakes_s=3) as driver:
            wanted = ScreenPicture(on=True, input="browser", volume=30, muted=True, brightness=70)
            assert await driver.show(wanted) is Outcome.APPLIED
            shows = screen.shows()
            assert (shows["input"], shows["volume"], shows["muted"], shows["brightness"]) == (
                *("browser", 30, True, 70),
            )
            assert await driver.show(ScreenPicture(on=False)) is Outcome.APPLIED
            assert await driver.show(wanted) is Outcome.ACCEPTED
            assert (await driver.probe()).state is DeviceState.ONLINE
            await until_well(driver)
            assert screen.shows()["standing"] == "on"
            for key in ("power", "input", "mute", "volume-up"):
                screen.key(key)
            await until_well(driver)
            shows = screen.shows()
            assert (shows["standing"], shows["input"], shows["volume"]) == ("on", "browser", 30)
            screen.key("block-vent")
            assert "82°C" in (await driver.probe()).detail


async def test_the_driver_of_an_older_display_speaks_without_groups_over_serial(
    simulate: Simulate, tmp_path: Path
) -> None:
    older = {"profile": "philips.sicp-v1", "address": f"serial://{tmp_path}/tty", "unit": 5}
    async with simulate(older) as hall:
        screen = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(screen, buses) as driver:
            wanted = ScreenPicture(on=True, input="vga", volume=40, muted=True)
            assert await driver.show(wanted) is Outcome.APPLIED
            assert (screen.shows()["input"], screen.shows()["volume"]) == ("vga", 0)
            assert await driver.show(wanted.model_copy(update={"muted": False})) is Outcome.APPLIED
            assert screen.shows()["volume"] == 40


async def test_what_it_cannot_do_now_is_done_by_a_later_probe(simulate: Simulate) -> None:
    async with simulate(DISPLAY) as hall:
        screen = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(screen, buses) as driver:
            screen.fault("nack:24")
            assert await driver.show(ScreenPicture(on=True, input="dp1")) is Outcome.UNCONFIRMED
            assert (await driver.probe()).state is DeviceState.DEGRADED
            screen.clear()
            await until_well(driver)
            assert screen.shows()["input"] == "dp1"


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
