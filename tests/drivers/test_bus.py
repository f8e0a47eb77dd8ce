"""Buses: who waits for whom, dead neighbours, lost links."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from device_drivers.bus import BusPool, Port, Turn, Urgency
from hall_core.clock import FixedClock
from hall_core.devices.profile import SerialLine
from hall_core.devices.vocabulary import Outcome
from hall_core.errors import DeviceUnreachable, SettingsInvalid
from tests.drivers.units import GAP_S, PROFILE, QUARANTINE_S, TCP, Devices, port, question
from tests.drivers.wires import FakeWire, pool


async def test_a_question_is_repeated_as_often_as_the_profile_says(clock: FixedClock) -> None:
    profile = PROFILE.model_copy(
        update={"timing": PROFILE.timing.model_copy(update={"retries": 2, "down_after": 5})}
    )
    wire = FakeWire(Devices(), clock)
    async with pool(clock, wire) as buses:
        unit = port(buses, profile=profile)
        async with unit.standing():
            with pytest.raises(DeviceUnreachable):
                await unit.run(Urgency.CALL, question(1, 1))
            assert len(wire.log) == 3
            with pytest.raises(DeviceUnreachable):
                await unit.run(Urgency.CALL, question(1, 1), retries=0)
            assert len(wire.log) == 4


async def test_a_dead_unit_holds_up_its_neighbours_for_one_silence_at_most(clock: FixedClock) -> None:
    profile = PROFILE.model_copy(update={"timing": PROFILE.timing.model_copy(update={"retries": 3})})
    wire = FakeWire(Devices(2), clock)
    async with pool(clock, wire) as buses, AsyncExitStack() as stack:
        dead, alive = port(buses, 1, profile=profile), port(buses, 2, profile=profile)
        for unit in (dead, alive):
            await stack.enter_async_context(unit.standing())

        async def ask_the_dead(number: int) -> None:
            with pytest.raises(DeviceUnreachable):
                await dead.run(Urgency.CALL, question(1, number))

        async with asyncio.TaskGroup() as tasks:
            for number in range(4):
                tasks.create_task(ask_the_dead(number), name=f"dead-{number}")
            await wire.wrote.wait()
            asked = clock.monotonic()
            await alive.run(Urgency.POLL, question(2, 0))
            waited = wire.log[-1][0] - asked
    order = [frame[0] for frame in wire.frames]
    # two silences and it gives way, though its four calls are more urgent than the neighbour's poll
    assert order[: order.index(2)] == [1, 1]
    assert waited <= 2 * QUARANTINE_S + GAP_S


async def test_a_unit_that_answers_again_gives_way_no_longer(clock: FixedClock) -> None:
    devices = Devices(2)
    wire = FakeWire(devices, clock)
    async with pool(clock, wire) as buses, AsyncExitStack() as stack:
        first, second = port(buses, 1), port(buses, 2)
        for unit in (first, second):
            await stack.enter_async_context(unit.standing())
        for number in range(2):
            with pytest.raises(DeviceUnreachable):
                await first.run(Urgency.CALL, question(1, number))
        devices.alive.add(1)
        await first.run(Urgency.CALL, question(1, 2))
        wire.log.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(second.run(Urgency.POLL, question(2, 7)), name="poll")
            tasks.create_task(first.run(Urgency.CALL, question(1, 8)), name="call")
    assert [frame[1] for frame in wire.frames] == [8, 7]


async def test_a_call_on_an_idle_wire_is_sent_at_once_and_a_neighbour_waits_its_turn(
    clock: FixedClock,
) -> None:
    wire = FakeWire(Devices(1, 2), clock)
    async with pool(clock, wire) as buses, AsyncExitStack() as stack:
        strip, other = port(buses, 1), port(buses, 2)
        for unit in (strip, other):
            await stack.enter_async_context(unit.standing())
        await strip.run(Urgency.CALL, question(1, 0))
        await other.run(Urgency.POLL, question(2, 0))
        wire.log.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(strip.run(Urgency.CALL, question(1, 1)), name="call")
            tasks.create_task(other.run(Urgency.CALL, question(2, 2)), name="next call")
    assert [frame[1] for frame in wire.frames] == [1, 2]
    between = wire.log[1][0] - wire.log[0][0]
    assert between >= GAP_S


async def test_only_the_newest_of_waiting_pictures_is_sent(clock: FixedClock) -> None:
    wire = FakeWire(Devices(1, 2), clock)
    async with pool(clock, wire) as buses, AsyncExitStack() as stack:
        strip, other = port(buses, 1), port(buses, 2)
        for unit in (strip, other):
            await stack.enter_async_context(unit.standing())
        outcomes: dict[int, Outcome] = {}

        def paint(number: int) -> Callable[[Turn], Awaitable[Outcome]]:
            async def talk(turn: Turn) -> Outcome:
                await question(1, number)(turn)
                return Outcome.ACCEPTED

            return talk

        async def show(number: int) -> None:
            outcomes[number] = await strip.show(Urgency.CALL, paint(number))

        free = asyncio.Event()

        async def hold(turn: Turn) -> None:
            await free.wait()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(other.run(Urgency.CALL, hold), name="holder")
            await asyncio.sleep(0)
            for number in range(4):
                tasks.create_task(show(number), name=f"picture-{number}")
                await asyncio.sleep(0)
            free.set()
    assert wire.frames == [bytes([1, 3])]
    assert outcomes == {0: Outcome.EXPIRED, 1: Outcome.EXPIRED, 2: Outcome.EXPIRED, 3: Outcome.ACCEPTED}


async def test_everybody_waiting_is_told_at_once_that_the_link_cannot_be_opened(clock: FixedClock) -> None:
    wire = FakeWire(unreachable=True)
    refused = 0
    async with pool(clock, wire) as buses, AsyncExitStack() as stack:
        units = [port(buses, number, TCP) for number in range(1, 6)]
        for unit in units:
            await stack.enter_async_context(unit.standing())

        async def ask(unit: Port) -> None:
            nonlocal refused
            with pytest.raises(DeviceUnreachable):
                await unit.run(Urgency.CALL, question(1, 1))
            refused += 1

        async with asyncio.TaskGroup() as tasks:
            for unit in units:
                tasks.create_task(ask(unit), name="ask")
    assert (refused, wire.attempts) == (5, 1)


async def test_nobody_waits_longer_than_a_unit_takes_to_be_declared_dead(clock: FixedClock) -> None:
    profile = PROFILE.model_copy(
        update={"timing": PROFILE.timing.model_copy(update={"probe_s": 0.005, "down_after": 1})}
    )
    async with pool(clock, FakeWire(Devices(1, 2), clock)) as buses, AsyncExitStack() as stack:
        talker, waiter = port(buses, 1, profile=profile), port(buses, 2, profile=profile)
        for unit in (talker, waiter):
            await stack.enter_async_context(unit.standing())
        free = asyncio.Event()

        async def hold(turn: Turn) -> None:
            await free.wait()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(talker.run(Urgency.CALL, hold), name="talker")
            await asyncio.sleep(0)
            with pytest.raises(DeviceUnreachable, match="线路繁忙"):
                await waiter.run(Urgency.CALL, question(2, 1))
            free.set()
        assert await waiter.run(Urgency.CALL, question(2, 2)) == b"\x02\x02!"


async def test_who_stops_waiting_leaves_the_bus_working(clock: FixedClock) -> None:
    """Cancelled at every step of waiting and speaking, the wire always goes on to the next one."""
    for steps in range(12):
        wire = FakeWire(Devices(1, 2), clock)
        async with pool(clock, wire) as buses, AsyncExitStack() as stack:
            first, second = port(buses, 1), port(buses, 2)
            for unit in (first, second):
                await stack.enter_async_context(unit.standing())
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(first.run(Urgency.CALL, question(1, 1)), name="impatient")
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                assert await second.run(Urgency.CALL, question(2, 2)) == b"\x02\x02!"


async def test_the_loss_of_a_link_is_told_to_all_and_the_next_question_opens_another(
    clock: FixedClock,
) -> None:
    wire = FakeWire(Devices(1, 2), clock)
    async with pool(clock, wire) as buses, AsyncExitStack() as stack:
        units = [port(buses, number, TCP) for number in (1, 2)]
        for unit in units:
            await stack.enter_async_context(unit.standing())
        await units[0].run(Urgency.CALL, question(1, 1))
        wire.hang_up()
        for unit in units:
            with pytest.raises(DeviceUnreachable, match="连接已断开"):
                await unit.until_lost()
        await units[1].run(Urgency.CALL, question(2, 1))
        assert (wire.opened, units[0].links) == (2, 2)


async def test_a_link_lost_in_the_middle_of_a_question_is_no_answer(clock: FixedClock) -> None:
    wire = FakeWire(lambda wire, _data: wire.hang_up(), clock)
    async with pool(clock, wire) as buses:
        unit = port(buses, address=TCP)
        async with unit.standing():
            with pytest.raises(DeviceUnreachable, match="连接已断开"):
                await unit.run(Urgency.CALL, question(1, 1))


async def test_the_link_is_shared_and_closed_when_the_last_one_leaves(clock: FixedClock) -> None:
    wire = FakeWire(Devices(1, 2), clock)
    async with pool(clock, wire) as buses:
        first, second = port(buses, 1), port(buses, 2)
        async with first.standing():
            async with second.standing():
                assert wire.opened == 0, "opened only when somebody speaks"
                await first.run(Urgency.CALL, question(1, 1))
                await second.run(Urgency.CALL, question(2, 1))
            assert (wire.opened, wire.link is None) == (1, False)
        assert wire.link is None


async def test_an_echo_goes_before_everything_that_waits(clock: FixedClock) -> None:
    wire = FakeWire(Devices(1), clock)
    async with pool(clock, wire) as buses:
        unit = port(buses)
        async with unit.standing():
            free = asyncio.Event()

            async def hold(turn: Turn) -> None:
                await free.wait()

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(unit.run(Urgency.POLL, hold), name="holder")
                await asyncio.sleep(0)
                tasks.create_task(unit.run(Urgency.CALL, question(1, 1)), name="call")
                await asyncio.sleep(0)
                unit.post(b"echo")
                free.set()
    assert wire.frames == [b"echo", b"\x01\x01"]


async def test_a_line_that_is_never_quiet_is_reported_and_not_waited_for(clock: FixedClock) -> None:
    wire = FakeWire(Devices(1), clock)

    async def babbling(seconds: float) -> None:
        await asyncio.sleep(0)  # time does not pass: somebody always speaks

    profile = PROFILE.model_copy(update={"timing": PROFILE.timing.model_copy(update={"quarantine_ms": 0})})
    async with BusPool(clock=clock, opener=wire.open, pause=babbling) as buses:
        unit = port(buses, profile=profile)
        async with unit.standing():
            await unit.run(Urgency.CALL, question(1, 1))
            with pytest.raises(DeviceUnreachable, match="线路一直被占用"):
                await unit.run(Urgency.CALL, question(1, 2))


async def test_devices_of_two_speeds_cannot_share_a_serial_line(clock: FixedClock) -> None:
    fast = PROFILE.model_copy(update={"serial": SerialLine(baud=57600)})
    async with pool(clock, FakeWire()) as buses:
        port(buses, 1)
        with pytest.raises(SettingsInvalid, match="波特率"):
            port(buses, 2, profile=fast)


async def test_an_error_of_the_program_passes_through_the_buses_unchanged(clock: FixedClock) -> None:
    async def program() -> None:
        async with pool(clock, FakeWire()) as buses:
            port(buses)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await program()
