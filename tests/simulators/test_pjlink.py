"""The simulated projector: judged by the standard's lines, by its driver and by a foreign program."""

import hashlib
from pathlib import Path

import pytest

import simulators.pjlink
from device_drivers import BusPool
from hall_core.clock import SystemClock
from hall_core.devices.vocabulary import DeviceState, Outcome, ScreenPicture
from tests.simulators.conftest import Simulate, Wire, wire
from tests.simulators.test_samsung_mdc import (
    driver_of,
    installed,
    run_python,
    until,
    until_shown,
    until_well,
)

QUICK = {"warming_s": 0.1, "cooling_s": 0.1}
BEAMER = {"profile": "pjlink.class1", "options": QUICK}
LASER = {"profile": "pjlink.panasonic-pt-vmz51", "options": QUICK}
GREETING = b"PJLINK 0\r"


async def say(host: Wire, line: str) -> str:
    """Say a line and take the answer."""
    return (await host.reply(f"{line}\r".encode(), b"\r")).decode().removesuffix("\r")


async def test_it_warms_up_and_cools_down_and_refuses_meanwhile(simulate: Simulate) -> None:
    async with simulate(BEAMER) as hall:
        beamer = hall.devices["device-1"]
        async with wire(beamer.address) as host:
            assert await host.receive(len(GREETING)) == GREETING
            assert await say(host, "%1POWR 0") == "%1POWR=OK"
            assert await say(host, "%1POWR ?") == "%1POWR=2"
            assert await say(host, "%1POWR 1") == "%1POWR=ERR3"
            assert await say(host, "%1INPT 32") == "%1INPT=ERR3"
            await until(beamer, lambda shows: shows["standing"] == "standby")
            assert await say(host, "%1POWR 1") == "%1POWR=OK"
            assert await say(host, "%1POWR ?") == "%1POWR=3"
            assert await say(host, "%1AVMT ?") == "%1AVMT=ERR3"
            await until(beamer, lambda shows: shows["standing"] == "on")
            assert await say(host, "%1INPT 32") == "%1INPT=OK"
        assert (beamer.shows()["input"], beamer.shows()["power"]) == ("hdmi2", "on")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("%1INPT 77", "%1INPT=ERR2"),
        ("%1POWR 7", "%1POWR=ERR2"),
        ("%1AVMT 41", "%1AVMT=ERR2"),
        ("%1ABCD ?", "%1ABCD=ERR1"),
        ("%2SVOL 1", "%2SVOL=ERR1"),
        ("%1ERST 1", "%1ERST=ERR2"),
        ("%1CLSS ?", "%1CLSS=1"),
        ("%1INST ?", "%1INST=11 21 31 32 41 51"),
        ("%1powr ?", "%1POWR=1"),
    ],
)
async def test_it_answers_as_the_standard_says(simulate: Simulate, line: str, answer: str) -> None:
    async with simulate(BEAMER) as hall, wire(hall.devices["device-1"].address) as host:
        await host.receive(len(GREETING))
        assert await say(host, line) == answer


async def test_picture_and_sound_are_muted_apart_and_together(simulate: Simulate) -> None:
    async with simulate(BEAMER) as hall, wire(hall.devices["device-1"].address) as host:
        await host.receive(len(GREETING))
        for parameter, stands in [("11", "11"), ("21", "31"), ("10", "21"), ("30", "30"), ("31", "31")]:
            assert await say(host, f"%1AVMT {parameter}") == "%1AVMT=OK"
            assert await say(host, "%1AVMT ?") == f"%1AVMT={stands}"


async def test_a_password_is_asked_for_with_a_new_token_each_time(simulate: Simulate) -> None:
    guarded = BEAMER | {"options": QUICK | {"password": "letmein"}}
    tokens = set()
    async with simulate(guarded) as hall:
        for right in (True, False, True):
            async with wire(hall.devices["device-1"].address) as host:
                greeting = (await host.receive(18)).decode()
                assert greeting.startswith("PJLINK 1 ")
                tokens.add(token := greeting[9:17])
                secret = token + ("letmein" if right else "guess")
                proof = hashlib.md5(secret.encode()).hexdigest()
                assert await say(host, f"{proof}%1POWR ?") == ("%1POWR=1" if right else "PJLINK ERRA")
                if right:
                    assert await say(host, "%1INPT ?") == "%1INPT=31"
    assert len(tokens) == 3


async def test_it_serves_one_client_at_a_time(simulate: Simulate) -> None:
    async with simulate(BEAMER) as hall:
        address = hall.devices["device-1"].address
        async with wire(address) as first:
            await first.receive(len(GREETING))
            async with wire(address) as second:
                assert await second.ended()
            assert await say(first, "%1POWR ?") == "%1POWR=1"


