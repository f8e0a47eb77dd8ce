"""A hall with a satellite box: paper, keys and strips over the hall's own broker, whatever dies in between."""

import asyncio
import signal
import time

import pytest

from tests.certificates import Authority
from tests.journeys.satellite_process import satellite_scene

pytestmark = pytest.mark.mosquitto

#: a device of a satellite that returned shows what is true within this time (s)
REPAINT_S = 2.0


@pytest.fixture
async def scene(tmp_path):
    async with satellite_scene(tmp_path) as found:
        yield found


async def test_a_ticket_is_printed_and_called_over_a_satellite(scene):
    taken = await scene.take()
    await scene.until(lambda: taken["label"] in str(scene.shows("printer")["slips"]))
    scene.sim.devices["pad"].key("next")
    await scene.until(lambda: "A001" in scene.shows("strip")["text"])
    assert await scene.in_hand() == "A001"
    assert scene.shows("printer")["printed"] == 1


async def test_paper_keys_and_strips_also_work_over_tls_with_the_offices_own_authority(tmp_path):
    async with satellite_scene(tmp_path, Authority.made(tmp_path)) as scene:
        taken = await scene.take()
        await scene.until(lambda: taken["label"] in str(scene.shows("printer")["slips"]))
        scene.sim.devices["pad"].key("next")
        await scene.until(lambda: "A001" in scene.shows("strip")["text"])


async def test_a_satellite_that_returns_shows_the_present_call_and_nothing_is_done_twice(scene):
    for _ in range(2):
        await scene.take()
    await scene.until(lambda: scene.shows("printer")["printed"] == 2)
    await scene.act("open")
    await scene.act("call-next")
    await scene.until(lambda: "A001" in scene.shows("strip")["text"])
    await scene.satellite.kill()
    await scene.told(printer="offline", pad="offline", strip="offline")
    await scene.act("no-show")
    await scene.act("call-next")
    assert "A001" in scene.shows("strip")["text"], "nobody could tell the strip"
    pad = scene.sim.devices["pad"]
    pad.key("next")
    async with asyncio.timeout(10):
        # It gives up by itself: nobody has heard it, and nobody acts on it later.
        while pad.body.repeating:  # noqa: ASYNC110 - a simulated pad rings no bell
            await asyncio.sleep(0.05)
    seen = []
    scene.sim.devices["strip"].on_show = lambda _device, shows: seen.append(shows["text"])
    began = time.monotonic()
    await scene.satellite.start()
    ready = time.monotonic()
    await scene.until(lambda: "A002" in scene.shows("strip")["text"])
    assert time.monotonic() - ready < REPAINT_S, (ready - began, time.monotonic() - ready)
    assert not any("A001" in text for text in seen), "what was called before is never shown again"
    await scene.told(printer="online", strip="online")
    assert await scene.in_hand() == "A002"
    assert scene.shows("printer")["printed"] == 2
    await scene.take()
    await scene.until(lambda: scene.shows("printer")["printed"] == 3)


async def test_a_broker_that_dies_takes_nothing_with_it(scene):
    await scene.take()
    await scene.until(lambda: scene.shows("printer")["printed"] == 1)
    await scene.broker.kill()
    await scene.told(printer="offline", strip="offline")
    taken = await scene.take()
    await scene.act("open")
    await scene.act("call-next")
    scene.sim.devices["pad"].key("next")
    await scene.broker.start()
    await scene.until(lambda: "A001" in scene.shows("strip")["text"])
    await scene.told(printer="online", strip="online")
    await scene.until(lambda: taken["label"] in str(scene.shows("printer")["slips"]))
    assert scene.shows("printer")["printed"] == 2
    assert await scene.in_hand() == "A001", "a key that nobody heard in time is not acted on late"


async def test_a_hall_box_that_dies_leaves_nothing_standing_as_current(scene):
    await scene.take()
    await scene.act("open")
    await scene.act("call-next")
    await scene.until(lambda: "A001" in scene.shows("strip")["text"])
    scene.agent.kill()
    await scene.until(lambda: "A001" not in str(scene.shows("strip")["text"]), seconds=45)


async def test_a_satellite_that_is_stopped_says_goodbye_and_keeps_nothing_on(scene):
    assert await scene.satellite.end(signal.SIGTERM) == 0
    began = time.monotonic()
    await scene.told(printer="offline", pad="offline", strip="offline")
    assert time.monotonic() - began < 7.5
    taken = await scene.take()
    async with asyncio.timeout(60):
        await scene.satellite.start()
        await scene.until(lambda: taken["label"] in str(scene.shows("printer")["slips"]))
    assert scene.shows("printer")["printed"] == 1
