"""One ticket's way through real drivers and simulated devices on real wires, in one process."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count

import httpx2
import pytest

from device_drivers import open_driver
from device_drivers.bus import BusPool
from edge_agent.accounts import Accounts
from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.site import SiteFile
from edge_agent.web.app import web_app
from edge_agent.web.security import Guard
from edge_agent.web.view import View
from firmware_profiles import load
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile
from simulators.hall import SimulatedHall
from tests.edge_agent.conftest import hall_setup, running

STRIPS = ("tcp-strip", "rtu-strip", "onbon-strip")


def hall_file(folder):
    bus, pads = f"serial://{folder}/bus", f"serial://{folder}/pads"
    devices = (
        DeviceSetup(
            name="tcp-strip", profile="modbus.led-strip-generic", address="tcp://127.0.0.1:0", counter="1"
        ),
        DeviceSetup(name="rtu-strip", profile="modbus.led-strip-generic", address=bus, unit=1, counter="1"),
        DeviceSetup(name="rtu-strip-2", profile="modbus.led-strip-generic", address=bus, unit=2, counter="2"),
        DeviceSetup(name="onbon-strip", profile="onbon.bx-6k1", address="tcp://127.0.0.1:0", counter="1"),
        DeviceSetup(name="pad", profile="keypad.ff68-21", address=pads, unit=5, counter="1"),
        DeviceSetup(name="printer", profile="escpos.80mm", address="tcp://127.0.0.1:0"),
    )
    return HallFile(hall=hall_setup(), devices=devices)


class Scene:
    """A hall with its devices; `until` waits for something a visitor can see."""

    def __init__(self, sim, hall, devices, http):
        self.sim, self.hall, self.devices, self.http = sim, hall, devices, http
        self.seen = Bell()
        for device in sim.devices.values():
            device.on_show = lambda *_: self.seen.ring()
        self.numbers = count(1)

    def shows(self, name):
        return self.sim.devices[name].shows()

    async def until(self, truth):
        async with asyncio.timeout(15):
            while not truth():
                seen = self.seen.count
                waits = (self.seen.wait_past(seen), self.devices.bell.wait_past(self.devices.bell.count))
                tasks = [asyncio.ensure_future(w) for w in waits]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()

    async def take(self):
        body = {"request_id": f"take-{next(self.numbers)}", "service": "social"}
        return (await self.http.post("/api/tickets", json=body)).json()

    async def act(self, action, counter="1", **more):
        body = {"request_id": f"act-{next(self.numbers)}", **more}
        answer = await self.http.post(f"/api/counters/{counter}/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def press(self, key):
        self.sim.devices["pad"].key(key)


@pytest.fixture
async def scene(tmp_path):
    clock, layout = SystemClock(), hall_file(tmp_path)
    ids = count(1)
    async with (
        SimulatedHall(layout, clock) as sim,
        running(tmp_path / "journal.db", clock, layout.hall) as hall,
    ):
        placed = [d.model_copy(update={"address": sim.devices[d.name].address}) for d in layout.devices]
        async with kept(hall, placed, clock, tmp_path, ids) as (devices, http):
            scene = Scene(sim, hall, devices, http)
            await scene.until(lambda: all(r.state not in ("unknown", "offline") for r in devices.reports()))
            yield scene


@asynccontextmanager
async def kept(hall, placed, clock, folder, ids):
    site, bell = SiteFile(folder / "site.json", "http://hall.example"), hall.bell
    accounts = Accounts(folder / "accounts.json", clock)
    async with BusPool(clock=clock) as buses:
        devices = Devices(
            hall,
            [(d, load(d.profile)) for d in placed],
            lambda setup, profile: open_driver(setup, profile, buses, clock),
            new_id=lambda: f"id-{next(ids)}",
            jitter=lambda: 0.5,
            ticket_url=site.ticket_url,
            bell=Bell(),
        )
        view = View(hall, devices, None, site, Guard(accounts, "haitang"), bell)
        app = web_app(view, new_id=lambda: f"t-{next(ids)}", version="1")
        headers = {"Authorization": f"Bearer {accounts.add_token('wang')}"}
        transport = httpx2.ASGITransport(app=app)
        async with (
            httpx2.AsyncClient(transport=transport, base_url="http://hall.example", headers=headers) as http,
            asyncio.TaskGroup() as tasks,
        ):
            running_devices = tasks.create_task(devices.run(), name="devices")
            try:
                yield devices, http
            finally:
                running_devices.cancel()


def shows_label(scene, name, label):
    return label in str(scene.shows(name))


async def test_from_the_kiosk_to_paper_pad_and_strips(scene):
    taken = await scene.take()
    await scene.until(lambda: shows_label(scene, "printer", taken["label"]))
    assert taken["url"] in str(scene.shows("printer")), "the slip carries the link of its holder"
    scene.press("next")
    for name in STRIPS:
        await scene.until(lambda name=name: shows_label(scene, name, "A001"))
    assert not shows_label(scene, "rtu-strip-2", "A001"), "another counter's strip stays as it was"
    scene.press("recall")
    await scene.until(lambda: scene.hall.queue.tickets[taken["ticket_id"]].call_no == 2)


async def test_pause_and_close_are_seen_over_the_counter(scene):
    await scene.act("open")
    for name in STRIPS:
        await scene.until(lambda name=name: shows_label(scene, name, "1号窗口"))
    await scene.act("pause", reason="午休")
    for name in STRIPS:
        await scene.until(
            lambda name=name: "暂停" in str(scene.shows(name)) or "午休" in str(scene.shows(name))
        )


@pytest.mark.parametrize("name", STRIPS)
async def test_a_strip_without_power_is_told_as_offline_and_comes_back_with_the_present_call(scene, name):
    for _ in range(2):
        await scene.take()
    await scene.act("open")
    await scene.act("call-next")
    await scene.until(lambda: shows_label(scene, name, "A001"))
    strip = scene.sim.devices[name]
    strip.fault("offline", None)
    await scene.act("no-show")
    await scene.act("call-next")
    others = [s for s in STRIPS if s != name]
    for other in others:
        await scene.until(lambda other=other: shows_label(scene, other, "A002"))
    await scene.until(lambda: _state(scene, name) == "offline")
    strip.clear("offline")
    await scene.until(lambda: shows_label(scene, name, "A002"))
    await scene.until(lambda: _state(scene, name) == "online")


def _state(scene, name):
    return next(r.state for r in scene.devices.reports() if r.name == name)


async def test_without_paper_the_number_stands_and_the_printer_says_so(scene):
    scene.sim.devices["printer"].fault("paper-out", None)
    taken = await scene.take()
    assert taken["label"] == "A001"
    await scene.until(lambda: scene.devices.outcome(taken["ticket_id"]) == "rejected")
    assert _state(scene, "printer") == "degraded"
