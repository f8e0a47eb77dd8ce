"""Modules of inputs and outputs: keys that bounce, lamps that are read back, and calls that go first."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import firmware_profiles
from device_drivers.bus import BusPool, Urgency
from device_drivers.bus.modbus import Codec
from device_drivers.modbus_io.channels import ModbusIoOptions, lamps_of, pressed, writes_of
from device_drivers.modbus_io.driver import DeviceDriver
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    CounterMode,
    CounterPicture,
    DeviceState,
    KeyOp,
    KeyPressed,
    Outcome,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, ProfileInvalid, SettingsInvalid
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.samples import JOB
from tests.drivers.units import port, question
from tests.drivers.wires import FakeWire, Script, pool

PROFILE = firmware_profiles.load("waveshare.modbus-rtu-io-8ch")
OPTIONS = ModbusIoOptions.model_validate(PROFILE.options)
RTU = "rtu+tcp://127.0.0.1:9"
CAPTURES = [
    replace(_read(path), family="modbus_io") for path in sorted((FOLDER / "modbus_io").rglob("*.txt"))
]
READ_INPUTS = bytes.fromhex("01 02 00 00 00 08 79 CC")


def crc(data: bytes) -> bytes:
    register = 0xFFFF
    for bit in (b >> i & 1 for b in data for i in range(8)):
        register = (register >> 1) ^ (0xA001 if (register ^ bit) & 1 else 0)
    return register.to_bytes(2, "little")


class Module:
    """Answers like a module; `readings` are what the inputs say one after the other, the last for ever."""

    def __init__(self, *readings: int) -> None:
        self.readings = [*readings] or [0]
        self.coils = 0
        self.stuck = False
        self.exceptions: list[int] = []
        self.asked: list[int] = []

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        assert crc(data[:-2]) == data[-2:]
        self.asked.append(data[1])
        body = bytes([data[0]]) + self._answer(data[1], data[2:-2])
        wire.say(body + crc(body))

    def _answer(self, function: int, data: bytes) -> bytes:
        if self.exceptions:
            return bytes([function | 0x80, self.exceptions.pop(0)])
        if function == 2:
            reading = self.readings[0]
            del self.readings[: len(self.readings) > 1]
            return bytes([2, 1, reading])
        if function == 1:
            return bytes([1, 1, self.coils])
        first = int.from_bytes(data[:2], "big")
        count = 1 if function == 5 else int.from_bytes(data[2:4], "big")
        bits = (data[2] == 0xFF) if function == 5 else data[5]
        if not self.stuck:
            mask = ((1 << count) - 1) << first
            self.coils = self.coils & ~mask | bits << first & mask
        return bytes([function]) + data[:4]


def module(buses: BusPool, clock: FixedClock, unit: int = 1, **options: Any) -> DeviceDriver:
    setup = DeviceSetup(
        name="module", profile=PROFILE.id, address=RTU, unit=unit, counter="3", options=options
    )
    return DeviceDriver(setup, PROFILE, buses, clock)


def picture(mode: CounterMode) -> CounterPicture:
    return CounterPicture(counter="3", name="3号窗口", mode=mode, label=None, text="")


class Enough(Exception):
    """The test has seen what it wanted."""


async def keys(driver: DeviceDriver, polls: int) -> list[KeyOp]:
    """What is pressed within so many readings."""
    found: list[KeyOp] = []
    enough = driver._port.pause
    left = polls

    async def pause(seconds: float) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Enough
        await enough(seconds)

    driver._port.pause = pause  # type: ignore[method-assign]
    try:
        async for event in driver.events():
            assert isinstance(event, KeyPressed)
            found.append(event.op)
    except Enough:
        return found
    raise AssertionError("the events ended by themselves")


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_driver_plays_every_capture(capture: Capture, in_pieces: bool, clock: FixedClock) -> None:
    command = capture.command
    script = Script(list(capture.lines), in_pieces)
    async with (
        pool(clock, FakeWire(script)) as buses,
        module(buses, clock, **command.get("options", {})) as driver,
    ):
        if command["op"] == "show":
            outcome = await driver.show(CounterPicture.model_validate(command["picture"]))
            assert outcome is Outcome(command["outcome"])
        else:
            event = await anext(driver.events())
            assert event.model_dump(mode="json") == command["event"]
    assert script.surprises == []
    assert script.lines == []


@pytest.mark.parametrize(
    ("readings", "ops"),
    [
        ([0, 0b1, 0b1, 0b1, 0, 0], [KeyOp.NEXT]),
        ([0, 0b10, 0b10], [KeyOp.RECALL]),
        ([0, 0b100, 0b100], [KeyOp.NO_SHOW]),
        ([0, 0b1000, 0b1000], [KeyOp.PAUSE]),
        ([0, 0b1, 0, 0, 0], []),  # a contact that bounced
        ([0, 0b1, 0, 0b1, 0b1, 0b1], [KeyOp.NEXT]),  # bounced, then held
        ([0, 0b1, 0b1, 0, 0, 0b1, 0b1], [KeyOp.NEXT, KeyOp.NEXT]),
        ([0, 0b1, 0b1, 0, 0b1, 0b1], [KeyOp.NEXT]),  # a bounce while held is no second press
        ([0, 0b11, 0b11], [KeyOp.NEXT, KeyOp.RECALL]),
        ([0, 0b1, 0b11, 0b11, 0b11], [KeyOp.NEXT, KeyOp.RECALL]),
        ([0b1, 0b1, 0b1], []),  # held while the link came up
        ([0b1, 0, 0, 0b1, 0b1], [KeyOp.NEXT]),
        ([0, 0b10000000, 0b10000000], []),  # an input without a key
    ],
)
async def test_what_is_a_press_and_what_is_not(
    clock: FixedClock, readings: list[int], ops: list[KeyOp]
) -> None:
    device = Module(readings[0], *readings)
    async with pool(clock, FakeWire(device)) as buses, module(buses, clock) as driver:
        assert await keys(driver, 12) == ops


async def test_contacts_that_open_when_pressed_are_read_the_other_way(clock: FixedClock) -> None:
    device = Module(0xFF, 0xFF, 0xFE, 0xFE, 0xFE)
    async with pool(clock, FakeWire(device)) as buses, module(buses, clock, inverted=True) as driver:
        assert await keys(driver, 6) == [KeyOp.NEXT]


@pytest.mark.parametrize(
    ("mode", "lamps"),
    [
        (CounterMode.CLOSED, 0),
        (CounterMode.FREE, 0b001),
        (CounterMode.CALLED, 0b010),
        (CounterMode.SERVING, 0b010),
        (CounterMode.PAUSED, 0b100),
    ],
)
async def test_the_lamps_of_each_mode_and_no_other_output(
    clock: FixedClock, mode: CounterMode, lamps: int
) -> None:
    device = Module()
    device.coils = 0b10101111
    async with pool(clock, FakeWire(device)) as buses, module(buses, clock) as driver:
        assert await driver.show(picture(mode)) is Outcome.APPLIED
    assert device.coils == 0b10101000 | lamps


async def test_a_module_that_keeps_other_lamps_is_never_called_applied(clock: FixedClock) -> None:
    device = Module()
    device.stuck = True
    async with pool(clock, FakeWire(device)) as buses, module(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="读回的状态与写入的不一致"):
            await driver.show(picture(CounterMode.CALLED))
        assert (await driver.probe()).state is DeviceState.DEGRADED


async def test_lamps_lost_with_the_power_are_lit_again_at_the_next_probe(clock: FixedClock) -> None:
    device = Module()
    async with pool(clock, FakeWire(device)) as buses, module(buses, clock) as driver:
        await driver.show(picture(CounterMode.PAUSED))
        assert (await driver.probe()).detail == ""
        device.coils = 0
        assert "已重新点亮" in (await driver.probe()).detail
    assert device.coils == 0b100


async def test_what_cannot_be_read_back_is_accepted_and_lit_again_to_be_sure(clock: FixedClock) -> None:
    device = Module()
    async with pool(clock, FakeWire(device)) as buses, module(buses, clock, readback=False) as driver:
        assert await driver.show(picture(CounterMode.CALLED)) is Outcome.ACCEPTED
        device.coils = 0
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert device.coils == 0b010
    assert 1 not in device.asked


async def test_a_busy_module_is_asked_again_later_and_its_refusals_are_said_in_words(
    clock: FixedClock,
) -> None:
    device = Module()
    async with pool(clock, FakeWire(device)) as buses, module(buses, clock) as driver:
        device.exceptions = [6, 6]
        assert await driver.show(picture(CounterMode.FREE)) is Outcome.APPLIED
        device.exceptions = [2]
        with pytest.raises(DeviceRefused, match="「module」没有此通道"):
            await driver.show(picture(CounterMode.FREE))
        device.exceptions = [6] * 4
        with pytest.raises(DeviceUnreachable, match="忙"):
            await driver.show(picture(CounterMode.FREE))
        device.exceptions = [11, 11]
        with pytest.raises(DeviceUnreachable, match="网关"):
            await driver.probe()


async def test_a_call_on_the_same_bus_goes_before_the_keys(clock: FixedClock) -> None:
    """Many readings wait; a strip's call that comes last is served next."""
    order: list[int] = []
    held = asyncio.Event()

    def answer(wire: FakeWire, data: bytes) -> None:
        order.append(data[0])
        body = data[:1] + (b"\x02\x01\x00" if data[1] == 2 else b"")
        wire.say(body + crc(body) if data[1] == 2 else bytes([data[0], data[1], 0]))

    wire = FakeWire(answer)
    async with pool(clock, wire) as buses:
        drivers = [module(buses, clock, unit) for unit in (1, 2, 3)]
        strip = port(buses, unit=9, address=RTU)

        async def hold(_turn: object) -> None:
            await held.wait()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(strip.run(Urgency.CLEAR, hold), name="hold")
            await asyncio.sleep(0)
            for driver in drivers:
                tasks.create_task(driver._inputs(), name="poll")
            await asyncio.sleep(0)
            tasks.create_task(strip.run(Urgency.CALL, question(9, 7)), name="call")
            await asyncio.sleep(0)
            held.set()
    assert order == [9, 1, 2, 3]


