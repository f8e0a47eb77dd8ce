"""Five hundred boards look at one hall; a number is called. From the clerk's wish to the last board.

Baseline: a bare asyncio server that writes an event of the same size to as many listeners.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from urllib.parse import urlsplit

from bench.figures import Figure, Target, figure, percentile, spread
from bench.http_client import HttpClient
from bench.programs import bare_program, hall_file, hall_setup, running_agent
from bench.runner import Run

__all__ = ["measure"]

BOARDS, CALLS = 500, 20
QUIET_S = 0.3
TARGET = Target(ratio_most=3)


class _Listeners:
    """Connections that read events; `heard` counts those that have seen the mark."""

    def __init__(self, url: str, path: str) -> None:
        self._parts, self._path = urlsplit(url), path
        self.mark, self.turn = b"", 0
        self.heard = 0
        self.all = asyncio.Event()
        self.connected = 0

    async def listen(self, count: int) -> None:
        """One board: it reads for ever."""
        reader, writer = await asyncio.open_connection(self._parts.hostname, self._parts.port, limit=2**20)
        try:
            writer.write(
                f"GET {self._path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n".encode()
            )
            await reader.readuntil(b"\r\n\r\n")
            self.connected += 1
            rest, turn, waiting = b"", 0, False
            while data := await reader.read(65_536):
                if turn != self.turn:
                    rest, turn, waiting = b"", self.turn, True
                rest = (rest + data)[-70_000:]
                if waiting and self.mark in rest:
                    waiting = False
                    self.heard += 1
                    if self.heard == count:
                        self.all.set()
        finally:
            writer.transport.abort()


async def measure(run: Run) -> list[Figure]:
    """Until the last board shows it."""
    folder = run.fresh_folder("boards")
    boards, calls = (50, 3) if run.quick else (BOARDS, CALLS)
    hall_file(folder / "hall.yaml", hall_setup(counters=1), strips=False)
    async with running_agent(folder, folder / "hall.yaml", "--standalone") as agent:
        run.say(f"{boards} boards")
        async with (
            await HttpClient.connect(agent.url, agent.token) as http,
            _boards(agent.url, "/api/stream", boards) as listeners,
        ):
            await http.post("/api/counters/1/open", {"request_id": "open"})
            took = [await _called(http, listeners, n) for n in range(calls)]
    async with (
        bare_program(folder, "bare_events.py", "400") as (url, _),
        _boards(url, "/", boards) as listeners,
    ):
        bare = [await _shouted(url, listeners) for _ in range(calls)]
    return [
        figure(
            "boards_500_p50",
            percentile(took, 50) * 1000,
            "ms",
            TARGET,
            baseline=percentile(bare, 50) * 1000,
            note=f"{boards} boards, call to the last of them: {spread(took)}; bare: {spread(bare)}",
        )
    ]


@asynccontextmanager
async def _boards(url: str, path: str, count: int) -> AsyncIterator[_Listeners]:
    listeners = _Listeners(url, path)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(listeners.listen(count), name=f"board {n}") for n in range(count)]
        async with asyncio.timeout(60):
            while listeners.connected < count:  # noqa: ASYNC110 - other tasks count
                await asyncio.sleep(0.05)
        try:
            yield listeners
        finally:
            for task in running:
                task.cancel()


async def _heard(listeners: _Listeners, mark: bytes, say: Callable[[], Awaitable[None]]) -> float:
    listeners.heard, listeners.mark = 0, mark
    listeners.turn += 1
    listeners.all.clear()
    began = perf_counter()
    await say()
    async with asyncio.timeout(30):
        await listeners.all.wait()
    return perf_counter() - began


async def _called(http: HttpClient, listeners: _Listeners, n: int) -> float:
    taken = await http.post("/api/tickets", {"request_id": f"take-{n}", "service": "service-a"})
    ticket = taken.json()["ticket_id"]
    await asyncio.sleep(QUIET_S)  # the boards have all of what was before

    async def say() -> None:
        wish = {"request_id": f"call-{n}", "finish_current": True}
        answer = await http.post("/api/counters/1/call-next", wish)
        assert answer.status == 200, answer.body

    # What comes from now on and bears the ticket's id is the call.
    return await _heard(listeners, ticket.encode(), say)


async def _shouted(url: str, listeners: _Listeners) -> float:
    parts = urlsplit(url)

    async def say() -> None:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"POST / HTTP/1.1\r\n\r\n")
        await writer.drain()

    await asyncio.sleep(QUIET_S)
    return await _heard(listeners, b"event: fact", say)
