"""A hall, its centre (both logging whatever they can), a broker that logs all it sees, a message house and a card reader; and whatever they keep."""

import asyncio
import json
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiomqtt
import httpx2
import uvicorn
import yaml
from fastapi import Request, Response

from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile
from simulators.broker import Broker, open_broker
from simulators.demo_programs import Program, Programs, console_script, free_port, run_to_end
from simulators.hall import SimulatedHall
from simulators.sms_gateway import Gateway
from tests.acceptance.agent_process import AgentProcess, agent_process
from tests.acceptance.machine import until

__all__ = ["HALL", "PrivacyScene", "privacy_scene"]

HALL = "binjiang"
WATCHER = "watcher"


class House(Gateway):
    """A message house that remembers, in memory alone, whom it was told to reach."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        super().__init__("house-key", SystemClock())

    async def send(self, request: Request, authorization: str = "") -> Response:
        self.reached.append(json.loads(await request.body())["to"].removeprefix("+86"))
        return await super().send(request, request.headers.get("authorization", ""))


class PrivacyScene:
    """Everything under `folder/kept` was written by the programs, or is what anybody could see of them."""

    def __init__(self, folder: Path, programs: Programs, broker: Broker, house: House) -> None:
        self.kept, self.house, self.broker = folder, house, broker
        self._programs = programs
        self.agent: AgentProcess
        self.centre: Program
        self.centre_url = self.staff = self.key = self.gateway = ""
        self.env: dict[str, str] = {}
        self.reader: Any = None
        self.number = count(1)
        self.http = httpx2.AsyncClient(timeout=20)

    # -- people -----------------------------------------------------------------------------------------

    async def online(self, **body: Any) -> httpx2.Response:
        """A number over the centre's API; `key` is the request's own."""
        key = body.pop("key", f"online-{next(self.number)}")
        body = {"service": "social", "channel": "web", **body}
        return await self.post(f"/api/halls/{HALL}/tickets", body, key)

    async def appoint(self, **body: Any) -> httpx2.Response:
        """An appointment at the first time of tomorrow that is free."""
        day = (SystemClock().now() + timedelta(days=1)).date().isoformat()
        asked = {"service": "social", "day": day}
        url = f"{self.centre_url}/api/halls/{HALL}/slots"
        slots = (await self.http.get(url, params=asked, headers=self.headers)).json()
        body = {"service": "social", "starts_at": slots[0]["starts_at"], **body}
        return await self.post(f"/api/halls/{HALL}/appointments", body, f"appoint-{next(self.number)}")

    async def post(self, path: str, body: dict[str, Any], key: str = "") -> httpx2.Response:
        headers = {**self.headers, "Idempotency-Key": key} if key else self.headers
        return await self.http.post(f"{self.centre_url}{path}", json=body, headers=headers)

    async def kiosk(self, **body: Any) -> httpx2.Response:
        body = {"request_id": f"take-{next(self.number)}", "service": "social", **body}
        return await self.http.post(f"{self.agent.url}/api/tickets", json=body)

    async def act(self, action: str, **more: Any) -> httpx2.Response:
        body = {"request_id": f"act-{next(self.number)}", **more}
        headers = {"Authorization": f"Bearer {self.staff}"}
        return await self.http.post(f"{self.agent.url}/api/counters/1/{action}", json=body, headers=headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    # -- what is kept, and what can be seen -------------------------------------------------------------

    def look(self, name: str, text: str) -> None:
        """Somebody wrote down what a page or an interface said."""
        (self.kept / "seen").mkdir(exist_ok=True)
        (self.kept / "seen" / name).write_text(text, encoding="utf-8")

    async def look_around(self) -> None:
        """All that people and other programs can be told: figures, lists, pages."""
        for path in ("/metrics", "/api/state", "/api/facts?limit=1000", "/board", "/kiosk", "/readyz"):
            answer = await self.http.get(f"{self.agent.url}{path}")
            self.look(f"agent{path.split('?')[0].replace('/', '-')}", answer.text)
        lists = (
            "facts",
            "tickets",
            "notices",
            "appointments",
            "alarms",
            "ratings",
            "devices",
            "halls",
            "appeals",
        )
        for path in ("/metrics", *(f"/api/{name}" for name in lists), f"/h/{HALL}", "/near"):
            answer = await self.http.get(f"{self.centre_url}{path}", headers=self.headers)
            assert answer.status_code == 200, path
            self.look(f"centre{path.replace('/', '-')}", answer.text)

    def time_passes(self, change: str) -> None:
        """What only days would bring about: the centre's database as it would be then."""
        with closing(sqlite3.connect(self.kept / "centre" / "controller.db", timeout=10)) as opened:
            assert opened.execute(change).rowcount > 0, change
            opened.commit()

    async def listed(self, path: str) -> list[dict[str, Any]]:
        """A list of the centre's."""
        answer = await self.http.get(f"{self.centre_url}{path}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def back_up(self) -> None:
        """The two ways in which people copy an SQLite database that is in use."""
        copies = self.kept / "backups"
        copies.mkdir()
        for file in (self.kept / "centre" / "controller.db", self.kept / "box" / "journal.db"):
            with closing(sqlite3.connect(file)) as source:
                with closing(sqlite3.connect(copies / f"{file.stem}-backup.db")) as target:
                    source.backup(target)
                source.execute("VACUUM INTO ?", (str(copies / f"{file.stem}-vacuumed.db"),))

    async def power_cut(self) -> None:
        """Nobody closes a file in order: what stood in the write-ahead logs stays there."""
        self.agent.kill()
        await self.agent.process.wait()
        self.centre.wanted = False
        self.centre.process.kill()
        await self.centre.process.wait()

    async def restart_centre(self) -> None:
        """The controller's next life, in good order; the hall has found it again."""
        await self._programs.stop([self.centre] if hasattr(self, "centre") else [])
        data = str(self.kept / "centre")
        run = [console_script("hall-controller"), "run", "--data", data, "--port", "0"]
        self.centre = await self._programs.start(f"controller-{next(self.number)}", run, env=self.env)
        self.centre_url = await self._programs.ready(self.centre)

    async def privacy(self, *words: str, typed: str = "") -> str:
        """`hall-controller privacy`; what it said."""
        return await self.command("privacy", *words, typed=typed)

    async def command(self, *words: str, typed: str = "") -> str:
        """`hall-controller …`; what it said."""
        process = await asyncio.create_subprocess_exec(
            *(console_script("hall-controller"), *words, "--data", str(self.kept / "centre")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate(f"{typed}\n".encode())
        assert process.returncode == 0, said.decode()
        return said.decode()

    def phone_key(self) -> str:
        """What the hall seals numbers to."""
        site = self.kept / "box" / "site.json"
        return str(json.loads(site.read_text("utf-8"))["phone_key"])

    async def synced(self) -> None:
        """The centre has all that the box knows."""

        async def same() -> bool:
            box = (await self.http.get(f"{self.agent.url}/api/state")).json()
            url = f"{self.centre_url}/api/halls/{HALL}"
            centre = (await self.http.get(url, headers=self.headers)).json()
            applied = {"id": box["stream"]["id"], "applied": box["stream"]["last"]}
            return bool(box["uplink"]["unsynced"] == 0 and centre.get("stream") == applied)

        await until(same)


def _hall(folder: Path, reader: DeviceSetup) -> HallFile:
    always = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    soon = f"{SystemClock().now().astimezone(ZoneInfo('Asia/Shanghai')) + timedelta(minutes=9):%H:%M}"
    draw = {"minutes": 30, "places": 5, "draw_min": 30, "draw_at": soon}
    services = [
        {"id": "social", "name": "社保医保", "prefix": "A", "appointments": {"minutes": 30, "places": 50}},
        {"id": "tax", "name": "办税", "prefix": "B", "appointments": draw},
    ]
    hall = {
        "hall": HALL,
        "name": "滨江街道政务服务中心",
        "level": "street",
        "hours": always,
        "holidays": "none",
        "services": services,
        "counters": [{"id": "1", "name": "1号窗口", "services": ["social", "tax"]}],
        "escalation": {"again_s": 1, "pager_s": 0, "sms_s": 1, "relative_s": 2},
    }
    device = reader.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump({"hall": hall, "devices": [device]}, allow_unicode=True)
    (folder / "hall.yaml").write_text(text, encoding="utf-8")
    return HallFile.model_validate({"hall": hall, "devices": [device]})


def _talkative(folder: Path) -> Path:
    """Makes programs log whatever any of their libraries has to say."""
    path = folder / "talkative"
    path.mkdir()
    lines = (
        "import logging",
        "logging.root.setLevel(logging.DEBUG)",
        "logging.Logger.setLevel = lambda self, level: None",
    )
    (path / "sitecustomize.py").write_text("\n".join(lines), encoding="utf-8")
    return path


@asynccontextmanager
async def _served(house: House) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(house.app, log_level="error", lifespan="off"))
        task = asyncio.get_running_loop().create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def _broker(folder: Path, programs: Programs) -> AsyncIterator[Broker]:
    """Mosquitto that logs everything, with somebody who writes down every message there is."""
    broker = await open_broker(
        "mosquitto", folder=folder / "broker", users=(HALL, WATCHER), programs=programs
    )
    await broker.kill()
    for name, more in (("mosquitto.conf", "log_type all\n"), ("acl", f"\nuser {WATCHER}\ntopic read #\n")):
        with (folder / "broker" / name).open("a") as file:
            file.write(more)
    await broker.start()
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username=WATCHER, password=broker.passwords[WATCHER], identifier=WATCHER
    ) as client:
        await client.subscribe("#", qos=1)

        async def record() -> None:
            with (folder / "capture.bin").open("ab", buffering=0) as file:
                async for message in client.messages:
                    payload = message.payload if isinstance(message.payload, bytes) else b""
                    file.write(str(message.topic).encode() + b"\n" + payload + b"\n")

        task = asyncio.get_running_loop().create_task(record())
        try:
            yield broker
        finally:
            task.cancel()
            await asyncio.wait((task,))


@asynccontextmanager
async def privacy_scene(folder: Path) -> AsyncIterator[PrivacyScene]:
    """All of them at work. The message house and the card reader keep nothing outside this test's memory."""
    kept = folder / "kept"
    kept.mkdir()
    secret = folder / "pepper"
    secret.write_bytes(b"a hall's own secret, of this test")
    secret.chmod(0o600)
    reader = DeviceSetup(
        name="reader",
        profile="card.sam-v",
        address=f"tcp://127.0.0.1:{free_port()}",
        options={"pepper_file": str(secret), "poll_ms": 100},
    )
    layout = _hall(kept, reader)
    talkative = {"PYTHONPATH": str(_talkative(folder))}
    hall_controller, data = console_script("hall-controller"), str(kept / "centre")
    words = ["hall", "add", HALL, "--name", "滨江街道", "--level", "street", "--data", data]
    await run_to_end([hall_controller, *words])
    house = House()
    async with AsyncExitStack() as stack:
        programs = await stack.enter_async_context(Programs(kept / "logs"))
        simulated = await stack.enter_async_context(SimulatedHall(layout, SystemClock()))
        gateway = await stack.enter_async_context(_served(house))
        broker = await stack.enter_async_context(_broker(kept, programs))
        scene = PrivacyScene(kept, programs, broker, house)
        stack.push_async_callback(scene.http.aclose)
        scene.reader = simulated.devices["reader"]
        scene.key = (await run_to_end([hall_controller, "key", "add", "test", "--data", data])).strip()
        token = [console_script("hall-agent"), "staff", "token", "test", "--data", str(kept / "box")]
        scene.staff = (await run_to_end(token)).strip()
        scene.gateway = gateway
        scene.env = talkative | {
            "HALL_CONTROLLER_BROKER": broker.url("controller"),
            "HALL_CONTROLLER_GATEWAY": gateway,
            "HALL_CONTROLLER_GATEWAY_KEY": "house-key",
        }
        await scene.restart_centre()
        options = ("--broker", broker.url(HALL), "--reconnect-s", "1", "--resend-s", "2")
        scene.agent = await stack.enter_async_context(
            agent_process(
                kept / "hall.yaml",
                kept / "box",
                *options,
                under=("env", *(f"{k}={v}" for k, v in talkative.items())),
            )
        )
        await scene.synced()
        yield scene
