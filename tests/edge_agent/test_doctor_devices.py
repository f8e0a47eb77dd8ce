"""`hall-agent device`: list, and test on the real wire."""

import asyncio
import json

import pytest
import serial
import yaml

import firmware_profiles
from edge_agent import cli
from edge_agent.doctor.device import Device, the_device
from edge_agent.doctor.selftest import self_test
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import Outcome
from hall_core.errors import SettingsInvalid
from tests.edge_agent.conftest import open_journal
from tests.edge_agent.doctor_scene import simulated
from tests.simulators.conftest import HALL

CLOCK = SystemClock()


def device(sim, **more) -> Device:
    values = {"name": sim.name, "profile": sim.profile.id, "address": sim.address, "unit": sim.unit, **more}
    return Device(DeviceSetup.model_validate(values), sim.profile)


async def examined(sim, *, said=None, counter="1", **more):
    lines = [] if said is None else said
    setup = device(sim, counter=counter, options=more.pop("options", {}))
    return await self_test(setup, CLOCK, lines.append, hold_s=0, **{"wait_s": 0.1, **more})


def outcomes(steps):
    return [step.outcome.value for step in steps]


async def test_a_strip_shows_a_marked_test_and_is_blank_again():
    async with simulated({"profile": "modbus.led-strip-generic"}) as hall:
        (strip,) = hall.devices.values()
        steps = await examined(strip)
        texts = [seen["shows"]["text"] for seen in strip.history]
    assert outcomes(steps) == ["applied", "applied", "applied"]
    assert texts == ["测试000", ""]


async def test_a_strip_the_hall_file_gives_no_counter_is_tested_all_the_same():
    async with simulated({"profile": "onbon.bx-6k1"}) as hall:
        (strip,) = hall.devices.values()
        steps = await examined(strip, counter=None)
        assert strip.shows()["text"] == ""
    assert outcomes(steps) == ["applied", "accepted", "accepted"]


async def test_a_printer_prints_one_slip_that_says_it_is_a_test():
    async with simulated({"profile": "escpos.80mm"}) as hall:
        (printer,) = hall.devices.values()
        steps = await examined(printer, counter=None)
        (slip,) = printer.shows()["slips"]
    assert outcomes(steps) == ["applied", "accepted"]
    assert "测试" in json.dumps(slip, ensure_ascii=False)


async def test_a_key_pad_beeps_and_says_which_key_was_pressed():
    async with simulated({"profile": "keypad.ff68-21", "address": "rtu+tcp://127.0.0.1:0"}) as hall:
        (pad,) = hall.devices.values()

        class Clerk(list[str]):
            def append(self, line: str) -> None:
                super().append(line)
                if "下一位" in line:
                    asyncio.get_running_loop().call_later(0.1, pad.key, "next")

        clerk = Clerk()
        steps = await examined(pad, said=clerk, wait_s=5)
        assert pad.shows()["beeps"] == 1
    assert (steps[-1].outcome, steps[-1].words) == (Outcome.APPLIED, "next")


async def test_a_screen_is_only_asked_how_it_stands():
    async with simulated({"profile": "samsung.qm55r"}) as hall:
        (screen,) = hall.devices.values()
        steps = await examined(screen, counter=None)
        assert list(screen.history) == []
    assert outcomes(steps) == ["applied"]


async def test_a_terminal_tests_itself_part_by_part_and_stands_as_before():
    async with simulated({"profile": "terminal.h24", "address": "rtu+tcp://127.0.0.1:0"}) as hall:
        (cabinet,) = hall.devices.values()
        before, said = cabinet.shows(), []
        more = {"counter": None, "options": {"parts": {"printer": "kiosk-printer"}}}
        steps = await examined(cabinet, said=said, **more)
        assert [step.name for step in steps] == [
            "连接 connect",
            "自检 self-test",
            "自检 door",
            "自检 temperature",
            "自检 relays",
        ]
        assert all(step.good for step in steps)
        assert "°C" in steps[3].words
        assert any("kiosk-printer" in line for line in said)
        cabinet.fault("hot")
        failed = [step for step in await examined(cabinet, **more) if not step.good]
        assert [step.name for step in failed] == ["自检 temperature"]
        assert "检查风扇" in failed[0].words
        cabinet.clear()
        assert cabinet.shows() == before


