"""One street hall with everything around it, real: Mosquitto, `hall-controller`, `hall-agent`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.http_client import HttpClient
from bench.mqtt_ear import FLOOR
from bench.programs import RunningAgent, agent_options
from edge_agent.accounts import Accounts
from hall_core.clock import SystemClock
from hall_core.devices.layout import HallFile
from simulators.broker import HOST, Broker, Kind, find_mosquitto, open_broker
from simulators.demo_programs import Program, Programs, console_script, free_port, run_to_end
from simulators.relay import Relay

__all__ = ["Street", "limited_key", "street"]


@dataclass(slots=True)
class Street:
    """The running parts. `controller_key` is an API key; `relay` stands in the agent's way to the broker
    where that was asked for.
    """

    agent: RunningAgent
    program: Program
    argv: list[str]
    programs: Programs
    broker: Broker
    controller_url: str
    controller_key: str
    relay: Relay
    folder: Path

    async def stop_agent(self) -> None:
        """Stop the agent as systemd does."""
        await self.programs.stop([self.program], grace_s=5.0)

    async def start_agent(self) -> int:
        """Start it again on the same data and port, without waiting; returns its process id."""
        self.program = await self.programs.start("agent", self.argv)
        return self.program.process.pid


@asynccontextmanager
async def street(
    folder: Path,
    hall_path: Path,
    layout: HallFile,
    *options: str,
    relayed: bool = False,
    env: dict[str, str] | None = None,
) -> AsyncIterator[Street]:
    """Start all of it, and wait until the hall may give numbers. Raises ProgramDied.

    The agent reaches the broker through a relay whose link can be cut. `env` are settings of the controller.
    """
    hall, data = layout.hall, folder / "agent"
    token = Accounts(data / "accounts.json", SystemClock()).add_token("bench")
    async with Programs(folder / "logs") as programs:
        kind: Kind | None = "mosquitto" if find_mosquitto() else None
        broker = await open_broker(
            kind, folder=folder / "broker", users=(hall.hall, FLOOR), programs=programs
        )
        controller_url, key = await _controller(folder, layout, broker, programs, env or {})
        port = free_port()
        async with Relay(HOST, broker.port) as relay:
            link = broker.url(hall.hall, port=relay.port if relayed else None)
            argv = [*agent_options(hall_path, data, port=port), "--broker", link, *options]
            program = await programs.start("agent", argv)
            url = await programs.ready(program)
            agent = RunningAgent(url, program.process.pid, token, data)
            await _granted(agent)
            yield Street(agent, program, argv, programs, broker, controller_url, key, relay, folder)


async def limited_key(place: Street, name: str, per_minute: int, per_day: int | None = None) -> str:
    """A key whose requests are counted."""
    argv = [console_script("hall-controller"), "key", "add", name, "--per-minute", str(per_minute)]
    argv += ["--per-day", str(per_day)] if per_day else []
    key = await run_to_end([*argv, "--data", str(place.folder / "controller")])
    return key.strip().splitlines()[-1].split()[-1]


async def _controller(
    folder: Path, layout: HallFile, broker: Broker, programs: Programs, env: dict[str, str]
) -> tuple[str, str]:
    data, hall, command = folder / "controller", layout.hall, console_script("hall-controller")
    key = await run_to_end([command, "key", "add", "bench", "--data", str(data)])
    enrol = ["hall", "add", hall.hall, "--name", hall.name, "--level", hall.level, "--data", str(data)]
    await run_to_end([command, *enrol])
    argv = [command, "run", "--data", str(data), "--port", "0", "--broker", broker.url("controller")]
    program = await programs.start(
        "controller", argv, env={f"HALL_CONTROLLER_{name}": value for name, value in env.items()}
    )
    return await programs.ready(program), key.strip().splitlines()[-1].split()[-1]


async def _granted(agent: RunningAgent) -> None:
    """The controller has given the new box its numbers."""
    async with asyncio.timeout(20), await HttpClient.connect(agent.url) as http:
        while (await http.get("/readyz")).status != 200:  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.05)
