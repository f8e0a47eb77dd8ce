"""The tester's interface: what it tells, what it does, what it refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

import firmware_profiles
from simulators.faults import FAULT_WORDS
from simulators.hall import SimulatedHall, family_of
from simulators.wall import Watching, wall_app
from tests.simulators.conftest import Simulate, wire

STRIP = {"name": "strip-1", "profile": "modbus.led-strip-generic", "counter": "1"}
PAD = {"name": "pad-1", "profile": "keypad.ff68-21", "unit": 5}
PRINTER = {"name": "printer", "profile": "escpos.80mm"}
CALLED = "0001 0000 000F 01 10 0000 0004 08 0002 0003 000C 0001"
CLIENT = "http://wall"


@asynccontextmanager
async def at_the_wall(simulate: Simulate) -> AsyncIterator[tuple[SimulatedHall, httpx2.AsyncClient]]:
    async with simulate(STRIP, PAD, PRINTER) as hall:
        transport = httpx2.ASGITransport(app=wall_app({"haitang": hall}))
        async with httpx2.AsyncClient(transport=transport, base_url=f"{CLIENT}/halls/haitang") as client:
            yield hall, client


async def test_devices_tell_what_they_show_and_showed(simulate: Simulate) -> None:
    async with at_the_wall(simulate) as (hall, client):
        async with wire(hall.devices["strip-1"].address) as host:
            await host.ask(CALLED, "00" * 12)
        devices = {d["name"]: d for d in (await client.get("/api/devices")).json()}
        assert list(devices) == ["strip-1", "pad-1", "printer"]
        strip = devices["strip-1"]
        assert (strip["kind"], strip["family"], strip["counter"]) == ("strip", "modbus_text", "1")
        assert strip["address"] == hall.devices["strip-1"].address
        assert strip["shows"]["mode"] == "called"
        assert [h["shows"]["mode"] for h in strip["history"]] == ["called"]
        assert strip["history"][0]["at"] == "2026-11-23T09:30:00.000000+08:00"
        assert strip["faults"] == []
        short = (await client.get("/api/devices", params={"history": 0})).json()
        assert all(d["history"] == [] for d in short)


async def test_the_history_is_bounded(simulate: Simulate) -> None:
    async with at_the_wall(simulate) as (hall, client):
        strip = hall.devices["strip-1"]
        for n in range(1_005):
            strip.showed({"text": str(n)})
        (told, *_) = (await client.get("/api/devices")).json()
        assert [h["shows"]["text"] for h in told["history"]] == [str(n) for n in range(5, 1_005)]


async def test_a_fault_is_switched_on_and_ends_by_itself(simulate: Simulate) -> None:
    async with at_the_wall(simulate) as (hall, client):
        url = "/api/devices/strip-1/faults"
        with Watching(hall) as watching:
            answer = await client.post(url, json={"fault": "slow:250", "seconds": 0.05})
            assert answer.json() == {"name": "strip-1", "faults": ["slow:250"]}
            async with asyncio.timeout(5):
                while hall.devices["strip-1"].faults.active():
                    await watching.next()
        await client.post(url, json={"fault": "busy"})
        await client.post(url, json={"fault": "offline"})
        assert (await client.delete(url, params={"fault": "offline"})).json()["faults"] == ["busy"]
        assert (await client.delete(url)).json()["faults"] == []


async def test_a_key_is_pressed(simulate: Simulate) -> None:
    async with at_the_wall(simulate) as (_, client):
        answer = await client.post("/api/devices/pad-1/keys", json={"key": "7"})
        assert (answer.status_code, answer.json()["shows"]["digits"]) == (200, "7")


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/api/devices/nobody/faults", {"fault": "offline"}, 404, "unknown-device"),
        ("/api/devices/strip-1/faults", {"fault": "paper-out"}, 404, "unknown-fault"),
        ("/api/devices/strip-1/faults", {"fault": "offline", "seconds": -1}, 422, "bad-request"),
        ("/api/devices/strip-1/faults", {}, 422, "bad-request"),
        ("/api/devices/pad-1/keys", {"key": "dance"}, 404, "unknown-key"),
        ("/api/devices/strip-1/keys", {"key": "next"}, 404, "unknown-key"),
        ("/../nowhere/api/devices/strip-1/keys", {"key": "next"}, 404, "unknown-hall"),
    ],
)
async def test_what_does_not_exist_is_a_problem_with_a_stable_type(
    simulate: Simulate, path: str, body: dict[str, object], status: int, kind: str
) -> None:
    async with at_the_wall(simulate) as (_, client):
        url = f"{CLIENT}/halls/haitang{path}".replace("haitang/../", "")
        answer = await client.post(url, json=body)
        assert (answer.status_code, answer.json()["type"]) == (status, kind)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("family", sorted({p.family for p in firmware_profiles.all_profiles().values()}))
def test_every_fault_of_a_family_has_chinese_words(family: str) -> None:
    assert [fault for fault in family_of(family).FAULTS if fault not in FAULT_WORDS] == []


async def test_the_stream_begins_with_everything_and_goes_on_with_changes(simulate: Simulate) -> None:
    async with at_the_wall(simulate) as (hall, _):
        async with (
            asyncio.timeout(10),
            stream(wall_app({"haitang": hall}), "/halls/haitang/api/stream") as events,
        ):
            name, devices = await anext(events)
            assert (name, [d["name"] for d in devices]) == ("snapshot", ["strip-1", "pad-1", "printer"])
            hall.devices["pad-1"].key("4")
            name, device = await anext(events)
            assert (name, device["name"], device["shows"]["digits"]) == ("device", "pad-1", "4")
        assert not hall.devices["pad-1"].watchers


@asynccontextmanager
async def stream(app: FastAPI, path: str) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """Server-sent events of an application as a browser would get them, until it is left."""
    out: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()

    async def receive() -> dict[str, object]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        out.put_nowait(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    async with asyncio.TaskGroup() as group:
        group.create_task(app(scope, receive, send), name="stream")
        try:
            yield events_in(out)
        finally:
            gone.set()


async def events_in(out: "asyncio.Queue[bytes]") -> AsyncIterator[tuple[str, Any]]:
    pending = b""
    while True:
        pending += await out.get()
        while b"\n\n" in pending:
            event, pending = pending.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if line[0] != ":")
            if fields:
                yield fields["event"], json.loads(fields["data"])


async def test_pages_and_their_files_are_served(simulate: Simulate) -> None:
    async with at_the_wall(simulate) as (_, client):
        page = await client.get(f"{CLIENT}/halls/haitang")
        assert page.status_code == 200
        assert "模拟设备墙 · 海棠区政务服务中心" in page.text
        assert 'data-base="/halls/haitang"' in page.text
        for path in (
            "/wall/wall.js",
            "/wall/drawings.js",
            "/wall/drawings/display.js",
            "/wall/devices.css",
            "/wall/wall.css",
            "/",
        ):
            assert (await client.get(f"{CLIENT}{path}")).status_code == 200
        drawn = await client.get("/api/qr.svg", params={"text": "https://hall.example/t/1"})
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert drawn.text.startswith("<svg")


async def test_a_wall_may_be_mounted_below_a_path(simulate: Simulate) -> None:
    async with simulate(STRIP) as hall:
        outer = FastAPI()
        outer.mount("/sim", wall_app({"haitang": hall}))
        transport = httpx2.ASGITransport(app=outer)
        async with httpx2.AsyncClient(transport=transport, base_url=f"{CLIENT}/sim") as client:
            page = (await client.get("/halls/haitang")).text
            assert 'data-base="/sim/halls/haitang"' in page
            assert 'src="/sim/wall/wall.js"' in page
            assert (await client.get("/wall/wall.js")).status_code == 200
            assert len((await client.get("/halls/haitang/api/devices")).json()) == 1
