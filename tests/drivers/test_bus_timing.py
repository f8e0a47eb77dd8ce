"""Buses: silence between frames, and answers that come late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from device_drivers.bus import BusPool, Port, Urgency
from hall_core.clock import FixedClock
from hall_core.devices.profile import SerialLine
from hall_core.errors import DeviceUnreachable
from tests.drivers.units import GAP_S, PROFILE, QUARANTINE_S, TCP, Devices, port, question
from tests.drivers.wires import FakeWire, pool

#: a unit that seems dead may take so long
PATIENCE_MS = 1200


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


@asynccontextmanager
async def beside_a_dead_unit(
    clock: FixedClock, wire: FakeWire
) -> AsyncIterator[tuple[Port, Port, "asyncio.Future[bytes]"]]:
    """Unit 1, known as dead, is asked again and may take its time; unit 2 lives."""
    patient = PROFILE.timing.model_copy(update={"response_timeout_ms": PATIENCE_MS})
    slow = PROFILE.model_copy(update={"timing": patient})
    async with pool(clock, wire) as buses, AsyncExitStack() as stack:
        dead, known_dead, alive = port(buses, 1), port(buses, 1, profile=slow), port(buses, 2)
        for unit in (dead, known_dead, alive):
            await stack.enter_async_context(unit.standing())
        for number in range(2):
            with pytest.raises(DeviceUnreachable):
                await dead.run(Urgency.POLL, question(1, number))
        wire.wrote.clear()
        asking = asyncio.ensure_future(known_dead.run(Urgency.POLL, question(1, 9)))
        await wire.wrote.wait()
        wire.log[:-1] = []
        try:
            yield known_dead, alive, asking
        finally:
            await asyncio.wait([asking])
            assert isinstance(asking.exception(), DeviceUnreachable)


async def test_a_call_waits_neither_for_a_dead_unit_nor_out_its_silence(clock: FixedClock) -> None:
    wire = FakeWire(Devices(2), clock)
    async with beside_a_dead_unit(clock, wire) as (_, alive, _):
        await alive.run(Urgency.CALL, question(2, 1))
    assert [frame[0] for frame in wire.frames] == [1, 2]
    assert wire.log[1][0] - wire.log[0][0] <= GAP_S + 0.003, "two octets and a gap"


async def test_a_poll_waits_until_a_dead_unit_had_its_time(clock: FixedClock) -> None:
    wire = FakeWire(Devices(2), clock)
    async with beside_a_dead_unit(clock, wire) as (_, alive, asking):
        polling = asyncio.ensure_future(alive.run(Urgency.POLL, question(2, 1)))
        await asyncio.wait([asking])
        assert not polling.done()
        await polling
    assert wire.log[1][0] - wire.log[0][0] >= QUARANTINE_S


async def test_a_unit_whose_wait_was_cut_short_is_not_asked_while_its_answer_may_come(
    clock: FixedClock,
) -> None:
    wire = FakeWire(Devices(2), clock)
    async with beside_a_dead_unit(clock, wire) as (dead, alive, asking):
        await alive.run(Urgency.CALL, question(2, 1))
        await asyncio.wait([asking])
        wire.device = Devices(1, 2)
        await asyncio.wait([asyncio.ensure_future(dead.run(Urgency.POLL, question(1, 3)))])
    assert [frame[0] for frame in wire.frames] == [1, 2, 1]
    assert wire.log[2][0] - wire.log[0][0] >= QUARANTINE_S + PATIENCE_MS / 2000, (
        "it was cut in the first half"
    )


async def test_a_unit_that_spoke_when_its_time_was_over_keeps_its_silence(clock: FixedClock) -> None:
    wire = FakeWire(Devices(2), clock)
    spoken: list[bytes] = []

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        if wire.frames[-1][0] == 1 and not spoken:
            spoken.append(b"late")
            wire.say(b"late")
        await asyncio.sleep(0)

    async with BusPool(clock=clock, opener=wire.open, pause=pause) as buses, AsyncExitStack() as stack:
        slow, alive = port(buses, 1), port(buses, 2)
        for unit in (slow, alive):
            await stack.enter_async_context(unit.standing())
        for number in range(3):
            wire.wrote.clear()
            asking = asyncio.ensure_future(slow.run(Urgency.POLL, question(1, number)))
            await wire.wrote.wait()
            if number == 2:
                await alive.run(Urgency.CALL, question(2, 1))
            await asyncio.wait([asking])
            assert isinstance(asking.exception(), DeviceUnreachable)
    at = {frame[0]: when for when, frame in wire.log}
    assert at[2] - at[1] >= QUARANTINE_S
