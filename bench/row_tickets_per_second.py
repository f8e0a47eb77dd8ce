"""Tickets a hall gives over HTTP to 8 takers at once, and whether any number was given twice or lost.

Baseline: bare sqlite3 in this process, one FULL commit per ticket of the same size, in turns with it.
"""

import asyncio
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from bench.bare_commits import bare_commits
from bench.figures import Figure, Target, figure, spread
from bench.http_client import HttpClient
from bench.programs import PREFIXES, RunningAgent, hall_file, hall_setup, running_agent
from bench.runner import Run

__all__ = ["measure"]

TAKERS = 8
TURNS = 10
TARGET = Target(ratio_least=0.4, least=1_000)


@dataclass(slots=True)
class _Taken:
    """What the takers were told, and how long they have been asking."""

    labels: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    refused: int = 0
    asked: int = 0
    seconds: float = 0.0


async def measure(run: Run) -> list[Figure]:
    """Tickets per second, doubled and lost labels."""
    folder = run.fresh_folder("tickets_per_second")
    turn_s = 0.15 if run.quick else 0.5
    # One zone holds 999 numbers per line: as many lines as there are letters.
    hall_file(folder / "hall.yaml", hall_setup(services=len(PREFIXES)), strips=False)
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(running_agent(folder, folder / "hall.yaml", "--standalone"))
        clients = [
            await stack.enter_async_context(await HttpClient.connect(agent.url)) for _ in range(TAKERS)
        ]
        taken = _Taken()
        await _offered(clients, taken, turn_s)
        warm, taken.seconds = len(taken.labels), 0.0
        bare = stack.enter_context(bare_commits(folder / "bare.db", "x" * _size_of_ticket(agent)))
        for turn in range(TURNS):
            run.say(f"turn {turn + 1} of {TURNS}, {len(taken.labels):,} tickets")
            await run.rest(0.1)
            bare.run(turn_s / 2)
            await run.rest(0.1)
            await _offered(clients, taken, turn_s)
        journaled = [f["label"] for f in await _facts(clients[0]) if f["kind"] == "ticket-issued"]
    broken = _wrong(taken.labels, journaled)
    count = len(taken.labels) - warm
    note = (
        f"{count:,} tickets, {len(broken)} doubled or lost, {taken.refused} refused; "
        f"answer {spread(taken.took[warm:])}"
    )
    rate = count / taken.seconds
    return [
        figure("tickets_per_second", rate, "/s", TARGET, baseline=bare.per_second, note=note, broken=broken)
    ]


async def _offered(clients: list[HttpClient], taken: _Taken, seconds: float) -> None:
    """All takers ask as fast as they are answered."""
    began = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, http in enumerate(clients):
            tasks.create_task(_take(http, taken, began + seconds), name=f"taker {number}")
    taken.seconds += perf_counter() - began


async def _take(http: HttpClient, taken: _Taken, until: float) -> None:
    began = perf_counter()
    while began < until:
        taken.asked += 1
        service = f"service-{PREFIXES[taken.asked % len(PREFIXES)].lower()}"
        answer = await http.post("/api/tickets", {"request_id": f"take-{taken.asked}", "service": service})
        now = perf_counter()
        if answer.status == 201:
            taken.labels.append(answer.json()["label"])
            taken.took.append(now - began)
        else:
            taken.refused += 1
        began = now


async def _facts(http: HttpClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := (await http.get(f"/api/facts?after={len(found)}&limit=1000")).json():
        found += page
    return found


def _size_of_ticket(agent: RunningAgent) -> int:
    """Bytes of a ticket as it lies in the journal."""
    with closing(sqlite3.connect(f"file:{agent.data / 'journal.db'}?mode=ro", uri=True)) as journal:
        found = journal.execute(
            "SELECT AVG(LENGTH(body)) FROM facts WHERE kind = 'ticket-issued'"
        ).fetchone()[0]
    return round(float(found))


def _wrong(told: list[str], journaled: list[str]) -> list[str]:
    """Sentences about labels that two people hold, or that the journal does not know."""
    twice = [label for label, times in Counter(told).items() if times > 1]
    twice += [label for label, times in Counter(journaled).items() if times > 1]
    lost = set(told) - set(journaled)
    return [f"{label} was given twice" for label in twice] + [
        f"{label} is not in the journal" for label in lost
    ]