async def test_it_hangs_up_after_a_silence(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert simulators.pjlink.IDLE_S == 30
    monkeypatch.setattr(simulators.pjlink, "IDLE_S", 0.05)
    async with simulate(BEAMER) as hall, wire(hall.devices["device-1"].address) as host:
        await host.receive(len(GREETING))
        assert await host.ended()


@pytest.mark.parametrize("noise", [b"\r\r\r", b"GET / HTTP/1.1\r\n\r", b"\xff\xfe\r", b"%\r", b"%1POWR?\r"])
async def test_lines_that_are_no_questions_are_passed_over(simulate: Simulate, noise: bytes) -> None:
    async with simulate(BEAMER) as hall, wire(hall.devices["device-1"].address) as host:
        await host.receive(len(GREETING))
        host.send(noise)
        assert await say(host, "%1POWR ?") == "%1POWR=1"


async def test_a_flood_without_an_end_is_hung_up(simulate: Simulate) -> None:
    async with simulate(BEAMER) as hall, wire(hall.devices["device-1"].address) as host:
        await host.receive(len(GREETING))
        host.send(b"x" * 1000)
        assert await host.ended()


async def test_the_driver_brings_it_on_and_back_from_every_hand(simulate: Simulate) -> None:
    guarded = LASER | {"options": QUICK | {"password": "letmein"}}
    async with simulate(guarded) as hall:
        beamer = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(beamer, buses) as driver:
            wanted = ScreenPicture(on=True, input="hdmi2", volume=25, muted=True)
            assert await driver.show(wanted) is Outcome.ACCEPTED
            assert await driver.show(wanted) is Outcome.APPLIED
            shows = beamer.shows()
            assert (shows["input"], shows["volume"], shows["muted"]) == ("hdmi2", 25, True)
            assert await driver.show(ScreenPicture(on=False)) is Outcome.ACCEPTED
            assert beamer.shows()["standing"] == "cooling"
            assert await driver.show(wanted) is Outcome.UNCONFIRMED
            await until_well(driver)
            assert beamer.shows()["standing"] == "on"
            for key in ("blank", "input", "mute"):
                beamer.key(key)
            await until_well(driver)
            shows = beamer.shows()
            assert (shows["input"], shows["blank"], shows["muted"]) == ("hdmi2", False, True)
            beamer.fault("power-cycle")
            assert beamer.shows()["standing"] == "standby"
            await until_well(driver)
            assert (beamer.shows()["standing"], beamer.shows()["volume"]) == ("on", 25)


async def test_the_driver_lets_others_talk_to_the_projector(simulate: Simulate) -> None:
    async with simulate(BEAMER) as hall:
        beamer = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(beamer, buses) as driver:
            assert await driver.show(ScreenPicture(on=True, input="hdmi2")) is Outcome.APPLIED
            async with wire(beamer.address) as other:
                await other.receive(len(GREETING))
                assert await say(other, "%1INPT ?") == "%1INPT=32"
            assert (await driver.probe()).state is DeviceState.ONLINE


async def test_the_driver_tells_what_is_wrong_with_it(simulate: Simulate) -> None:
    async with simulate(BEAMER) as hall:
        beamer = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(beamer, buses) as driver:
            for key, words in [("block-vent", "温度过高"), ("open-cover", "机盖")]:
                beamer.key(key)
                health = await driver.probe()
                assert (health.state, words in health.detail) == (DeviceState.DEGRADED, True)
                beamer.key(key)
            beamer.fault("busy")
            assert await driver.show(ScreenPicture(on=True, input="usb")) is Outcome.UNCONFIRMED
            beamer.clear()
            await until_well(driver)
            assert beamer.shows()["input"] == "usb"
            beamer.key("wear-lamp")
            assert "灯泡已用 20000 小时" in (await driver.probe()).detail


@pytest.mark.parametrize("fault", ["slow:50", "duplicate", "drop:20", "garble"])
async def test_the_driver_lives_with_a_bad_wire(simulate: Simulate, fault: str) -> None:
    async with simulate(BEAMER) as hall:
        beamer = hall.devices["device-1"]
        async with BusPool(clock=SystemClock()) as buses, driver_of(beamer, buses) as driver:
            beamer.fault(fault, 0.5 if fault == "garble" else None)
            await until_shown(driver, ScreenPicture(on=True, input="hdmi2", muted=True))
            beamer.clear()
            await until_well(driver)
            assert (beamer.shows()["input"], beamer.shows()["muted"]) == ("hdmi2", True)


FOREIGN = """
import asyncio, sys
from aiopjlink import PJLink, PJLinkERR3, PJLinkPassword, PJClass

async def main(port, password):
    link = PJLink("127.0.0.1", port, password)
    try:
        print("power", (await link.power.get()).name)
    except PJLinkPassword:
        print("wrong password")
        return
    print("name", await link.info.projector_name())
    print("sources", len(await link.sources.available()))
    print("source", await link.transmit("INPT", "32", PJClass.ONE))
    print("louder", await link.transmit("SVOL", "1", PJClass.TWO))
    print("errors", await link.transmit("ERST", "?", PJClass.ONE))
    await link.power.turn_off()
    try:
        await link.transmit("INPT", "31", PJClass.ONE)
    except PJLinkERR3:
        print("not now")

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.peer
async def test_a_foreign_program_reads_and_sets_it(simulate: Simulate, tmp_path: Path) -> None:
    folder = await installed("aiopjlink2", tmp_path)
    guarded = LASER | {"name": "beamer", "options": QUICK | {"password": "letmein", "cooling_s": 60}}
    async with simulate(guarded) as hall:
        (beamer,) = hall.devices.values()
        port = beamer.address.rsplit(":", 1)[1]
        code, said = await run_python(folder, "-c", FOREIGN, port, "guess")
        assert (code, said.strip()) == (0, "wrong password")
        code, said = await run_python(folder, "-c", FOREIGN, port, "letmein")
        assert said.splitlines() == [
            *("power ON", "name beamer", "sources 9", "source OK", "louder OK", "errors 000000", "not now"),
        ]
        assert (beamer.shows()["input"], beamer.shows()["volume"]) == ("hdmi2", 55)
        assert beamer.shows()["standing"] == "cooling"
