"""Numbers asked for over the controller's API a second: limits counted, and a real hall that answers each.

HTTP request → limits → request stored → wish over MQTT → the hall's decision and FULL commit → fact back →
stored → answer. Baseline: the same hall asked directly, in turns with it.
"""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter

from bench.figures import Figure, Target, figure, spread
from bench.http_client import HttpClient
from bench.programs import PREFIXES, hall_file, hall_setup
from bench.row_public_reads import MANY, clients_of
from bench.row_steady_200 import all_facts
from bench.runner import Run
from bench.street import limited_key, street

__all__ = ["measure"]

TAKERS, TURNS = 8, 6
TARGET = Target(ratio_least=0.05, least=20)


@dataclass(slots=True)
class _Asked:
    """What takers were told. `path` is where they ask; a request's name is its `kind` and a number."""

    kind: str
    path: str
    labels: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    asked: int = 0
    seconds: float = 0.0

    async def turn(self, clients: list[HttpClient], seconds: float) -> None:
        """All takers ask as fast as they are answered."""
        began = perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number, http in enumerate(clients):
                tasks.create_task(self._take(http, began + seconds), name=f"{self.kind} {number}")
        self.seconds += perf_counter() - began

    async def _take(self, http: HttpClient, until: float) -> None:
        began = perf_counter()
        while began < until:
            self.asked += 1
            name = f"{self.kind}-{self.asked}"
            body = {"service": f"service-{PREFIXES[self.asked % len(PREFIXES)].lower()}"}
            if self.kind == "direct":
                body["request_id"] = name
            answer = await http.post(self.path, body, f"Idempotency-Key: {name}\r\n")
            now = perf_counter()
            if answer.status == 201:
                self.labels.append(answer.json()["label"])
                self.took.append(now - began)
            else:
                self.refused[answer.status] += 1
            began = now


async def measure(run: Run) -> list[Figure]:
    """Tickets per second over the controller; what was doubled, lost, or not the hall's own number."""
    folder = run.fresh_folder("public_ticket_requests")
    turn_s = 0.3 if run.quick else 1.0
    layout = hall_file(folder / "hall.yaml", hall_setup(services=len(PREFIXES)), strips=False)
    online = _Asked("online", f"/api/halls/{layout.hall.hall}/tickets")
    direct = _Asked("direct", "/api/tickets")
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(street(folder, folder / "hall.yaml", layout))
        key = await limited_key(place, "taker", MANY, per_day=MANY)
        ends = ((online, place.controller_url, key), (direct, place.agent.url, None))
        sides = [(asked, await clients_of(stack, url, TAKERS, key)) for asked, url, key in ends]
        for turn in range(TURNS):
            run.say(f"turn {turn + 1} of {TURNS}, {len(online.labels):,} tickets")
            for asked, clients in sides:
                # The direct turn gives far more numbers: it is shorter, and its facts leave before the next.
                await asked.turn(clients, turn_s if asked is online else turn_s / 4)
                await _quiet(place.agent.url)
        facts = await all_facts(place)
    journaled = [fact["label"] for fact in facts if fact["kind"] == "ticket-issued"]
    broken = _wrong(online, direct, journaled)
    note = f"{len(online.labels):,} tickets, {len(broken)} doubled or lost; answer {spread(online.took)}"
    rate, floor = len(online.labels) / online.seconds, len(direct.labels) / direct.seconds
    return [figure("public_ticket_requests", rate, "/s", TARGET, baseline=floor, note=note, broken=broken)]


async def _quiet(url: str) -> None:
    """The controller has everything the hall knows."""
    async with asyncio.timeout(60), await HttpClient.connect(url) as http:
        while (await http.get("/api/state")).json()["uplink"]["unsynced"]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def _wrong(online: _Asked, direct: _Asked, journaled: list[str]) -> list[str]:
    """Sentences about numbers that two people hold, that the hall does not know, and about refusals."""
    told = [*online.labels, *direct.labels]
    wrong = [f"{label} was given twice" for label, times in Counter(told).items() if times > 1]
    wrong += [f"{label} is not in the hall's journal" for label in set(told) - set(journaled)]
    for asked in (online, direct):
        wrong += [f"{n} {asked.kind} requests: {status}" for status, n in asked.refused.items()]
    return wrong
