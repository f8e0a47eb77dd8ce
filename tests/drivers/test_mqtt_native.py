"""Devices that announce themselves over MQTT: a real broker, and devices written here by hand."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.mqtt_native import DeviceDriver
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    CounterMode,
    CounterPicture,
    DeviceState,
    Outcome,
    PageUser,
    ScreenPicture,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid
from simulators.broker import Broker
from tests.brokers import broker_of
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool
from tests.local_broker import end, local_broker

pytestmark = pytest.mark.mosquitto

CONFIG = "homeassistant/text/panel/config"
PLAIN = {"command_topic": "sign/panel/set", "state_topic": "sign/panel/state"}
THERE = {"availability_topic": "sign/panel/there"}
CALLED = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)


@dataclass
class Peer:
    """A device by hand: says what the test says, and repeats its commands on its state topic if it `echoes`."""

    client: aiomqtt.Client
    echoes: bool = True
    commands: list[str] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, topic: str, payload: Any, *, retain: bool = True) -> None:
        data = payload if isinstance(payload, str) else json.dumps(payload)
        await self.client.publish(topic, data, qos=1, retain=retain)

    async def announce(self, **said: Any) -> None:
        await self.say(CONFIG, said)

    async def there(self, state: str = "online") -> None:
        await self.say("sign/panel/there", state)

    async def listen(self) -> None:
        async for message in self.client.messages:
            if str(message.topic) == "sign/panel/set":
                self.commands.append(bytes(message.payload).decode())
                if self.echoes:
                    await self.say("sign/panel/state", self.commands[-1])
            self.heard.set()

    async def until(self, truth: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not truth():
                self.heard.clear()
                await self.heard.wait()


@asynccontextmanager
async def peer(broker: Broker, user: str = "panel") -> AsyncIterator[Peer]:
    login = {"username": user, "password": broker.passwords[user]} if broker.kind == "mosquitto" else {}
    async with aiomqtt.Client("127.0.0.1", broker.port, timeout=5, **login) as client:
        found = Peer(client)
        await client.subscribe("sign/panel/set", qos=1)
        await client.subscribe("homeassistant/status", qos=1)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(found.listen(), name="the device listens")
            try:
                yield found
            finally:
                await end(listening)


def quick(profile: str, **options: Any) -> Profile:
    known = firmware_profiles.load(profile)
    timing = known.timing.model_copy(update={"response_timeout_ms": 250})
    tcp = known.tcp.model_copy(update={"connect_timeout_ms": 2000})
    changed = {"timing": timing, "tcp": tcp, "options": known.options | options}
    return known.model_copy(update=changed)


@asynccontextmanager
async def buses() -> AsyncIterator[BusPool]:
    async with BusPool(clock=SystemClock()) as found:
        yield found


def place(broker: Broker, profile: str = "mqtt.display") -> DeviceSetup:
    return DeviceSetup(name="panel", profile=profile, address=f"{broker.url('hall')}/panel", counter="1")


def driver(broker: Broker, found: BusPool, profile: str = "mqtt.display", **options: Any) -> DeviceDriver:
    return DeviceDriver(place(broker, profile), quick(profile, **options), found, SystemClock())


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with local_broker(tmp_path, "panel") as found:
        yield found


async def test_a_call_is_applied_when_the_state_topic_gives_it_back(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN, **THERE)
        await device.there()
        async with driver(broker, found) as panel:
            assert await panel.show(CALLED) is Outcome.APPLIED
            assert device.commands == ["请A018号到1号窗口"]
            assert (await panel.probe()).state is DeviceState.ONLINE


async def test_without_a_state_topic_the_brokers_acknowledgement_is_all_there_is(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(command_topic=PLAIN["command_topic"], **THERE)
        await device.there()
        async with driver(broker, found) as panel:
            assert await panel.show(CALLED) is Outcome.ACCEPTED


async def test_the_device_form_with_short_keys_is_read(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.say(
            "homeassistant/device/panel/config",
            {
                "~": "sign/panel",
                "dev": {"ids": "panel", "mf": "Bla", "mdl": "xya", "sw": "1.0"},
                "o": {"name": "bla2mqtt"},
                "avty": {"t": "~/there", "pl_avail": "up", "pl_not_avail": "down"},
                "cmps": {
                    "t1": {"p": "sensor", "stat_t": "sign/panel/temperature"},
                    "t2": {"p": "text", "cmd_t": "sign/panel/set", "stat_t": "sign/panel/state"},
                },
            },
        )
        await device.there("up")
        async with driver(broker, found) as panel:
            assert await panel.show(CALLED) is Outcome.APPLIED
            assert (await panel.probe()).detail == "Bla xya 1.0"


async def test_a_display_that_stays_silent_is_unconfirmed_and_asked_again_by_the_probe(
    broker: Broker,
) -> None:
    async with peer(broker) as device, buses() as found:
        device.echoes = False
        await device.announce(**PLAIN, **THERE)
        await device.there()
        async with driver(broker, found) as panel:
            assert await panel.show(CALLED) is Outcome.UNCONFIRMED
            device.echoes = True
            health = await panel.probe()
            assert health.state is DeviceState.ONLINE
            assert set(device.commands) == {"请A018号到1号窗口"}
            device.echoes = False
            await panel.show(CALLED.model_copy(update={"text": "请A019号到1号窗口"}))
            health = await panel.probe()
            assert (health.state, "没有确认" in health.detail) == (DeviceState.DEGRADED, True)


async def test_a_ghosts_announcement_is_not_a_device(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN, **THERE)
        await device.there("offline")
        await device.say("sign/panel/state", "请A018号到1号窗口")
        with pytest.raises(DeviceUnreachable, match="自报离线"):
            async with driver(broker, found):
                pass
        assert device.commands == []


async def test_a_state_said_before_the_call_proves_nothing(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        device.echoes = False
        await device.announce(**PLAIN, **THERE)
        await device.there()
        await device.say("sign/panel/state", "请A018号到1号窗口")
        async with driver(broker, found) as panel:
            assert await panel.show(CALLED) is Outcome.UNCONFIRMED


async def test_a_device_that_never_tells_whether_it_is_there_is_unconfirmed(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN)
        async with driver(broker, found) as panel:
            assert (await panel.probe()).state is DeviceState.UNCONFIRMED


async def test_who_goes_away_is_unreachable_and_finds_no_old_call_when_it_returns(broker: Broker) -> None:
    async with buses() as found:
        async with peer(broker) as device:
            await device.announce(**PLAIN, **THERE)
            await device.there()
            async with driver(broker, found) as panel:
                await panel.show(CALLED)
                await device.there("offline")
                with pytest.raises(DeviceUnreachable, match="自报离线"):
                    await anext(panel.events())
                with pytest.raises(DeviceUnreachable):
                    await panel.probe()
                with pytest.raises(DeviceUnreachable):
                    await panel.show(CALLED)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(driver(broker, found).__aenter__(), name="the keeper tries again")
            async with peer(broker) as again:
                await again.there()
                panel = await waiting
                assert again.commands == [], "nothing of the call before was kept for it"
                assert await panel.show(CALLED) is Outcome.APPLIED
                await panel.__aexit__(None, None, None)


async def test_who_was_away_for_a_moment_is_repainted(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN, **THERE)
        await device.there()
        async with driver(broker, found) as panel:
            await panel.show(CALLED)
            await device.there()
            await device.say("sign/panel/state", "restarted")
            await device.until(lambda: len(device.commands) == 1)
            async with asyncio.timeout(5):
                while len(device.commands) == 1:
                    await panel.probe()
            assert device.commands == ["请A018号到1号窗口"] * 2


async def test_a_device_that_does_not_retain_its_announcement_is_asked_for_it(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        async with asyncio.TaskGroup() as tasks:
            entering = tasks.create_task(driver(broker, found).__aenter__(), name="the keeper connects")
            await device.until(device.heard.is_set)
            await device.say(CONFIG, PLAIN, retain=False)
        assert (await entering.result().probe()).state is DeviceState.UNCONFIRMED
        await entering.result().__aexit__(None, None, None)


async def test_a_new_or_withdrawn_announcement_sends_the_driver_away(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN)
        for said in ({**PLAIN, "max": 12}, ""):
            async with driver(broker, found) as panel:
                await device.say(CONFIG, said)
                with pytest.raises(DeviceUnreachable, match="公告已改变或撤回"):
                    await anext(panel.events())
        with pytest.raises(DeviceUnreachable, match=r"没有公告 \(homeassistant/text/panel/config\)"):
            async with driver(broker, found):
                pass


async def test_an_announcement_nobody_can_use_is_told_in_words(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN, value_template="{{ value | upper }}")
        with pytest.raises(DeviceUnreachable, match=r"模板 .* 无法识别"):
            async with driver(broker, found):
                pass


async def test_a_broker_that_dies_is_reconnected_and_the_device_repainted(broker: Broker) -> None:
    async with buses() as found:
        async with peer(broker) as device:
            await device.announce(**PLAIN, **THERE)
            await device.there()
            panel = await driver(broker, found).__aenter__()
            await panel.show(CALLED)
        await broker.kill()
        with pytest.raises(DeviceUnreachable):
            await anext(panel.events())
        with pytest.raises(DeviceUnreachable, match="连接不上"):
            await panel._session.publish("a", b"", within_s=1)
        await panel.__aexit__(None, None, None)
        await broker.start()
        async with peer(broker) as device:
            await device.announce(**PLAIN, **THERE)
            await device.there()
            async with asyncio.timeout(20):
                await panel._session.until_linked()
            async with panel:
                assert await panel.show(CALLED) is Outcome.APPLIED
            assert panel._session.links == 2


async def test_all_devices_at_one_broker_share_one_session(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN)
        async with driver(broker, found) as one, driver(broker, found) as two:
            assert one._session is two._session
            await one.show(CALLED)
            assert await two.show(CALLED) is Outcome.APPLIED


async def test_a_broker_of_the_older_version_serves_too(tmp_path: Path) -> None:
    async with (
        broker_of("embedded", tmp_path, "hall", "panel") as broker,
        peer(broker) as device,
        buses() as found,
    ):
        await device.announce(**PLAIN, **THERE)
        await device.there()
        session, _ = found.session(place(broker), quick("mqtt.display"))
        async with asyncio.timeout(30):
            await session.until_linked()
        async with driver(broker, found) as panel:
            assert await panel.show(CALLED) is Outcome.APPLIED


async def test_a_wrong_password_is_told_and_shown_nowhere(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    broker.passwords["hall"] = "wrong-secret"
    async with buses() as found:
        with pytest.raises(DeviceUnreachable, match="check user and password") as refused:
            async with driver(broker, found):
                pass
    assert "wrong-secret" not in caplog.text + str(refused.value) + repr(place(broker))
    assert "broker lost" in caplog.text


async def test_a_board_is_shown_in_rows(broker: Broker) -> None:
    rows = tuple(BoardRow(label=f"A{n:03}", counter=f"{n}号窗口") for n in range(9, 3, -1))
    async with peer(broker) as device, buses() as found:
        await device.announce(**PLAIN)
        async with driver(broker, found, rows=2) as panel:
            await panel.show(BoardPicture(hall="海棠", rows=rows))
            await panel.show(BoardPicture(hall="海棠", notice="请保管好随身物品"))
            assert device.commands == ["A009 9号窗口\nA008 8号窗口", "请保管好随身物品"]
        async with driver(broker, found, rows=0) as panel:
            with pytest.raises(DeviceRefused, match="填写 counter"):
                await panel.show(BoardPicture(hall="海棠"))
            with pytest.raises(DeviceRefused, match="不能显示 screen"):
                await panel.show(ScreenPicture(on=True))
            with pytest.raises(DeviceRefused, match="不能执行 print-ticket"):
                await panel.do(JOB)


async def test_a_pager_is_called_once_and_nobody_knows_whether_it_shook(broker: Broker) -> None:
    async with peer(broker) as device, buses() as found:
        await device.say("homeassistant/notify/panel/config", {"command_topic": "sign/panel/set"})
        async with driver(broker, found, "mqtt.pager") as pager:
            for _ in range(2):
                job = PageUser(job_id="1", pager=17, text="A018")
                assert await pager.do(job) is Outcome.UNCONFIRMED
            await device.until(lambda: bool(device.commands))
            assert device.commands == ["17 A018"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mqtt://10.0.0.7/panel", "必须有用户名和口令"),
        ("mqtts://hall@broker.example/panel", "必须有用户名和口令"),
        ("mqtt://hall:top-secret@10.0.0.7:99999/panel", "不正确"),
        ("tcp://127.0.0.1:1883", "经消息服务连接"),
    ],
)
async def test_an_address_that_is_not_safe_or_not_a_brokers_is_refused(address: str, words: str) -> None:
    clock = SystemClock()
    async with pool(clock, FakeWire()) as found:
        setup = DeviceSetup(name="panel", profile="mqtt.display", address=address)
        with pytest.raises(SettingsInvalid, match=words) as refused:
            DeviceDriver(setup, quick("mqtt.display"), found, clock)
    assert "top-secret" not in str(refused.value)


async def test_a_device_of_another_family_has_no_place_at_a_broker() -> None:
    clock = SystemClock()
    async with pool(clock, FakeWire()) as found:
        setup = DeviceSetup(name="strip", profile="modbus.dm36b06", address="mqtt://127.0.0.1/strip")
        with pytest.raises(SettingsInvalid, match="不经消息服务"):
            found.port(setup, firmware_profiles.load("modbus.dm36b06"))
