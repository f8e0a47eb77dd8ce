"""One device of a satellite box, seen from the hall box: a real broker, and boxes written here by hand."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.satellite import DeviceDriver
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    CounterMode,
    CounterPicture,
    DeviceState,
    KeyOp,
    KeyPressed,
    Outcome,
    SendText,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid
from simulators.broker import Broker
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool
from tests.local_broker import end, local_broker

pytestmark = pytest.mark.mosquitto

CALLED = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)


@dataclass
class Box:
    """A box by hand: it answers as `answers` says, and is as old and as alive as the test says."""

    client: aiomqtt.Client
    boot: str = "life-1"
    now: float = 1000.0
    answers: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, leaf: str, *, retain: bool = False, **more: Any) -> None:
        said = {"v": 1, "boot": self.boot, "sent": self.now, **more}
        await self.client.publish(f"qhl/1/kiosk-1/up/{leaf}", json.dumps(said), qos=1, retain=retain)

    async def beat(self, state: str = "online", devices: tuple[str, ...] = ("dev",)) -> None:
        self.now += 1
        listed = [{"name": name, "profile": "escpos.80mm"} for name in devices]
        await self.say("box", state=state, devices=listed, retain=True)

    async def live(self) -> None:
        while True:
            await self.beat()
            await asyncio.sleep(0.2)

    async def listen(self) -> None:
        async for message in self.client.messages:
            what = str(message.topic).split("/")[4]
            said = json.loads(bytes(message.payload))
            self.heard.append((what, said))
            self.news.set()
            answer = self.answers.get(what, {"outcome": "accepted"})
            if answer is not None and what == "show":
                await self.say("shown/dev", n=said["n"], of=said["boot"], **answer)
            elif answer is not None:
                await self.say("done/dev", job_id=said["job"]["job_id"], **answer)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def box(broker: Broker, *, alive: bool = True) -> AsyncIterator[Box]:
    will = aiomqtt.Will("qhl/1/kiosk-1/up/box", '{"v":1,"boot":"life-1","state":"lost"}', qos=1, retain=True)
    async with aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username="kiosk-1",
        password=broker.passwords["kiosk-1"],
        will=will,
        timeout=5,
    ) as client:
        found = Box(client)
        await client.subscribe("qhl/1/kiosk-1/down/#", qos=1)
        await found.say("health/dev", state="online", detail="", retain=True)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(found.listen(), name="the box listens")]
            if alive:
                running.append(tasks.create_task(found.live(), name="the box beats"))
            try:
                yield found
            finally:
                await end(*running)


@asynccontextmanager
async def buses() -> AsyncIterator[BusPool]:
    async with BusPool(clock=SystemClock()) as found:
        yield found


def driver(broker: Broker, found: BusPool, **options: Any) -> DeviceDriver:
    known = firmware_profiles.load("satellite.printer")
    timing = known.timing.model_copy(update={"response_timeout_ms": 400})
    profile = known.model_copy(update={"timing": timing, "options": known.options | options})
    setup = DeviceSetup(name="printer", profile=profile.id, address=f"{broker.url('hall')}/kiosk-1/dev")
    return DeviceDriver(setup, profile, found, SystemClock())


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with local_broker(tmp_path, "kiosk-1") as found:
        yield found


async def test_a_picture_goes_there_and_its_outcome_comes_back(broker: Broker) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        far.answers["show"] = {"outcome": "applied"}
        assert await near.show(CALLED) is Outcome.APPLIED
        ((_, said),) = far.heard
        assert CounterPicture.model_validate(said["picture"]) == CALLED
        far.answers["show"] = {"outcome": "unreachable", "detail": "没电"}
        assert await near.show(CALLED) is Outcome.UNREACHABLE
        far.answers["show"] = {"outcome": "rejected", "detail": "没有这种字体"}
        with pytest.raises(DeviceRefused, match="没有这种字体"):
            await near.show(CALLED)
        assert [said["n"] for _, said in far.heard] == [1, 2, 3]


async def test_a_box_that_does_not_answer_is_asked_twice_and_then_told_as_degraded(broker: Broker) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        far.answers["show"] = None
        assert await near.show(CALLED) is Outcome.UNCONFIRMED
        assert [said["n"] for _, said in far.heard] == [1, 1]
        health = await near.probe()
        assert (health.state, "不回答" in health.detail) == (DeviceState.DEGRADED, True)
        far.answers["show"] = {"outcome": "applied"}
        assert await near.show(CALLED) is Outcome.APPLIED
        assert (await near.probe()).state is DeviceState.ONLINE


async def test_an_old_answer_is_not_taken_for_a_new_one(broker: Broker) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        await near.show(CALLED)
        far.answers["show"] = None
        await far.say("shown/dev", n=2, of="another", outcome="applied")
        assert await near.show(CALLED) is Outcome.UNCONFIRMED


async def test_a_picture_is_told_again_before_its_time_is_over(broker: Broker) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found, picture_ttl_s=1) as near:
        await near.show(CALLED)
        async with asyncio.timeout(10):
            while len(far.heard) < 3:
                await near.probe()
                await asyncio.sleep(0.02)
        assert {said["n"] for _, said in far.heard} == {1}
        sent = [said["sent"] for _, said in far.heard]
        assert sent == sorted(set(sent)), "each time it is as new as when it is told"


async def test_a_job_is_told_until_it_is_answered_and_all_repeats_are_as_old_as_the_first(
    broker: Broker,
) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        far.answers["do"] = None
        async with asyncio.TaskGroup() as tasks:
            doing = tasks.create_task(near.do(JOB), name="a job")
            await far.until(2)
            await far.say("done/dev", job_id=JOB.job_id, outcome="accepted")
        assert doing.result() is Outcome.ACCEPTED
        first, second = (said for _, said in far.heard)
        assert first == second
        assert (first["to"], first["job"]["label"]) == ("life-1", "A018")


async def test_a_refused_job_is_told_in_the_far_devices_words(broker: Broker) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        far.answers["do"] = {"outcome": "rejected", "detail": "缺纸"}
        with pytest.raises(DeviceRefused, match="「printer」缺纸"):
            await near.do(JOB)
        far.answers["do"] = {"outcome": "expired"}
        assert await near.do(JOB) is Outcome.EXPIRED


async def test_a_job_whose_box_dies_is_unconfirmed_and_not_told_to_its_next_life(broker: Broker) -> None:
    async with box(broker, alive=False) as far, buses() as found:
        far.answers["do"] = None
        await far.beat()
        async with asyncio.TaskGroup() as tasks:
            entering = tasks.create_task(driver(broker, found).__aenter__(), name="the keeper connects")
            while not entering.done():
                await far.beat()
            near = entering.result()
            doing = tasks.create_task(near.do(JOB), name="a job")
            await far.until(1)
            far.boot = "life-2"
            await far.beat()
        assert doing.result() is Outcome.UNCONFIRMED
        assert len(far.heard) == 1
        for call in (near.probe(), near.do(JOB), near.show(CALLED)):
            with pytest.raises(DeviceUnreachable, match="重新启动"):
                await call
        await near.__aexit__(None, None, None)


async def test_a_will_and_a_goodbye_are_heard_at_once_and_a_will_of_an_earlier_life_is_not(
    broker: Broker,
) -> None:
    async with box(broker, alive=False) as far, buses() as found:
        for state in ("lost", "stopped"):
            async with asyncio.TaskGroup() as tasks:
                entering = tasks.create_task(driver(broker, found).__aenter__(), name="the keeper connects")
                while not entering.done():
                    await far.beat()
            near = entering.result()
            await far.say("box", boot="life-0", state="lost", retain=True)
            await far.beat()
            assert (await near.probe()).state is DeviceState.ONLINE
            await far.beat(state)
            with pytest.raises(DeviceUnreachable, match="从盒离线"):
                await anext(near.events())
            await near.__aexit__(None, None, None)


async def test_a_retained_online_of_a_dead_box_is_no_box(broker: Broker) -> None:
    async with box(broker, alive=False) as far, buses() as found:
        await far.beat()
        with pytest.raises(DeviceUnreachable, match="从盒「kiosk-1」离线"):
            async with driver(broker, found):
                pass


async def test_a_device_the_box_does_not_have_is_told_in_words(broker: Broker) -> None:
    async with box(broker, alive=False) as far, buses() as found:
        async with asyncio.TaskGroup() as tasks:
            entering = tasks.create_task(_fails(driver(broker, found)), name="the keeper connects")
            while not entering.done():
                await far.beat(devices=("other",))
        assert "没有设备「dev」" in entering.result()


async def _fails(near: DeviceDriver) -> str:
    with pytest.raises(DeviceUnreachable) as refused:
        async with near:
            pass
    return str(refused.value)


async def test_how_the_far_device_is_comes_with_its_words_and_an_offline_one_gets_no_job(
    broker: Broker,
) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        assert (await near.probe()).state is DeviceState.ONLINE
        await far.say("health/dev", state="offline", detail="打印机没电", retain=True)
        await near.show(CALLED)  # by now it was heard
        health = await near.probe()
        assert (health.state, health.detail) == (DeviceState.OFFLINE, "打印机没电")
        with pytest.raises(DeviceUnreachable, match="打印机没电"):
            await near.do(JOB)
        await far.say("health/dev", boot="life-0", state="online")
        await near.show(CALLED)
        assert (await near.probe()).state is DeviceState.UNKNOWN


async def test_keys_come_back_once_and_old_ones_do_not(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    key = {"ttl_s": 3.0, "event": {"kind": "key-pressed", "op": "next"}}
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        await far.say("happened/dev", n=1, age_s=4.0, **key)
        await far.say("happened/dev", n=2, sent=far.now - 60, age_s=0.0, **key)
        await far.say("happened/dev", boot="life-0", n=9, age_s=0.0, **key)
        for n in (3, 3, 2, 4):
            await far.say("happened/dev", n=n, age_s=0.1, ttl_s=3.0, event={**key["event"], "digits": str(n)})
        events = near.events()
        async with asyncio.timeout(5):
            heard = [await anext(events), await anext(events)]
        assert heard == [KeyPressed(op=KeyOp.NEXT, digits=str(n)) for n in (3, 4)]
        assert caplog.text.count("came too late") == 2


async def test_phone_numbers_do_not_travel_and_noise_changes_nothing(broker: Broker) -> None:
    async with box(broker) as far, buses() as found, driver(broker, found) as near:
        with pytest.raises(DeviceRefused, match="手机号码"):
            await near.do(SendText(job_id="1", to="nobody", text=""))
        for leaf in ("box", "health/dev", "shown/dev", "done/dev", "happened/dev"):
            for noise in (b"", b"{", b"[]", b'{"v": 2}'):
                await far.client.publish(f"qhl/1/kiosk-1/up/{leaf}", noise, qos=1)
        assert await near.show(CALLED) is Outcome.ACCEPTED


@pytest.mark.parametrize("name", ["", "kiosk-1/a/b", "Kiosk/dev"])
async def test_an_address_without_box_or_device_is_refused(name: str) -> None:
    clock = SystemClock()
    async with pool(clock, FakeWire()) as found:
        setup = DeviceSetup(name="p", profile="satellite.printer", address=f"mqtt://127.0.0.1/{name}")
        with pytest.raises(SettingsInvalid, match="/从盒/设备"):
            DeviceDriver(setup, firmware_profiles.load("satellite.printer"), found, clock)
