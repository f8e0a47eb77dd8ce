"""What the agent takes on its box, at rest and per ticket, with broker, controller and strips connected.

At rest means: all pages were served once and 100 tickets taken. Baseline: a bare FastAPI program with
one FULL commit per POST.
"""

import re
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.figures import Figure, Target, figure
from bench.http_client import HttpClient
from bench.process_figures import AtRest, at_rest, first_answer, written_bytes
from bench.programs import HERE, hall_file, hall_setup
from bench.runner import Run
from bench.street import Street, street
from bench.strips import watched_strips
from simulators.demo_programs import Programs, free_port

__all__ = ["measure"]

COUNTERS, SERVICES = 3, 3
PAGES = ("/kiosk", "/board", "/counter/1", "/terminal", "/info", "/rate/1")
_ASSET = re.compile(rb'(?:src|href)="(/[^"]+\.[a-z0-9]+(?:\?[^"]*)?)"')


@dataclass(frozen=True, slots=True)
class _Taken:
    """Everything that is measured of one program."""

    rest: AtRest
    kib_per_ticket: float
    first_ticket_s: float
    said: str = ""


async def measure(run: Run) -> list[Figure]:
    """RSS, threads, idle processor time, start, bytes per ticket."""
    folder = run.fresh_folder("footprint")
    agent = await _agent(run, folder)
    bare = await _bare(run, folder)
    rest, base = agent.rest, bare.rest
    return [
        figure("footprint_rss", rest.rss_mb, "MB", Target(most=80), baseline=base.rss_mb, note=agent.said),
        figure("footprint_threads", rest.threads, "", Target(most=10), baseline=base.threads),
        figure("footprint_idle_cpu", rest.cpu_percent, "%", Target(most=1), baseline=base.cpu_percent),
        figure(
            "footprint_first_ticket", agent.first_ticket_s, "s", Target(most=2), baseline=bare.first_ticket_s
        ),
        figure(
            "footprint_written", agent.kib_per_ticket, "KiB", Target(most=20), baseline=bare.kib_per_ticket
        ),
    ]


async def _agent(run: Run, folder: Path) -> _Taken:
    layout = hall_file(folder / "hall.yaml", hall_setup(counters=COUNTERS, services=SERVICES))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(watched_strips(layout))
        run.say("starting broker, controller, agent")
        place = await stack.enter_async_context(street(folder, folder / "hall.yaml", layout))
        async with await HttpClient.connect(place.agent.url, place.agent.token) as http:
            said = await _serve_pages(http)
            await _tickets(http, "before", 100)
        await run.rest(3.0)
        run.say("agent at rest")
        rest = await at_rest(place.agent.pid, 2.0 if run.quick else 10.0)
        run.say("bytes per ticket")
        async with await HttpClient.connect(place.agent.url) as http:
            kib = await _written(http, place.agent.pid, 50 if run.quick else 500)
        starts = [await _restart(run, place, n) for n in range(1 if run.quick else 3)]
    return _Taken(rest, kib, median(starts), said)


async def _serve_pages(http: HttpClient) -> str:
    """Fetch every page and what it refers to, as a browser does."""
    served: list[str] = []
    missing: list[str] = []
    assets: set[str] = set()
    for page in PAGES:
        answer = await http.get(page)
        (served if answer.status == 200 else missing).append(page)
        assets |= {found.decode() for found in _ASSET.findall(answer.body)}
    for asset in sorted(assets):
        await http.get(asset)
    said = f"after {' '.join(served)} with {len(assets)} assets and 100 tickets"
    return said + (f"; not there: {' '.join(missing)}" if missing else "")


async def _tickets(http: HttpClient, name: str, count: int) -> None:
    for n in range(count):
        service = f"service-{'abc'[n % SERVICES]}"
        answer = await http.post("/api/tickets", {"request_id": f"{name}-{n}", "service": service})
        assert answer.status == 201, answer.body


async def _written(http: HttpClient, pid: int, count: int) -> float:
    before = written_bytes(pid)
    await _tickets(http, "written", count)
    return (written_bytes(pid) - before) / 1024 / count


async def _restart(run: Run, place: Street, n: int) -> float:
    """Seconds from the start of the process to the first ticket, on the data of the day."""
    await place.stop_agent()
    await run.rest()
    run.say(f"start {n + 1}")
    began = perf_counter()
    await place.start_agent()
    await first_answer(place.agent.url, {"request_id": f"start-{n}", "service": "service-a"})
    return perf_counter() - began


async def _bare(run: Run, folder: Path) -> _Taken:
    row, port = {"row": "x" * 400}, free_port()
    url = f"http://127.0.0.1:{port}"
    run.say("the bare program")
    async with Programs(folder / "logs") as programs:
        began = perf_counter()
        program = await programs.start(
            "bare_web", [sys.executable, str(HERE / "bare_web.py"), str(folder / "bare.db"), str(port)]
        )
        await first_answer(url, row)
        took, pid = perf_counter() - began, program.process.pid
        async with await HttpClient.connect(url) as http:
            for _ in range(100):
                await http.post("/api/tickets", row)
        await run.rest()
        rest = await at_rest(pid, 2.0 if run.quick else 10.0)
        async with await HttpClient.connect(url) as http:
            count = 50 if run.quick else 500
            before = written_bytes(pid)
            for _ in range(count):
                await http.post("/api/tickets", row)
            kib = (written_bytes(pid) - before) / 1024 / count
    return _Taken(rest, kib, took)
