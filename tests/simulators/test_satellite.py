"""The simulated satellite box says what docs/local-wire.md says, and does what a driver tells it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from device_drivers import open_driver
from device_drivers.bus import BusPool
from hall_core.clock import SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    CardRead,
    CodeScanned,
    CounterMode,
    CounterPicture,
    DeviceState,
    Evaluated,
    KeyOp,
    KeyPressed,
    Outcome,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid
from hall_core.wire import local
from hall_core.wire.envelope import decode
from simulators.broker import Broker
from simulators.device import SimDevice
from tests.drivers.captures import Capture, all_captures
from tests.drivers.samples import JOB
from tests.local_broker import local_broker
from tests.simulators.conftest import Simulate
from tests.simulators.test_mqtt_native import host, said, until

pytestmark = pytest.mark.mosquitto

KINDS = {row.leaf: getattr(local, row.message) for row in local.LOCAL_TOPICS}
CALLED = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, waiting=4, text="请A018号"
)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with local_broker(tmp_path, "kiosk-1") as found:
        yield found


def one(broker: Broker, profile: str) -> dict[str, Any]:
    return {"name": "far", "profile": profile, "address": f"{broker.url('kiosk-1')}/kiosk-1/dev"}


@asynccontextmanager
async def driven(broker: Broker, device: SimDevice) -> AsyncIterator[Driver]:
    setup = device.setup.model_copy(update={"address": f"{broker.url('hall')}/kiosk-1/dev"})
    clock = SystemClock()
    async with BusPool(clock=clock) as buses, open_driver(setup, device.profile, buses, clock) as driver:
        yield driver


async def heard_by(client: aiomqtt.Client, leaf: local.LocalLeaf) -> Any:
    """The next message of this leaf, read by the hall's own classes."""
    while True:
        topic, payload = await said(client)
        box, found, _ = local.local_place(topic)
        assert box == "kiosk-1"
        message = decode(KINDS[found], payload.encode())
        if found is leaf:
            return message


async def test_all_it_says_is_on_the_paper(simulate: Simulate, broker: Broker) -> None:
    async with (
        simulate(one(broker, "satellite.keypad")) as hall,
        host(broker, "qhl/1/kiosk-1/up/#") as client,
    ):
        state = await heard_by(client, local.LocalLeaf.BOX)
        assert (state.state, [d.name for d in state.devices]) == ("online", ["dev"])
        hall.devices["far"].key("next")
        happened = await heard_by(client, local.LocalLeaf.HAPPENED)
        assert (happened.n, happened.event) == (1, KeyPressed(op=KeyOp.NEXT))
        assert happened.boot == state.boot
        hall.devices["far"].fault("offline")
        assert (await heard_by(client, local.LocalLeaf.BOX)).state in ("online", "lost")


@pytest.mark.parametrize(
    "capture", [c for c in all_captures() if c.family == "satellite" and c.heard], ids=str
)
async def test_the_golden_messages_are_answered(simulate: Simulate, broker: Broker, capture: Capture) -> None:
    async with simulate(one(broker, capture.profile)), host(broker, "qhl/1/kiosk-1/up/#") as client:
        boot = (await heard_by(client, local.LocalLeaf.BOX)).boot
        order, golden = json.loads(capture.sent[0]), json.loads(capture.heard[0])
        leaf = local.LocalLeaf.DO if "job" in order else local.LocalLeaf.SHOW
        if "job" in order:
            order["to"] = boot
        await client.publish(local.local_topic("kiosk-1", leaf, "dev"), json.dumps(order), qos=1)
        answered = local.LocalLeaf.DONE if "job" in order else local.LocalLeaf.SHOWN
        answer = (await heard_by(client, answered)).model_dump(mode="json")
        same = {"job_id"} if "job" in order else {"n", "of"}
        assert {key: answer[key] for key in same} == {key: golden[key] for key in same}


async def test_pictures_and_paper_come_out_where_they_should(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "satellite.display")) as hall:
        far = hall.devices["far"]
        async with driven(broker, far) as driver:
            rows = (BoardRow(label="A018", counter="1号窗口"),)
            assert await driver.show(BoardPicture(hall="海棠", rows=rows)) is Outcome.ACCEPTED
            assert far.shows()["rows"] == ["A018 → 1号窗口"]
    async with simulate(one(broker, "satellite.printer")) as hall:
        far = hall.devices["far"]
        async with driven(broker, far) as driver:
            far.fault("silence")
            async with asyncio.TaskGroup() as tasks:
                printing = tasks.create_task(driver.do(JOB), name="a slip")
                await until(far, printed=1)
                far.clear()
            assert printing.result() is Outcome.ACCEPTED
            assert await driver.do(JOB) is Outcome.ACCEPTED
            assert far.shows()["printed"] == 1, "told more than once, printed once"
            far.fault("paper-out")
            with pytest.raises(DeviceRefused, match="缺纸"):
                await driver.do(JOB.model_copy(update={"job_id": "another"}))
            await driver.show(CALLED)  # by now its health was heard
            assert (await driver.probe()).state is DeviceState.DEGRADED


async def test_without_the_hall_it_goes_dark(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "satellite.strip") | {"options": {"picture_ttl_s": 1}}) as hall:
        far = hall.devices["far"]
        async with driven(broker, far) as driver:
            await driver.show(CALLED)
            assert far.shows()["text"] == "请A018号"
        await until(far, text="")


async def test_keys_ratings_cards_and_codes_come_through(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "satellite.keypad")) as hall:
        far = hall.devices["far"]
        async with driven(broker, far) as driver:
            far.fault("duplicate")
            for key in ("recall", "rate-4", "next"):
                far.key(key)
            events = driver.events()
            async with asyncio.timeout(5):
                heard = [await anext(events) for _ in range(3)]
            assert heard == [KeyPressed(op=KeyOp.RECALL), Evaluated(score=4), KeyPressed(op=KeyOp.NEXT)]
    async with simulate(one(broker, "satellite.card-reader")) as hall:
        far = hall.devices["far"]
        async with driven(broker, far) as driver:
            far.key("card-1")
            far.key("scan")
            events = driver.events()
            async with asyncio.timeout(5):
                assert isinstance(await anext(events), CardRead)
                assert await anext(events) == CodeScanned(text="A018")


async def test_a_power_cut_is_another_life(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "satellite.strip")) as hall:
        far = hall.devices["far"]
        async with driven(broker, far) as driver:
            await driver.show(CALLED)
            far.fault("power-cycle")
            with pytest.raises(DeviceUnreachable):
                await anext(driver.events())
        assert far.shows()["text"] == ""
        async with driven(broker, far) as driver:
            assert await driver.show(CALLED) is Outcome.ACCEPTED


async def test_one_simulated_box_has_one_device(simulate: Simulate, broker: Broker) -> None:
    for devices in (
        (one(broker, "satellite.strip"), one(broker, "satellite.strip") | {"name": "b", "unit": 2}),
        ({"name": "far", "profile": "satellite.strip", "address": f"mqtt://127.0.0.1:{broker.port}"},),
        ({"name": "far", "profile": "satellite.strip", "address": "tcp://127.0.0.1:0"},),
    ):
        with pytest.raises(SettingsInvalid, match="one device to one simulated box"):
            async with simulate(*devices):
                pass
