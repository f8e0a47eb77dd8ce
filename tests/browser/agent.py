"""A hall's whole agent for the browser, in a thread of its own: the browser's tests hold the main one."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from hall_core.clock import FixedClock
from hall_core.queueing.commands import Command
from tests.edge_agent.whole_agent import WholeAgent, whole_agent

__all__ = ["Agent", "agent_of"]


@dataclass
class Agent:
    """A running agent, as seen from outside; only its clock is in the test's hand."""

    url: str
    clock: FixedClock
    loop: asyncio.AbstractEventLoop
    inside: WholeAgent

    def handle(self, command: Command) -> None:
        """Do it in the hall, and wait until it is done."""

        async def done() -> None:
            await self.inside.hall.handle(command)

        asyncio.run_coroutine_threadsafe(done(), self.loop).result(timeout=30)

    def device(self, name: str) -> dict[str, Any]:
        """What `/api/state` says of a device."""
        rows: list[dict[str, Any]] = httpx2.get(f"{self.url}/api/state").json()["devices"]
        return next(row for row in rows if row["name"] == name)


@contextmanager
def agent_of(folder: Path, clock: FixedClock, *devices: dict[str, Any], **more: Any) -> Iterator[Agent]:
    """The agent of a hall with these devices; they are probed often. `more` is for `whole_agent`."""
    ready: Future[Agent] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with whole_agent(folder, clock, *devices, **more) as inside:
                ready.set_result(Agent(inside.url, clock, asyncio.get_running_loop(), inside))
                await stop.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="agent")
    thread.start()
    agent = ready.result(timeout=30)
    try:
        yield agent
    finally:
        agent.loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=20)
