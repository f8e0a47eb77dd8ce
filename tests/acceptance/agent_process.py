"""A real `hall-agent` process on a free port, started and killed by tests."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from simulators.demo_programs import console_script

__all__ = ["AgentProcess", "agent_process"]


@dataclass
class AgentProcess:
    """Its address, and the process to kill."""

    url: str
    process: asyncio.subprocess.Process

    def kill(self) -> None:
        """As a power cut: no goodbye."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> int:
        """As systemd does; returns the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def agent_process(
    hall_file: Path, data: Path, *options: str, under: tuple[str, ...] = (), port: int = 0
) -> AsyncIterator[AgentProcess]:
    """Start, wait for `ready`, and leave nothing behind. `under` is a program that starts it in its way."""
    log = (hall_file.parent / f"{data.name}.log").open("ab")
    process = await asyncio.create_subprocess_exec(
        *under,
        console_script("hall-agent"),
        "run",
        "--hall",
        str(hall_file),
        "--data",
        str(data),
        "--port",
        str(port),
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("ready "), f"see {log.name}"
        yield AgentProcess(line.split()[1], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        log.close()
