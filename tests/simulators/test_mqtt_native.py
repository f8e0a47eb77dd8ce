"""Simulated devices that announce themselves: what they say is what home-assistant.io says, on a real broker."""

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
from hall_core.devices.vocabulary import CounterMode, CounterPicture, DeviceState, Outcome, PageUser
from hall_core.errors import DeviceUnreachable, SettingsInvalid
from simulators.broker import Broker
from simulators.device import SimDevice
from tests.drivers.captures import all_captures
from tests.local_broker import local_broker
from tests.simulators.conftest import Simulate

pytestmark = pytest.mark.mosquitto

CALLED = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with local_broker(tmp_path, "panel") as found:
        yield found


def one(broker: Broker, profile: str) -> dict[str, Any]:
    return {"name": "panel", "profile": profile, "address": f"{broker.url('panel')}/panel"}


@asynccontextmanager
async def driven(broker: Broker, device: SimDevice) -> AsyncIterator[Driver]:
    setup = device.setup.model_copy(update={"address": f"{broker.url('hall')}/panel"})
    timing = device.profile.timing.model_copy(update={"response_timeout_ms": 400})
    quick = device.profile.model_copy(update={"timing": timing})
    clock = SystemClock()
    async with BusPool(clock=clock) as buses, open_driver(setup, quick, buses, clock) as driver:
        yield driver


@asynccontextmanager
async def host(broker: Broker, *topics: str) -> AsyncIterator[aiomqtt.Client]:
    """Somebody else at the broker, with the hall's rights."""
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username="hall", password=broker.passwords["hall"], timeout=5
    ) as client:
        for topic in topics:
            await client.subscribe(topic, qos=1)
        yield client


async def until(device: SimDevice, **wanted: Any) -> None:
    """Until the device shows this."""
    event = asyncio.Event()

    def look(changed: SimDevice) -> None:
        if all(changed.shows()[key] == value for key, value in wanted.items()):
            event.set()

    device.watchers.add(look)
    look(device)
    async with asyncio.timeout(10):
        await event.wait()
    device.watchers.discard(look)


async def said(client: aiomqtt.Client) -> tuple[str, str]:
    async with asyncio.timeout(10):
        message = await anext(aiter(client.messages))
    return str(message.topic), bytes(message.payload).decode()


async def test_a_panel_announces_itself_in_the_device_form(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "mqtt.display")), host(broker, "homeassistant/#") as client:
        topic, payload = await said(client)
        assert topic == "homeassistant/device/panel/config"
        announced = json.loads(payload)
        assert {"dev", "o", "cmps", "avty"} <= set(announced)
        assert announced["cmps"]["panel"]["p"] == "text"
        assert announced["dev"]["ids"]
        await client.publish("homeassistant/status", "online", qos=1)
        heard = [await said(client), await said(client)]
        assert ("homeassistant/device/panel/config", payload) in heard, "and again for a listener born later"


async def test_a_lamp_a_sign_and_a_pager_do_what_the_hall_says(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "mqtt.light")) as hall:
        lamp = hall.devices["panel"]
        async with driven(broker, lamp) as driver:
            assert await driver.show(CALLED) is Outcome.APPLIED
            assert (lamp.shows()["on"], lamp.shows()["color"]) == (True, {"r": 255, "g": 0, "b": 0})
            closed = CALLED.model_copy(update={"mode": CounterMode.CLOSED})
            assert await driver.show(closed) is Outcome.APPLIED
            assert lamp.shows()["on"] is False
    async with simulate(one(broker, "mqtt.sign")) as hall:
        sign = hall.devices["panel"]
        async with driven(broker, sign) as driver:
            assert await driver.show(CALLED) is Outcome.APPLIED
            assert sign.shows()["on"] is True
    async with simulate(one(broker, "mqtt.pager")) as hall:
        pagers = hall.devices["panel"]
        async with driven(broker, pagers) as driver:
            await driver.do(PageUser(job_id="1", pager=17, text="A018"))
            await until(pagers, pagers={"17": {"shaking": True, "text": "A018"}})
            pagers.key("return")
            assert pagers.shows()["pagers"]["17"]["shaking"] is False


async def test_faults_are_seen_as_they_are(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "mqtt.display")) as hall:
        panel = hall.devices["panel"]
        async with driven(broker, panel) as driver:
            panel.fault("silence")
            assert await driver.show(CALLED) is Outcome.UNCONFIRMED
            assert panel.shows()["text"] == "请A018号到1号窗口"
            panel.clear()
            assert (await driver.probe()).state is DeviceState.ONLINE
            panel.fault("slow:100")
            panel.fault("duplicate")
            assert await driver.show(CALLED) is Outcome.APPLIED
            panel.clear()
            panel.fault("offline")
            with pytest.raises(DeviceUnreachable, match="自报离线"):
                await anext(driver.events())
        panel.clear()
        await until(panel, connected=True)
        async with driven(broker, panel) as driver:
            panel.fault("power-cycle")
            with pytest.raises(DeviceUnreachable):
                await anext(driver.events())
        await until(panel, connected=True, text="", commands=0)


async def test_the_wall_shows_no_password(simulate: Simulate, broker: Broker) -> None:
    async with simulate(one(broker, "mqtt.display")) as hall:
        assert hall.devices["panel"].report()["address"] == f"mqtt://127.0.0.1:{broker.port}/panel"
        assert "secret" not in str(hall.devices["panel"].report())


async def test_two_devices_do_not_share_a_name(simulate: Simulate, broker: Broker) -> None:
    with pytest.raises(SettingsInvalid, match="one device to one name"):
        async with simulate(
            one(broker, "mqtt.display"), one(broker, "mqtt.display") | {"name": "b", "unit": 2}
        ):
            pass


@pytest.mark.parametrize("capture", [c for c in all_captures() if c.family == "mqtt_native"], ids=str)
async def test_the_golden_commands_are_done(simulate: Simulate, broker: Broker, capture: Any) -> None:
    async with simulate(one(broker, capture.profile)) as hall, host(broker, "sign/panel/state") as client:
        panel = hall.devices["panel"]
        await until(panel, connected=True)
        command = b"1" if capture.profile == "mqtt.sign" else capture.sent[0]  # its payloads are announced
        await client.publish("sign/panel/set", command, qos=1)
        _, state = await said(client)
        if capture.profile == "mqtt.light":
            assert json.loads(state).items() >= json.loads(capture.heard[0]).items()
        elif capture.profile == "mqtt.display":
            assert json.loads(state)["text"] == capture.heard[0].decode()
        else:
            assert panel.shows()["on"] is True
