"""Modbus panels: register maps, pictures, reading back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterResponse,
)

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.bus.modbus import Codec
from device_drivers.modbus_text.driver import WHOLE_EVERY, DeviceDriver
from device_drivers.modbus_text.registers import (
    ModbusTextOptions,
    Register,
    decode_text,
    encode_text,
    spans,
    values_of,
    writes_of,
)
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CounterMode, CounterPicture, DeviceState, Outcome
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid
from tests.drivers.wires import FakeWire, pool

GENERIC = firmware_profiles.load("modbus.led-strip-generic")
OPTIONS = ModbusTextOptions.model_validate(GENERIC.options)


def picture(mode: CounterMode, label: str | None = None, name: str = "3号窗口") -> CounterPicture:
    return CounterPicture(counter="3", name=name, mode=mode, label=label, text="")


class Panel:
    """Answers like a panel with these registers; `say` may be replaced to misbehave."""

    def __init__(self, *, rtu: bool = False) -> None:
        self.holding = dict.fromkeys(range(48), 0)
        self.exception = 0
        self.exceptions: list[int] = []
        self.stuck = False
        self.writes = 0
        kind = FramerRTU if rtu else FramerSocket
        self._framer = kind(DecodePDU(is_server=True))

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        request = self._framer.handleFrame(data, 0, 0)[1]
        assert request is not None
        answer = self._answer(request)
        answer.dev_id, answer.transaction_id = request.dev_id, request.transaction_id
        wire.say(self._framer.buildFrame(answer))

    def _answer(self, request: ModbusPDU) -> ModbusPDU:
        exception = self.exceptions.pop(0) if self.exceptions else self.exception
        if exception:
            return ExceptionResponse(request.function_code, exception)
        if request.function_code == 4:
            return ReadInputRegistersResponse(registers=[0x0102])
        where = range(request.address, request.address + max(request.count, 1))
        if request.function_code == 3:
            return ReadHoldingRegistersResponse(registers=[self.holding[a] for a in where])
        self.writes += 1
        if not self.stuck:
            self.holding |= dict(zip(where, request.registers, strict=True))
            self.holding[3] = 0
        if request.function_code == 6:
            return WriteSingleRegisterResponse(address=request.address, registers=request.registers)
        return WriteMultipleRegistersResponse(address=request.address, count=len(request.registers))

    @property
    def text(self) -> str:
        return decode_text([self.holding[a] for a in range(16, 48)], OPTIONS.registers["text"])


def strip(
    buses: BusPool, clock: FixedClock, address: str = "tcp://127.0.0.1:9", **kw: object
) -> DeviceDriver:
    setup = DeviceSetup.model_validate({"name": "strip-3", "profile": GENERIC.id, "address": address} | kw)
    return DeviceDriver(setup, GENERIC, buses, clock)


@pytest.mark.parametrize(
    ("mode", "label", "text", "number"),
    [
        (CounterMode.CLOSED, None, "", 0),
        (CounterMode.FREE, None, "3号窗口", 1),
        (CounterMode.CALLED, "A018", "A018", 2),
        (CounterMode.SERVING, "A018", "A018", 3),
        (CounterMode.PAUSED, None, "暂停服务", 4),
    ],
)
async def test_what_a_strip_shows_in_each_mode(
    clock: FixedClock, mode: CounterMode, label: str | None, text: str, number: int
) -> None:
    panel = Panel()
    wire = FakeWire(panel)
    async with pool(clock, wire) as buses, strip(buses, clock) as driver:
        assert await driver.show(picture(mode, label)) is Outcome.APPLIED
    assert (panel.text, panel.holding[0]) == (text, number)
    assert panel.holding[1] == (OPTIONS.blinks if mode is CounterMode.CALLED else 0)
    assert panel.writes == 1, "mode, text and commit go with one request"


async def test_a_hall_changes_one_line_of_what_is_shown(clock: FixedClock) -> None:
    panel = Panel()
    options = {"shows": {"text": {"closed": "今日休息"}}}
    async with (
        pool(clock, FakeWire(panel)) as buses,
        strip(buses, clock, options=options) as driver,
    ):
        await driver.show(picture(CounterMode.CLOSED))
        assert panel.text == "今日休息"
        await driver.show(picture(CounterMode.PAUSED))
        assert panel.text == "暂停服务"


async def test_signs_the_strip_lacks_become_question_marks(clock: FixedClock) -> None:
    panel = Panel()
    async with pool(clock, FakeWire(panel)) as buses, strip(buses, clock) as driver:
        outcome = await driver.show(picture(CounterMode.FREE, name="𠮷田\x1b窗口😀"))
    assert outcome is Outcome.APPLIED
    assert panel.text == "?田 窗口?"


async def test_a_panel_that_keeps_other_contents_is_never_called_applied(clock: FixedClock) -> None:
    panel = Panel()
    async with pool(clock, FakeWire(panel)) as buses, strip(buses, clock) as driver:
        panel.stuck = True
        with pytest.raises(DeviceRefused, match="读回的内容与写入的不一致"):
            await driver.show(picture(CounterMode.CALLED, "A018"))
        assert (await driver.probe()).state is DeviceState.DEGRADED


async def test_a_panel_that_lost_its_power_is_painted_again_at_the_next_probe(clock: FixedClock) -> None:
    panel = Panel()
    async with pool(clock, FakeWire(panel)) as buses, strip(buses, clock) as driver:
        await driver.show(picture(CounterMode.SERVING, "A018"))
        assert (await driver.probe()).detail == "固件 1.2"
        panel.holding = dict.fromkeys(range(48), 0)
        assert "已重新显示" in (await driver.probe()).detail
    assert (panel.text, panel.holding[0]) == ("A018", 3)


async def test_most_looks_read_no_more_than_the_picture_and_every_so_often_one_reads_all(
    clock: FixedClock,
) -> None:
    panel = Panel()
    wire = FakeWire(panel)
    async with pool(clock, wire) as buses, strip(buses, clock) as driver:
        await driver.show(picture(CounterMode.CALLED, "A018"))
        wire.log.clear()
        for _ in range(WHOLE_EVERY - 1):
            await driver.probe()
        short = [int.from_bytes(frame[10:12], "big") for frame in wire.frames]
        assert short == [18] * (WHOLE_EVERY - 1), "mode to the second register of text, and no firmware"
        panel.holding[40] = 0x4141
        wire.log.clear()
        assert "repainted" in (await driver.probe()).detail
        assert panel.holding[40] == 0x2020


async def test_a_busy_panel_is_asked_again_later(clock: FixedClock) -> None:
    panel = Panel()
    wire = FakeWire(panel, clock)
    async with (
        pool(clock, wire) as buses,
        strip(buses, clock) as driver,
    ):
        panel.exceptions = [6, 6]
        began = clock.monotonic()
        assert await driver.show(picture(CounterMode.FREE)) is Outcome.APPLIED
        assert clock.monotonic() - began == pytest.approx(0.6)
        panel.exception = 6
        with pytest.raises(DeviceUnreachable, match="忙"):
            await driver.show(picture(CounterMode.FREE))


async def test_an_exception_of_the_panel_is_said_in_words(clock: FixedClock) -> None:
    panel = Panel()
    async with pool(clock, FakeWire(panel)) as buses, strip(buses, clock) as driver:
        panel.exception = 2
        with pytest.raises(DeviceRefused, match="「strip-3」没有此寄存器地址"):
            await driver.show(picture(CounterMode.FREE))


async def test_a_gateway_that_finds_nobody_counts_as_silence(clock: FixedClock) -> None:
    panel = Panel()
    panel.exception = 11
    async with pool(clock, FakeWire(panel)) as buses:
        with pytest.raises(DeviceUnreachable, match="网关"):
            async with strip(buses, clock):
                raise AssertionError


@pytest.mark.parametrize(("address", "unit"), [("serial:///dev/ttyX", 0), ("rtu+tcp://h:1", 248)])
async def test_a_unit_no_serial_line_can_have_is_refused(clock: FixedClock, address: str, unit: int) -> None:
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(SettingsInvalid, match=r"1\.\.247"):
            strip(buses, clock, address, unit=unit)


TEXT = st.text(max_size=40)
REGISTERS = st.builds(
    Register,
    address=st.just(0),
    count=st.integers(1, 40),
    encoding=st.sampled_from(["gbk", "gb18030", "ascii", "ascii-per-register"]),
    order=st.sampled_from(["hi-lo", "lo-hi"]),
    pad=st.sampled_from([" ", "\x00", "_"]),
)


@given(TEXT, REGISTERS)
def test_any_text_fills_its_registers_exactly_and_reads_back_whole(text: str, register: Register) -> None:
    values = encode_text(text, register)
    assert len(values) == register.count
    assert all(0 <= value <= 0xFFFF for value in values)
    again = decode_text(values, register)
    assert "\ufffd" not in again, "a character was cut in two"
    assert encode_text(again, register) == values


@given(st.sets(st.integers(0, 200), max_size=60), st.sets(st.integers(0, 200)), st.integers(1, 123))
def test_runs_cover_what_is_wanted_and_touch_nothing_else(
    wanted: set[int], bridges: set[int], most: int
) -> None:
    runs = spans(wanted, bridges, most)
    covered = [a for run in runs for a in run]
    assert len(covered) == len(set(covered))
    assert wanted <= set(covered) <= wanted | bridges
    assert all(len(run) <= most for run in runs)


@given(st.integers(1, 123))
def test_the_commit_is_always_in_the_last_request(most: int) -> None:
    options = OPTIONS.model_copy(update={"max_write": most})
    writes = writes_of(values_of(picture(CounterMode.CALLED, "A018"), options), options)
    committing = [w for w in writes if w.address <= 3 < w.address + len(w.values)]
    assert committing == writes[-1:]


def test_no_ticket_number_of_tcp_is_used_twice_in_a_row() -> None:
    codec = Codec(1, rtu=False, transaction=0xFFFE)
    numbers = [codec.read("holding", 0, 1).frame[:2] for _ in range(3)]
    assert numbers == [b"\xff\xff", b"\x00\x01", b"\x00\x02"]


@given(st.binary(max_size=24), st.integers(1, 247))
def test_an_answer_is_found_behind_any_noise_of_a_line(noise: bytes, unit: int) -> None:
    question = Codec(unit, rtu=True).read("holding", 0, 3)
    answer = ReadHoldingRegistersResponse(registers=[1, 2, 3])
    answer.dev_id = unit
    frame = FramerRTU(DecodePDU(is_server=True)).buildFrame(answer)
    found = question.read(noise + frame)
    assert found is not None
    assert found.registers == (1, 2, 3)


@pytest.mark.parametrize(
    ("unit", "registers", "transaction"),
    [(2, [7], 1), (1, [7, 7], 1), (1, [7], 9)],
    ids=["unit", "count", "number"],
)
def test_an_answer_to_another_question_is_not_taken(
    unit: int, registers: list[int], transaction: int
) -> None:
    question = Codec(1, rtu=False).read("holding", 0, 1)
    answer = ReadHoldingRegistersResponse(registers=registers)
    answer.dev_id, answer.transaction_id = unit, transaction
    assert question.read(FramerSocket(DecodePDU(is_server=True)).buildFrame(answer)) is None


@given(st.binary(max_size=60))
def test_arbitrary_bytes_never_break_the_reader(data: bytes) -> None:
    for rtu in (True, False):
        Codec(1, rtu=rtu).read("holding", 0, 2).read(data)
