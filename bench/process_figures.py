"""What a running process takes: memory, threads, processor time, bytes it has written."""

import asyncio
from dataclasses import dataclass
from time import perf_counter

import psutil

from bench.http_client import HttpClient

__all__ = ["AtRest", "at_rest", "first_answer", "written_bytes"]


@dataclass(frozen=True, slots=True)
class AtRest:
    """Megabytes (10^6) resident, threads, percent of one processor."""

    rss_mb: float
    threads: int
    cpu_percent: float


async def at_rest(pid: int, seconds: float) -> AtRest:
    """Watch a process that nobody asks for anything."""
    process = psutil.Process(pid)
    before, began = process.cpu_times(), perf_counter()
    await asyncio.sleep(seconds)
    after, took = process.cpu_times(), perf_counter() - began
    busy = after.user + after.system - before.user - before.system
    return AtRest(
        process.memory_info().rss / 1e6, process.num_threads(), max(0.0, round(100 * busy / took, 3))
    )


def written_bytes(pid: int) -> int:
    """Bytes it has made the storage layer write (pages it dirtied)."""
    return int(psutil.Process(pid).io_counters().write_bytes)


async def first_answer(url: str, body: dict[str, str], within_s: float = 30.0) -> None:
    """Return as soon as POST /api/tickets answers 201, asking every few milliseconds."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                async with await HttpClient.connect(url) as http:
                    if (await http.post("/api/tickets", body)).status == 201:
                        return
            except OSError:
                pass
            await asyncio.sleep(0.005)
