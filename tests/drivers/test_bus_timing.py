"""Buses: silence between frames, and answers that come late."""

import asyncio

import pytest

from device_drivers.bus import BusPool, Urgency
from hall_core.clock import FixedClock
from hall_core.devices.profile import SerialLine
from hall_core.errors import DeviceUnreachable
from tests.drivers.units import GAP_S, PROFILE, QUARANTINE_S, TCP, Devices, port, question
from tests.drivers.wires import FakeWire, pool


async def test_silence_stands_between_an_answer_and_the_next_question(clock: FixedClock) -> None:
    wire = FakeWire(Devices(1), clock)
    async with pool(clock, wire) as buses:
        device = port(buses)
        async with device.standing():
            for number in range(3):
                await device.run(Urgency.CALL, question(1, number))
    times = [at for at, _ in wire.log]
    assert times == pytest.approx([0, GAP_S, 2 * GAP_S])


async def test_a_frame_nobody_answers_is_given_its_time_on_the_line(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    async with pool(clock, wire) as buses:
        device = port(buses)
        async with device.standing():
            await device.run(Urgency.CALL, lambda turn: turn.tell(b"x" * 96))
            await device.run(Urgency.CALL, lambda turn: turn.tell(b"y"))
    assert wire.log[1][0] == pytest.approx(960 / 9600 + GAP_S)


@pytest.mark.parametrize(("baud", "silence_s"), [(9600, 38.5 / 9600), (1200, 38.5 / 1200), (57600, 0.00175)])
async def test_the_silence_is_never_shorter_than_modbus_wants(
    clock: FixedClock, baud: int, silence_s: float
) -> None:
    profile = PROFILE.model_copy(
        update={"timing": PROFILE.timing.model_copy(update={"gap_ms": 0}), "serial": SerialLine(baud=baud)}
    )
    wire = FakeWire(Devices(1), clock)
    async with pool(clock, wire) as buses:
        device = port(buses, profile=profile)
        async with device.standing():
            await device.run(Urgency.CALL, question(1, 1))
            await device.run(Urgency.CALL, question(1, 2))
    assert wire.log[1][0] == pytest.approx(silence_s)


async def test_what_was_heard_before_a_question_is_not_its_answer(clock: FixedClock) -> None:
    wire = FakeWire(Devices(1), clock)
    async with pool(clock, wire) as buses:
        device = port(buses)
        async with device.standing():
            await device.run(Urgency.CALL, question(1, 1))
            wire.say(bytes([1, 99]) + b"?")
            assert await device.run(Urgency.CALL, question(1, 2)) == b"\x01\x02!"


async def test_a_late_answer_falls_into_the_quarantine_and_is_never_taken(clock: FixedClock) -> None:
    """The trap of serial Modbus: no number ties an answer to its question."""
    wire = FakeWire(clock=clock)
    late: list[bytes] = []

    def device(wire: FakeWire, data: bytes) -> None:
        if data[1] == 1:
            late.append(data + b"!")  # the device thinks longer than its profile allows
        else:
            wire.say(data + b"!")

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        while late:
            wire.say(late.pop())

    wire.device = device
    async with BusPool(clock=clock, opener=wire.open, pause=pause) as buses:
        unit = port(buses)
        async with unit.standing():
            with pytest.raises(DeviceUnreachable, match=r"「device-1」.*没有应答"):
                await unit.run(Urgency.CALL, question(1, 1))
            assert await unit.run(Urgency.CALL, question(1, 2)) == b"\x01\x02!"
    assert late == []
    assert wire.log[1][0] - wire.log[0][0] >= QUARANTINE_S


async def test_on_tcp_a_late_answer_dies_with_its_link(clock: FixedClock) -> None:
    wire = FakeWire(Devices(), clock)
    async with pool(clock, wire) as buses:
        unit = port(buses, address=TCP)
        async with unit.standing():
            with pytest.raises(DeviceUnreachable):
                await unit.run(Urgency.CALL, question(1, 1))
            old = wire.link

            def late_and_true(wire: FakeWire, data: bytes) -> None:
                if old is not None:
                    old.data_received(b"\x01\x01!")
                wire.say(data + b"!")

            wire.device = late_and_true
            assert await unit.run(Urgency.CALL, question(1, 2)) == b"\x01\x02!"
    assert wire.opened == 2


async def test_a_question_given_up_by_its_asker_is_quarantined_too(clock: FixedClock) -> None:
    wire = FakeWire(Devices(), clock)
    async with pool(clock, wire) as buses:
        unit = port(buses)
        async with unit.standing(), asyncio.TaskGroup() as tasks:
            asker = tasks.create_task(unit.run(Urgency.CALL, question(1, 1)), name="asker")
            await wire.wrote.wait()
            asker.cancel()
            await asyncio.wait([asker])
            wire.device = Devices(1)
            await unit.run(Urgency.CALL, question(1, 2))
    assert wire.log[1][0] - wire.log[0][0] >= QUARANTINE_S