async def test_the_events_end_when_the_module_falls_silent(clock: FixedClock) -> None:
    wire = FakeWire(Module())
    async with pool(clock, wire) as buses, module(buses, clock) as driver:
        wire.device = lambda _wire, _data: None
        wire.hang_up()
        with pytest.raises(DeviceUnreachable):
            await anext(driver.events())


async def test_a_module_neither_shows_boards_nor_prints(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(Module())) as buses, module(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="指示灯"):
            await driver.show(BoardPicture(hall="h"))
        with pytest.raises(DeviceRefused, match="指示灯"):
            await driver.do(JOB)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys": {9: "next"}}, r"keys.*1\.\.8"),
        ({"lamps": {"called": [0]}}, r"lamps.*1\.\.8"),
        ({"base": 1}, "base"),
        ({"lamp": {}}, "lamp"),
        ({"write": 6}, "write"),
    ],
)
async def test_options_that_do_not_hang_together_are_refused(
    clock: FixedClock, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        ModbusIoOptions.model_validate(PROFILE.options | options)
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(SettingsInvalid, match="module"):
            module(buses, clock, **options)
        broken = PROFILE.model_copy(update={"options": PROFILE.options | options})
        setup = DeviceSetup(name="module", profile=PROFILE.id, address=RTU)
        with pytest.raises(ProfileInvalid, match="waveshare"):
            DeviceDriver(setup, broken, buses, clock)


@pytest.mark.parametrize("unit", [0, 256])
async def test_a_unit_no_module_can_have_is_refused(clock: FixedClock, unit: int) -> None:
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(SettingsInvalid, match=r"1\.\.255"):
            module(buses, clock, unit)


async def test_a_paper_that_counts_from_one_means_the_same_wire(clock: FixedClock) -> None:
    options = {"base": 1, "inputs": {"address": 1}, "coils": {"address": 1}}
    wire = FakeWire(Module())
    async with pool(clock, wire) as buses, module(buses, clock, **options) as driver:
        await driver.show(picture(CounterMode.CALLED))
    assert wire.frames[0] == READ_INPUTS
    assert wire.frames[1][:7] == bytes.fromhex("01 0F 00 00 00 03 01")


LAMPS: st.SearchStrategy[dict[CounterMode, tuple[int, ...]]] = st.dictionaries(
    st.sampled_from([*CounterMode]), st.lists(st.integers(1, 8), max_size=8).map(tuple)
)


@given(LAMPS, st.sampled_from([*CounterMode]), st.sampled_from([5, 15]))
def test_writes_set_every_lamp_and_touch_nothing_else(
    lamps: dict[CounterMode, tuple[int, ...]], mode: CounterMode, write: int
) -> None:
    options = ModbusIoOptions.model_validate(PROFILE.options | {"lamps": lamps, "write": write})
    wanted = lamps_of(mode, options)
    writes = writes_of(wanted, options)
    done = {w.address + i + 1: bit for w in writes for i, bit in enumerate(w.bits)}
    assert done == wanted
    assert done.keys() == options.lit
    assert all(len(w.bits) == 1 for w in writes) or write == 15


BITS = st.lists(st.booleans(), min_size=8, max_size=8).map(tuple)


@given(BITS, BITS)
def test_only_keys_that_went_down_are_pressed(before: tuple[bool, ...], now: tuple[bool, ...]) -> None:
    down = [op for n, op in OPTIONS.keys.items() if now[n - 1] and not before[n - 1]]
    assert pressed(before, now, OPTIONS) == down


ASKS: list[Callable[[Codec], Any]] = [
    lambda codec: codec.read_inputs(0, 8),
    lambda codec: codec.read_coils(0, 8),
    lambda codec: codec.write_coil(1, True),
    lambda codec: codec.write_coils(0, (True, False, True)),
]


@pytest.mark.parametrize("ask", ASKS)
@given(noise=st.binary(max_size=24))
def test_an_answer_is_found_behind_any_noise_of_a_line(ask: Callable[[Codec], Any], noise: bytes) -> None:
    question_ = ask(Codec(1, rtu=True))
    function = question_.frame[1]
    body = bytes([1, function]) + (b"\x01\x05" if function in (1, 2) else question_.frame[2:6])
    found = question_.read(noise + body + crc(body))
    assert found is not None
    assert found.bits == ((True, False, True, *[False] * 5) if function in (1, 2) else ())


@pytest.mark.parametrize(
    "body",
    [
        "02 02 01 00",  # another unit
        "01 01 01 00",  # another function
        "01 02 02 00 00",  # another count
    ],
)
def test_an_answer_to_another_question_is_not_taken(body: str) -> None:
    said = bytes.fromhex(body)
    assert Codec(1, rtu=True).read_inputs(0, 8).read(said + crc(said)) is None


@pytest.mark.parametrize("ask", ASKS)
@given(data=st.binary(max_size=60))
def test_arbitrary_bytes_never_break_the_reader(ask: Callable[[Codec], Any], data: bytes) -> None:
    for rtu in (True, False):
        ask(Codec(1, rtu=rtu)).read(data)
