"""The UPS of a 24-hour terminal and the terminal's self-test: every part, and what must be done."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.bus import Neighbour
from device_drivers.terminal_24h.cabinet import Ups, battery_percent
from device_drivers.terminal_24h.megatec import UpsStatus, read_status
from device_drivers.terminal_24h.self_test import SAID, ups_finding
from hall_core.clock import FixedClock
from hall_core.devices.vocabulary import DeviceState, Finding, Outcome, SelfTest, SelfTested
from tests.drivers.cabinets import PROFILE, UPS, said, terminal
from tests.drivers.captures import FOLDER, _read
from tests.drivers.codec_ops import build

EXAMPLE = replace(_read(FOLDER / "terminal_24h" / "whole" / "ups.txt"), family="terminal_24h")


def test_the_protocols_own_example_of_a_ups_is_understood() -> None:
    capture = EXAMPLE
    sent, read = build(PROFILE, capture.command)
    assert [sent] == capture.sent
    assert read is not None
    status = read(capture.heard[0])
    assert status == UpsStatus(
        input_v=208.4, battery_v=2.05, load_percent=34.0, temperature=35.0, bits=0b00110000
    )
    assert status.failed
    assert not any((status.on_battery, status.battery_low, status.testing))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Q1\r",
        b"(208.4 140.0 208.4 034 59.9 2.05 35.0 00110000",
        b"208.4 140.0 208.4 034 59.9 2.05 35.0 00110000\r",
        b"(208.4 140.0 208.4 034 59.9 2.05 35.0 0011000\r",
        b"(208.4 140.0 208.4 034 59.9 2.05 35.0 00110002\r",
        b"(208.4 140.0 208.4 034 59.9 2.05 00110000\r",
        b"(208.4 140.0 2x8.4 034 59.9 2.05 35.0 00110000\r",
    ],
)
def test_a_line_that_is_no_status_is_none(line: bytes) -> None:
    assert read_status(line) is None


@pytest.mark.parametrize("blank", [b"@@.@", b"--.-", b"@"])
def test_what_a_ups_does_not_measure_is_absent_and_not_zero(blank: bytes) -> None:
    status = read_status(b"noise(230.0 230.0 230.0 010 50.0 13.5 " + blank + b" 00001000\r")
    assert status is not None
    assert status.temperature is None
    assert status.battery_v == 13.5


@given(st.binary(max_size=120))
def test_whatever_comes_over_the_wire_is_read_or_passed_over(data: bytes) -> None:
    assert read_status(data) is None or b"(" in data


async def test_a_self_test_finds_every_part_and_is_remembered_until_it_passes(clock: FixedClock) -> None:
    parts = {"printer": "p", "reader": "r", "screen": "s"}
    neighbours = [Neighbour(name, DeviceState.ONLINE) for name in "prs"]
    async with terminal(clock, *neighbours, parts=parts) as (driver, wires):
        said(driver)
        began = clock.monotonic()
        assert await driver.do(SelfTest(job_id="1")) is Outcome.APPLIED
        assert clock.monotonic() - began < 10, "it ends when the battery test has ended"
        (told,) = [e for e in said(driver) if isinstance(e, SelfTested)]
        assert told.job_id == "1"
        assert {f.what for f in told.findings} == set(SAID)
        assert all(f.passed for f in told.findings), told.findings
        wires.supply.knows_no_test = True
        await driver.do(SelfTest(job_id="2"))
        (told,) = [e for e in said(driver) if isinstance(e, SelfTested)]
        assert [f.what for f in told.findings if not f.passed] == ["ups"]
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert "自检未通过（UPS）" in found.detail
        wires.supply.knows_no_test = False
        await driver.do(SelfTest(job_id="3"))
        assert (await driver.probe()).state is DeviceState.ONLINE


@pytest.mark.parametrize(
    ("flaw", "what"), [("door", "door"), ("hot", "temperature"), ("mains", "ups"), ("part", "printer")]
)
async def test_a_self_test_fails_for_what_is_wrong_and_for_nothing_else(
    clock: FixedClock, flaw: str, what: str
) -> None:
    state = DeviceState.OFFLINE if flaw == "part" else DeviceState.ONLINE
    async with terminal(clock, Neighbour("p", state), parts={"printer": "p"}) as (driver, wires):
        if flaw == "door":
            wires.board.inputs = 0
        elif flaw == "hot":
            wires.board.tenths = 700
        elif flaw == "mains":
            wires.supply.bits = 0x80
        await driver.do(SelfTest(job_id="1"))
        (told,) = [e for e in said(driver) if isinstance(e, SelfTested)]
        failed = [f for f in told.findings if not f.passed]
        assert [f.what for f in failed] == [what]
        assert "请" in failed[0].detail


def status(bits: int, volts: float = 13.0) -> UpsStatus:
    return UpsStatus(input_v=230, battery_v=volts, load_percent=10, temperature=25, bits=bits)


@pytest.mark.parametrize(
    ("seen", "passed", "words"),
    [
        ([status(0), status(4, 12.5), status(0)], True, "12.5–13 V"),
        ([status(0), status(0x84), status(0)], True, ""),
        ([status(0), status(4), status(4)], False, "没有结束"),
        ([status(0), status(0)], False, "没有执行"),
        ([status(0), status(0x44), status(0)], False, "更换电池"),
        ([status(0), status(4), status(0x80)], False, "市电中断"),
        ([status(0), status(4), None], False, "没有应答"),
        ([None], False, "没有应答"),
        ([status(0x10)], False, "报修"),
    ],
)
def test_what_a_battery_test_says(seen: list[UpsStatus | None], passed: bool, words: str) -> None:
    found = ups_finding(seen, Ups(address=UPS))
    assert isinstance(found, Finding)
    assert found.passed is passed
    assert words in found.detail


@pytest.mark.parametrize(("volts", "percent"), [(10.0, 0), (10.4, 0), (11.7, 50), (13.0, 100), (13.8, 100)])
def test_a_battery_is_guessed_from_its_voltage(volts: float, percent: int) -> None:
    assert battery_percent(status(0, volts), Ups(address=UPS)) == percent