async def test_a_card_reader_is_asked_for_a_card():
    async with simulated({"profile": "card.sam-v", "address": "rtu+tcp://127.0.0.1:0"}) as hall:
        (reader,) = hall.devices.values()
        steps = await examined(reader, counter=None, options={"pepper": "p" * 32})
    assert (steps[-1].name, steps[-1].outcome) == ("刷卡 card", Outcome.EXPIRED)
    assert "another card" in steps[-1].words


async def test_no_pager_shakes_unless_one_is_named():
    async with simulated({"profile": "pager.rps-lrs"}) as hall:
        (gateway,) = hall.devices.values()
        assert outcomes(await examined(gateway, counter=None)) == ["applied"]
        assert gateway.shows()["pages"] == 0
        steps = await examined(gateway, counter=None, pager=17)
        assert (outcomes(steps), list(gateway.shows()["pagers"])) == (["applied", "unconfirmed"], ["17"])


async def test_a_device_that_does_not_answer_gets_one_step_that_says_so():
    async with simulated({"profile": "modbus.dm36b06"}) as hall:
        (strip,) = hall.devices.values()
        address = strip.address
    steps = await self_test(
        Device(
            DeviceSetup(name="s", profile="modbus.dm36b06", address=address),
            firmware_profiles.load("modbus.dm36b06"),
        ),
        CLOCK,
        lambda _: None,
    )
    assert outcomes(steps) == ["unreachable"]


async def test_a_port_somebody_holds_is_named_with_its_remedy(tmp_path):
    async with simulated({"profile": "modbus.dm36b06", "address": f"serial://{tmp_path}/ttyA"}) as hall:
        (strip,) = hall.devices.values()
        with serial.Serial(f"{tmp_path}/ttyA", 9600, exclusive=True):
            (step,) = await examined(strip)
    assert step.outcome is Outcome.UNREACHABLE
    assert "systemctl stop hall-agent" in step.words


def hall_file(folder, *devices):
    path = folder / "hall.yaml"
    path.write_text(yaml.safe_dump({"hall": HALL, "devices": list(devices)}), encoding="utf-8")
    return path


def test_while_the_agent_runs_its_devices_are_left_to_it(tmp_path):
    path = hall_file(tmp_path, {"name": "s", "profile": "escpos.80mm", "address": "tcp://127.0.0.1:1"})
    journal = open_journal(tmp_path / "journal.db")
    with pytest.raises(SettingsInvalid, match="systemctl stop hall-agent"):
        the_device("s", path, tmp_path)
    journal.close()
    assert the_device("s", path, tmp_path).profile.id == "escpos.80mm"


def test_a_device_nobody_knows_is_refused_and_the_known_ones_are_named(tmp_path, capsys):
    path = hall_file(tmp_path, {"name": "strip-1", "profile": "escpos.80mm", "address": "tcp://127.0.0.1:1"})
    assert cli.main(["device", "test", "nobody", "--hall", str(path)]) == 2
    assert "strip-1" in capsys.readouterr().err


def test_devices_are_listed_with_how_they_can_be_found(tmp_path, capsys):
    path = hall_file(
        tmp_path,
        {"name": "printer-1", "profile": "escpos.80mm", "address": "tcp://127.0.0.1:1"},
        {"name": "pad-1", "profile": "keypad.ff68-21", "address": "serial:///dev/ttyUSB0", "counter": "1"},
    )
    assert cli.main(["device", "list", "--hall", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "printer-1" in lines[1]
    assert "asking" in lines[1]
    assert "a key" in lines[2]
