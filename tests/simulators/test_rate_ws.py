"""The simulated evaluator tablet: it dials, logs in, asks the citizen, and comes back after a break."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from device_drivers import open_driver
from device_drivers.bus import BusPool
from device_drivers.rate_ws.websocket import ServerSocket
from hall_core.clock import SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CounterMode, CounterPicture, DeviceEvent, DeviceState, Outcome
from hall_core.errors import SettingsInvalid
from simulators.demo_programs import free_port
from simulators.device import SimDevice
from tests.simulators.conftest import Simulate

PROFILE = "rate.ws-tablet"


def tablet_at(port: int) -> dict[str, Any]:
    return {"profile": PROFILE, "address": f"tcp://127.0.0.1:{port}", "counter": "1"}


@asynccontextmanager
async def driven(tablet: SimDevice) -> AsyncIterator[Driver]:
    setup = DeviceSetup(
        name="rate", profile=PROFILE, address=tablet.setup.address, counter=tablet.setup.counter
    )
    quick = tablet.profile.model_copy(
        update={"timing": tablet.profile.timing.model_copy(update={"response_timeout_ms": 500})}
    )
    clock = SystemClock()
    async with BusPool(clock=clock) as buses, open_driver(setup, quick, buses, clock) as driver:
        yield driver


async def until(tablet: SimDevice, **wanted: Any) -> None:
    """Until the tablet shows this."""
    event = asyncio.Event()

    def look(device: SimDevice) -> None:
        shows = device.shows()
        if all(shows[key] == value for key, value in wanted.items()):
            event.set()

    tablet.watchers.add(look)
    look(tablet)
    async with asyncio.timeout(10):
        await event.wait()
    tablet.watchers.discard(look)


async def served(driver: Driver, label: str = "A018", call_no: int = 1) -> Outcome:
    outcome = Outcome.EXPIRED
    for mode in (CounterMode.CALLED, CounterMode.SERVING, CounterMode.FREE):
        shown = None if mode is CounterMode.FREE else label
        picture = CounterPicture(
            counter="1",
            name="1号窗口",
            mode=mode,
            label=shown,
            call_no=call_no,
            ended=None if shown else f"{label}-{call_no}",
            text="",
        )
        outcome = await driver.show(picture)
    return outcome


async def rated(driver: Driver) -> DeviceEvent:
    async with asyncio.timeout(5):
        return await anext(driver.events())


async def test_a_visit_is_rated(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        tablet = hall.devices["device-1"]
        async with driven(tablet) as driver:
            await until(tablet, logged_in=True)
            assert (await driver.probe()).state is DeviceState.ONLINE
            assert tablet.shows()["window"] == "1"
            assert await served(driver) is Outcome.ACCEPTED
            assert tablet.shows()["asking"].endswith("-1-A018-1")
            tablet.key("rate-5")
            assert (await rated(driver)).model_dump() == {"kind": "evaluated", "score": 5}
            await until(tablet, asking="", thanks=True)


async def test_without_a_question_there_is_nothing_to_touch(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        tablet = hall.devices["device-1"]
        async with driven(tablet) as driver:
            await until(tablet, logged_in=True)
            tablet.key("rate-1")
            await served(driver)
            tablet.key("rate-4")
            assert (await rated(driver)).model_dump()["score"] == 4


async def test_a_rating_sent_twice_counts_once(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        tablet = hall.devices["device-1"]
        async with driven(tablet) as driver:
            await until(tablet, logged_in=True)
            for number, key in enumerate(("rate-2", "rate-3"), 1):
                await served(driver, f"A{number:03}", number)
                tablet.fault("duplicate")
                tablet.key(key)
                await until(tablet, thanks=True)
            assert [(await rated(driver)).model_dump()["score"] for _ in range(2)] == [2, 3]


async def test_a_rating_chosen_while_the_line_was_down_arrives_later_and_once(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        tablet = hall.devices["device-1"]
        async with driven(tablet) as driver:
            await until(tablet, logged_in=True)
            await served(driver)
            tablet.body.hang_up()  # type: ignore[attr-defined]
            tablet.key("rate-5")
            assert (await rated(driver)).model_dump()["score"] == 5
            await until(tablet, asking="", logged_in=True)


async def test_a_tablet_dials_again_when_the_hall_comes_back(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        tablet = hall.devices["device-1"]
        for _ in range(2):
            async with driven(tablet):
                await until(tablet, logged_in=True)
            await until(tablet, connected=False)


async def test_a_silent_tablet_leaves_the_request_unconfirmed(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        tablet = hall.devices["device-1"]
        async with driven(tablet) as driver:
            await until(tablet, logged_in=True)
            tablet.fault("silence")
            assert await served(driver) is Outcome.UNCONFIRMED
            tablet.key("rate-1")
            assert (await rated(driver)).model_dump()["score"] == 1


async def test_a_tablet_without_network_is_seen_as_gone_and_comes_back(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        tablet = hall.devices["device-1"]
        async with driven(tablet) as driver:
            await until(tablet, logged_in=True)
            tablet.fault("offline")
            await until(tablet, connected=False)
            async with asyncio.timeout(5):
                while (await driver.probe()).state is not DeviceState.OFFLINE:  # noqa: ASYNC110 — it tells nobody
                    await asyncio.sleep(0)
            tablet.clear()
            await until(tablet, logged_in=True)
            tablet.fault("power-cycle")
            await until(tablet, connected=False)
            await until(tablet, logged_in=True)


async def test_a_ping_is_answered_at_once(simulate: Simulate) -> None:
    """RFC 6455, 5.5.3: the pong carries what the ping carried; a hall of other authors waits for it."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hall_side(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        socket = ServerSocket()
        while not socket.open:
            socket.feed(await reader.read(1000))
        writer.write(socket.outgoing() + b"\x89\x05Hello")
        await reader.readuntil(b"\x8a\x85")
        mask = await reader.readexactly(4)
        heard.put_nowait(bytes(b ^ mask[i % 4] for i, b in enumerate(await reader.readexactly(5))))
        writer.close()

    port = free_port()
    async with await asyncio.start_server(hall_side, "127.0.0.1", port), simulate(tablet_at(port)):
        async with asyncio.timeout(5):
            assert await heard.get() == b"Hello"


async def test_two_tablets_do_not_share_a_port(simulate: Simulate) -> None:
    port = free_port()
    with pytest.raises(SettingsInvalid, match="give device-2 its own"):
        async with simulate(tablet_at(port), tablet_at(port) | {"unit": 2}):
            pass


async def test_the_wall_lists_its_keys_and_faults(simulate: Simulate) -> None:
    async with simulate(tablet_at(free_port())) as hall:
        report = hall.devices["device-1"].report()
        assert report["keys"] == ["rate-5", "rate-4", "rate-3", "rate-2", "rate-1"]
        assert (report["family"], report["kind"]) == ("rate_ws", "evaluator")
