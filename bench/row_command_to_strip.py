"""A clerk's call until the number is seen on the strip, with one counter and with 33.

HTTP call-next at a real agent → decision → FULL commit → Modbus TCP → the strip shows the label. Taken
in turns with the floor (`bare_hall.py`): a bare server with one FULL commit and one raw Modbus write.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter

from bench.figures import Figure, Target, figure, percentile, spread
from bench.http_client import HttpClient
from bench.programs import bare_program, hall_file, hall_setup, running_agent
from bench.runner import Run
from bench.strips import Strips, watched_strips

__all__ = ["measure", "measure_33"]

#: rest between two samples, so that neither side works into the other's time
GAP_S = 0.01
WAITING = 40
SERVICES = 4
TARGETS = {
    "command_to_strip": (Target(ratio_most=1.5), Target(ratio_most=2.0)),
    "command_to_strip_33": (Target(ratio_most=2.0), Target(ratio_most=2.0)),
}


@dataclass(slots=True)
class _Clerk:
    """Calls at the agent, one counter after the other; a new citizen comes for everyone called."""

    http: HttpClient
    strips: Strips
    counters: int
    answered: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    arrivals: int = 0
    requests: int = 0

    async def prepare(self) -> None:
        """Open all counters and let people wait."""
        for n in range(1, self.counters + 1):
            await self._post(f"/api/counters/{n}/open", {})
        for _ in range(WAITING):
            await self.arrive()

    async def arrive(self) -> None:
        """One more citizen takes a number."""
        self.arrivals += 1
        service = f"service-{'abcd'[self.arrivals % SERVICES]}"
        await self._post("/api/tickets", {"service": service})

    async def call(self, round_: int) -> None:
        """Call the next one; the key-pad's one key finishes the ticket in hand along with it."""
        counter = round_ % self.counters + 1
        began = perf_counter()
        answer = await self._post(f"/api/counters/{counter}/call-next", {"finish_current": True})
        self.answered.append(perf_counter() - began)
        seen = await self.strips.when(f"strip-{counter}", answer["ticket"]["label"])
        self.shown.append(seen - began)

    async def _post(self, path: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
        self.requests += 1
        answer = await self.http.post(path, {"request_id": f"bench-{self.requests}", **body})
        if answer.status not in (200, 201):
            msg = f"{path}: {answer.status} {answer.body.decode()}"
            raise RuntimeError(msg)
        found: dict[str, dict[str, str]] = answer.json()
        return found


@dataclass(slots=True)
class _Floor:
    """The same at the bare server."""

    http: HttpClient
    strips: Strips
    row: str
    shown: list[float] = field(default_factory=list)

    async def call(self, round_: int) -> None:
        label = f"B{round_:04d}"
        began = perf_counter()
        await self.http.post("/", {"label": label, "row": self.row})
        seen = await self.strips.when(self.strips.names[0], label)
        self.shown.append(seen - began)


async def measure(run: Run) -> list[Figure]:
    """One counter, one strip."""
    return await _measure(run, "command_to_strip", counters=1, rounds=60 if run.quick else 800)


async def measure_33(run: Run) -> list[Figure]:
    """33 counters with 33 strips, all busy in turn."""
    return await _measure(run, "command_to_strip_33", counters=33, rounds=66 if run.quick else 825)


async def _measure(run: Run, row: str, *, counters: int, rounds: int) -> list[Figure]:
    folder = run.fresh_folder(row)
    layout = hall_file(folder / "hall.yaml", hall_setup(counters=counters, services=SERVICES))
    bare_layout = hall_file(folder / "bare.yaml", hall_setup(hall="bare"))
    async with AsyncExitStack() as stack:
        strips = await stack.enter_async_context(watched_strips(layout))
        bare_strips = await stack.enter_async_context(watched_strips(bare_layout))
        agent = await stack.enter_async_context(running_agent(folder, folder / "hall.yaml", "--standalone"))
        bare_port = bare_layout.devices[0].address.rpartition(":")[2]
        bare_url, _ = await stack.enter_async_context(
            bare_program(folder, "bare_hall.py", str(folder / "bare.db"), bare_port)
        )
        http = await stack.enter_async_context(await HttpClient.connect(agent.url, agent.token))
        bare_http = await stack.enter_async_context(await HttpClient.connect(bare_url))
        clerk = _Clerk(http, strips, counters)
        await _in_sight(strips)
        await clerk.prepare()
        floor = _Floor(bare_http, bare_strips, await _three_facts(http))
        for round_ in range(rounds + counters):
            if round_ == counters:  # everybody has called once: now it counts
                clerk.shown, clerk.answered, floor.shown = [], [], []
            run.say(f"call {round_ + 1} of {rounds + counters}")
            await clerk.arrive()
            await asyncio.sleep(GAP_S)
            await clerk.call(round_)
            await asyncio.sleep(GAP_S)
            await floor.call(round_)
            await asyncio.sleep(GAP_S)
    return _figures(row, clerk, floor)


async def _in_sight(strips: Strips) -> None:
    """Every strip has been found and painted, so that no first connect is measured."""
    for strip in strips.names:
        await strips.when(strip, "")


async def _three_facts(http: HttpClient) -> str:
    """As many bytes as the three facts of a call: started, finished, called."""
    facts = (await http.get("/api/facts?after=0&limit=1000")).json()
    return "x" * 3 * len(json.dumps(facts[-1]))


def _figures(row: str, clerk: _Clerk, floor: _Floor) -> list[Figure]:
    http = f"HTTP answer {spread(clerk.answered)}"
    found = []
    for (name, percent), target in zip((("p50", 50), ("p99", 99)), TARGETS[row], strict=True):
        found.append(
            figure(
                f"{row}_{name}",
                percentile(clerk.shown, percent) * 1000,
                "ms",
                target,
                baseline=percentile(floor.shown, percent) * 1000,
                note=http if name == "p50" else f"{len(clerk.shown)} calls",
            )
        )
    return found
