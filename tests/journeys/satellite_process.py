"""A hall with a satellite: real agent processes, the hall's own Mosquitto, and devices on real wires."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import yaml

from edge_agent.accounts import Accounts
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile
from simulators.broker import Broker
from simulators.demo_programs import console_script
from simulators.hall import SimulatedHall
from tests.acceptance.agent_process import AgentProcess, agent_process
from tests.certificates import Authority
from tests.edge_agent.conftest import hall_setup
from tests.local_broker import Secure, local_broker

__all__ = ["Satellite", "Scene", "satellite_scene"]

BOX = "kiosk-1"
#: device of the satellite -> (its profile there, its profile at the hall box, counter)
DEVICES = {
    "printer": ("escpos.80mm", "satellite.printer", None),
    "pad": ("keypad.ff68-21", "satellite.keypad", "1"),
    "strip": ("modbus.led-strip-generic", "satellite.strip", "1"),
}


@dataclass
class Satellite:
    """The satellite's process; `start` after `kill` is a new life."""

    file: Path
    #: how it reaches the hall's broker, by its environment
    told: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait for `ready`."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(console_script("hall-agent"), "run", "--role", "satellite", "--satellite", str(self.file)),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self.told},
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            assert await self.process.stdout.readline() == f"ready satellite {BOX}\n".encode(), self.log

    async def kill(self) -> None:
        """As a power cut."""
        await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for its end."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(10):
            return await self.process.wait()


@dataclass
class Scene:
    """What a visitor sees, and what the hall box says of itself."""

    sim: SimulatedHall
    satellite: Satellite
    broker: Broker
    agent: AgentProcess
    http: httpx2.AsyncClient
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def shows(self, name: str) -> dict[str, Any]:
        return self.sim.devices[name].shows()

    def slips(self) -> list[str]:
        """The labels on the paper that ever came out of the printer."""
        return [line for slip in self.shows("printer")["slips"] for line in slip["lines"] if "A0" in line]

    async def until(self, truth: Callable[[], bool], seconds: float = 30) -> None:
        """Until a visitor sees it."""
        async with asyncio.timeout(seconds):
            while not truth():
                self.seen.clear()
                await self.seen.wait()

    async def told(self, **states: str) -> None:
        """Until the hall box says that its devices are in these states."""
        async with asyncio.timeout(30):
            async with self.http.stream("GET", "/api/stream", headers=self.http.headers) as stream:
                async for _ in stream.aiter_lines():
                    if await self.states() | states == await self.states():
                        return

    async def states(self) -> dict[str, str]:
        return {d["name"]: d["state"] for d in (await self.http.get("/api/state")).json()["devices"]}

    async def take(self) -> dict[str, Any]:
        body = {"request_id": f"take-{next(self.numbers)}", "service": "social"}
        answer = await self.http.post("/api/tickets", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def act(self, action: str) -> None:
        body = {"request_id": f"act-{next(self.numbers)}"}
        answer = await self.http.post(f"/api/counters/1/{action}", json=body)
        assert answer.status_code == 200, answer.text

    async def in_hand(self) -> str | None:
        counters = (await self.http.get("/api/state")).json()["counters"]
        ticket = next(c["ticket"] for c in counters if c["id"] == "1")
        return ticket["label"] if ticket else None


@asynccontextmanager
async def satellite_scene(folder: Path, authority: Authority | None = None) -> AsyncIterator[Scene]:
    """Everything running and every device online; over TLS when an authority vouches for the broker."""
    secure = Secure(*authority.issue("127.0.0.1", folder)) if authority else None
    async with local_broker(folder, BOX, secure=secure) as broker:

        def way(user: str) -> str:
            return secure.url(broker, user) if secure else broker.url(user)

        wires = {"pad": f"serial://{folder}/pads"}
        far = tuple(
            DeviceSetup(name=name, profile=profile, address=wires.get(name, "tcp://127.0.0.1:0"), unit=1)
            for name, (profile, _, _) in DEVICES.items()
        )
        async with SimulatedHall(HallFile(hall=hall_setup(), devices=far), SystemClock()) as sim:
            told = {"HALL_AGENT_LOCAL_BROKER": way(BOX)}
            options = ["--standalone"]
            if authority is not None:
                told["HALL_AGENT_LOCAL_BROKER_CA"] = str(authority.file)
                options += ["--local-broker-ca", str(authority.file)]
            satellite = Satellite(_satellite_file(folder, sim), told, folder / "satellite.log")
            await satellite.start()
            try:
                data = folder / "agent"
                token = Accounts(_folder(data) / "accounts.json", SystemClock()).add_token("wang")
                async with (
                    agent_process(_hall_file(folder, way("hall")), data, *options) as agent,
                    httpx2.AsyncClient(
                        base_url=agent.url, headers={"Authorization": f"Bearer {token}"}, timeout=30
                    ) as http,
                ):
                    scene = Scene(sim, satellite, broker, agent, http)
                    for device in sim.devices.values():
                        device.watchers.add(lambda _device: scene.seen.set())
                    await scene.told(printer="online", strip="online")
                    yield scene
            finally:
                await satellite.kill()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _satellite_file(folder: Path, sim: SimulatedHall) -> Path:
    devices = [
        {"name": name, "profile": profile, "address": sim.devices[name].address, "unit": 1}
        for name, (profile, _, _) in DEVICES.items()
    ]
    path = folder / "kiosk-1.yaml"
    path.write_text(yaml.safe_dump({"box": BOX, "devices": devices}), "utf-8")
    return path


def _hall_file(folder: Path, broker: str) -> Path:
    devices = [
        {"name": name, "profile": profile, "address": f"{broker}/{BOX}/{name}"}
        | ({"counter": counter, "options": {"picture_ttl_s": 6}} if counter else {})
        for name, (_, profile, counter) in DEVICES.items()
    ]
    hall = hall_setup().model_dump(mode="json")
    path = folder / "hall.yaml"
    path.write_text(yaml.safe_dump({"hall": hall, "devices": devices}, allow_unicode=True), "utf-8")
    return path
