"""What a row starts: a real agent with its hall file, and other programs that say `ready`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from edge_agent.accounts import Accounts
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.queueing.setup import HallSetup
from hall_core.schedule.hours import Hours
from simulators.demo_programs import Program, Programs, console_script, free_port

__all__ = [
    "HERE",
    "PREFIXES",
    "RunningAgent",
    "agent_options",
    "bare_program",
    "hall_file",
    "hall_setup",
    "running_agent",
]

HERE = Path(__file__).resolve().parent
#: letters a service may have
PREFIXES = "ABCDEFGHJKLMNPRTUVXY"


def hall_setup(*, hall: str = "binjiang", counters: int = 1, services: int = 1) -> HallSetup:
    """A street hall that is always open; every counter serves everything."""
    prefixes = PREFIXES[:services]
    ids = [f"service-{p.lower()}" for p in prefixes]
    return HallSetup.model_validate(
        {
            "hall": hall,
            "name": "滨江街道政务服务中心",
            "level": "street",
            "hours": Hours.always(),
            "services": [
                {"id": i, "name": f"业务{p}", "prefix": p} for i, p in zip(ids, prefixes, strict=True)
            ],
            "counters": [
                {"id": str(n), "name": f"{n}号窗口", "services": ids} for n in range(1, counters + 1)
            ],
        }
    )


def hall_file(path: Path, setup: HallSetup, *, strips: bool = True) -> HallFile:
    """Write a hall's file, with a strip on Modbus TCP over every counter."""
    devices = tuple(
        DeviceSetup(
            name=f"strip-{counter.id}",
            profile="modbus.led-strip-generic",
            address=f"tcp://127.0.0.1:{free_port()}",
            counter=counter.id,
        )
        for counter in setup.counters
    )
    layout = HallFile(hall=setup, devices=devices if strips else ())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(layout.model_dump(mode="json"), allow_unicode=True), encoding="utf-8")
    return layout


@dataclass(frozen=True, slots=True)
class RunningAgent:
    """A real `hall-agent` process; `token` is a clerk's."""

    url: str
    pid: int
    token: str
    data: Path


def agent_options(hall: Path, data: Path, *, port: int = 0) -> list[str]:
    """The command line of an agent."""
    return [
        console_script("hall-agent"),
        "run",
        "--hall",
        str(hall),
        "--data",
        str(data),
        "--port",
        str(port),
    ]


@asynccontextmanager
async def running_agent(folder: Path, hall: Path, *options: str) -> AsyncIterator[RunningAgent]:
    """Start an agent on a free port and stop it afterwards. Raises ProgramDied."""
    data = folder / "agent"
    token = Accounts(data / "accounts.json", SystemClock()).add_token("bench")
    async with Programs(folder / "logs") as programs:
        program = await programs.start("agent", [*agent_options(hall, data), *options])
        url = await programs.ready(program)
        yield RunningAgent(url, program.process.pid, token, data)


@asynccontextmanager
async def bare_program(folder: Path, script: str, *args: str) -> AsyncIterator[tuple[str, Program]]:
    """Start a baseline of this folder; yields its address."""
    async with Programs(folder / "logs") as programs:
        program = await programs.start(Path(script).stem, [sys.executable, str(HERE / script), *args])
        yield await programs.ready(program), program
