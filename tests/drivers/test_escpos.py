"""Ticket printers: the slip, each job once, paper and cover."""

import pytest
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.escpos.driver import DeviceDriver
from device_drivers.escpos.slip import EscposOptions, encode_text, qr_code, slip
from device_drivers.escpos.status import read_status, trouble, warning
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CounterMode, CounterPicture, DeviceState, Outcome
from hall_core.errors import DeviceRefused, DeviceUnreachable
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool

PROFILE = firmware_profiles.load("escpos.80mm")
PROFILE = PROFILE.model_copy(update={"timing": PROFILE.timing.model_copy(update={"response_timeout_ms": 20})})
OPTIONS = EscposOptions.model_validate(PROFILE.options)


class Printer:
    """Answers states by n; None is silence. Keeps the slips."""

    def __init__(self) -> None:
        self.states: dict[int, int | None] = dict.fromkeys((1, 2, 3, 4), 0x12)
        self.slips: list[bytes] = []
        self.silent_after_slip = False

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        if data[:2] != b"\x10\x04":
            self.slips.append(data)
            return
        state = self.states[data[2]]
        if state is not None and not (self.silent_after_slip and self.slips):
            wire.say(bytes([state]))


def printer_driver(buses: BusPool, clock: FixedClock) -> DeviceDriver:
    setup = DeviceSetup(name="printer", profile=PROFILE.id, address="tcp://127.0.0.1:9")
    return DeviceDriver(setup, PROFILE, buses, clock)


def test_a_slip_carries_everything_in_gbk_and_is_cut() -> None:
    data = slip(JOB, OPTIONS, "gbk")
    assert data.startswith(b"\x1b@\x1c&")
    assert data.endswith(b"\x1dV\x01")
    for words in (
        JOB.hall,
        JOB.service,
        "A018",
        "前面还有 3 人",
        JOB.range_text,
        JOB.hint,
        "2026-11-23 09:30:00",
    ):
        assert words.encode("gbk") in data
    assert JOB.url.encode() in data


@pytest.mark.parametrize("correction", ["L", "M", "Q", "H"])
@given(size=st.integers(1, 16), url=st.text(alphabet="abcdefghij:/.-_0123456789", min_size=1, max_size=300))
def test_the_qr_commands_are_those_of_another_library(correction: str, size: int, url: str) -> None:
    other = Dummy()
    other.qr(url, ec="LMQH".index(correction), size=size, model=2, native=True)
    options = OPTIONS.model_copy(update={"qr_module": size, "qr_correction": correction})
    assert qr_code(url, options) == other.output


@given(st.text(max_size=100), st.sampled_from(["gbk", "gb18030", "ascii"]))
def test_no_text_can_smuggle_a_command_into_a_slip(text: str, encoding: str) -> None:
    assert not any(byte < 0x20 for byte in encode_text(text, encoding))


@pytest.mark.parametrize(
    ("n", "byte", "words"),
    [
        (1, 0x12, ""),
        (1, 0x1A, "脱机"),
        (2, 0x16, "盖未合上"),
        (2, 0x32, "缺纸"),
        (2, 0x52, "故障"),
        (3, 0x1A, "切刀"),
        (3, 0x32, "关机检查"),
        (4, 0x72, "缺纸"),
        (4, 0x7E, "缺纸"),
        (4, 0x1E, ""),
    ],
)
def test_status_bytes_in_words(n: int, byte: int, words: str) -> None:
    found = trouble({n: byte})
    assert words in found
    assert bool(found) == bool(words)


def test_low_paper_is_a_warning() -> None:
    assert "纸将用尽" in warning({4: 0x1E})
    assert warning({4: 0x12}) == ""


@given(st.binary(max_size=10))
def test_only_bytes_with_the_fixed_bits_are_states(data: bytes) -> None:
    state = read_status(data)
    assert state is None or state & 0x93 == 0x12


async def test_a_job_is_printed_once_however_often_it_is_asked(clock: FixedClock) -> None:
    printer = Printer()
    async with pool(clock, FakeWire(printer)) as buses, printer_driver(buses, clock) as driver:
        assert await driver.do(JOB) is Outcome.ACCEPTED
        assert await driver.do(JOB) is Outcome.ACCEPTED
        await driver.do(JOB.model_copy(update={"job_id": "another"}))
    assert len(printer.slips) == 2


@pytest.mark.parametrize(("n", "byte", "why"), [(4, 0x7E, "缺纸"), (2, 0x16, "盖未合上"), (3, 0x1A, "切刀")])
async def test_a_printer_that_cannot_print_refuses_and_prints_later_when_asked_again(
    clock: FixedClock, n: int, byte: int, why: str
) -> None:
    printer = Printer()
    async with pool(clock, FakeWire(printer)) as buses, printer_driver(buses, clock) as driver:
        printer.states[n] = byte
        assert (await driver.probe()).state is DeviceState.DEGRADED
        with pytest.raises(DeviceRefused, match=f"「printer」{why}"):
            await driver.do(JOB)
        assert printer.slips == []
        printer.states[n] = 0x12
        assert await driver.do(JOB) is Outcome.ACCEPTED


async def test_silence_before_the_slip_is_unreachable_and_nothing_was_printed(clock: FixedClock) -> None:
    printer = Printer()
    async with pool(clock, FakeWire(printer)) as buses, printer_driver(buses, clock) as driver:
        printer.states[1] = None
        with pytest.raises(DeviceUnreachable):
            await driver.do(JOB)
        assert printer.slips == []
        printer.states[1] = 0x12
        assert await driver.do(JOB) is Outcome.ACCEPTED


async def test_silence_after_the_slip_is_unconfirmed_and_never_printed_again(clock: FixedClock) -> None:
    printer = Printer()
    async with pool(clock, FakeWire(printer)) as buses, printer_driver(buses, clock) as driver:
        printer.silent_after_slip = True
        assert await driver.do(JOB) is Outcome.UNCONFIRMED
        assert await driver.do(JOB) is Outcome.UNCONFIRMED
    assert len(printer.slips) == 1


async def test_paper_that_ends_with_the_slip_leaves_it_unconfirmed(clock: FixedClock) -> None:
    printer = Printer()

    def last_paper(wire: FakeWire, data: bytes) -> None:
        printer(wire, data)
        if printer.slips:
            printer.states[4] = 0x7E

    async with pool(clock, FakeWire(last_paper)) as buses, printer_driver(buses, clock) as driver:
        assert await driver.do(JOB) is Outcome.UNCONFIRMED


async def test_low_paper_still_prints_and_shows_as_degraded(clock: FixedClock) -> None:
    printer = Printer()
    printer.states[4] = 0x1E
    async with pool(clock, FakeWire(printer)) as buses, printer_driver(buses, clock) as driver:
        health = await driver.probe()
        assert (health.state, "纸将用尽" in health.detail) == (DeviceState.DEGRADED, True)
        assert await driver.do(JOB) is Outcome.ACCEPTED


async def test_a_printer_shows_no_pictures(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(Printer())) as buses, printer_driver(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="打印机"):
            await driver.show(CounterPicture(counter="3", name="3号窗口", mode=CounterMode.FREE, text=""))
