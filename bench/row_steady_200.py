"""200 tickets a second over HTTP: from the agent's answer to the controller's acknowledgement after COMMIT.

Everything is real: Mosquitto, agent, controller, each its own process. Baseline: messages of the same
size at the same rate through the bare broker.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from bench.figures import Figure, Target, figure, percentile
from bench.http_client import HttpClient
from bench.mqtt_ear import AckEar, bare_broker_times, hearing_acks
from bench.programs import PREFIXES, hall_file, hall_setup
from bench.runner import Run
from bench.street import Street, street

__all__ = ["all_facts", "measure", "wrong"]

PER_SECOND = 200
TAKERS = 8
TARGETS = (("p50", 50, Target(most=10)), ("p99", 99, Target(most=50)))


@dataclass(slots=True)
class _Answered:
    """When each ticket was answered, and how late the offers were."""

    at: dict[str, float] = field(default_factory=dict)
    late: int = 0
    refused: int = 0


async def measure(run: Run) -> list[Figure]:
    """p50 and p99 of the way to the controller and back."""
    folder = run.fresh_folder("steady_200")
    layout = hall_file(folder / "hall.yaml", hall_setup(services=len(PREFIXES)), strips=False)
    seconds = 2.0 if run.quick else 15.0
    run.say("starting broker, controller, agent")
    async with (
        street(folder, folder / "hall.yaml", layout) as place,
        hearing_acks(place.broker, layout.hall.hall) as ear,
    ):
        await _offered(place, 1.0, "warm")
        await run.rest()
        floor = await bare_broker_times(place.broker, 700, PER_SECOND, seconds / 5)
        run.say(f"{PER_SECOND} tickets a second for {seconds:.0f} s")
        answered = await _offered(place, seconds, "take")
        facts = await all_facts(place)
        arrived = await ear.reaches(facts[-1]["n"])
        floor += await bare_broker_times(place.broker, 700, PER_SECOND, seconds / 5)
        broken = await wrong(place, layout.hall.hall, facts, arrived=arrived)
    return _figures(answered, facts, ear, floor, broken)


async def _offered(place: Street, seconds: float, name: str) -> _Answered:
    answered = _Answered()
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await HttpClient.connect(place.agent.url)) for _ in range(TAKERS)
        ]
        began = perf_counter() + 0.05
        async with asyncio.TaskGroup() as tasks:
            for number, http in enumerate(clients):
                due = [began + n / PER_SECOND for n in range(number, round(seconds * PER_SECOND), TAKERS)]
                tasks.create_task(_take(http, answered, f"{name}-{number}", due), name=f"taker {number}")
    return answered


async def _take(http: HttpClient, answered: _Answered, name: str, due: list[float]) -> None:
    """One ticket at each due time; a late one at once."""
    for n, at in enumerate(due):
        wait = at - perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        elif wait < -0.02:
            answered.late += 1
        service = f"service-{PREFIXES[n % len(PREFIXES)].lower()}"
        answer = await http.post("/api/tickets", {"request_id": f"{name}-{n}", "service": service})
        if answer.status == 201:
            answered.at[answer.json()["ticket_id"]] = perf_counter()
        else:
            answered.refused += 1


async def all_facts(place: Street) -> list[dict[str, Any]]:
    """The agent's journal."""
    found: list[dict[str, Any]] = []
    async with await HttpClient.connect(place.agent.url) as http:
        while page := (await http.get(f"/api/facts?after={len(found)}&limit=1000")).json():
            found += page
    return found


async def wrong(place: Street, hall: str, facts: list[dict[str, Any]], *, arrived: bool) -> list[str]:
    """Sentences about facts the controller lacks or holds twice."""
    held: list[tuple[str, int]] = []
    after = 0
    async with await HttpClient.connect(place.controller_url, place.controller_key) as http:
        while page := (await http.get(f"/api/facts?hall={hall}&after={after}&limit=1000")).json():
            held += [(fact["stream"], fact["n"]) for fact in page]
            after = page[-1]["n"]
    wrong = [] if arrived else ["the last fact was never acknowledged"]
    if len(set(held)) != len(held):
        wrong.append(f"{len(held) - len(set(held))} facts are stored twice")
    missing = {fact["n"] for fact in facts} - {n for _, n in held}
    if missing:
        wrong.append(f"{len(missing)} facts are missing at the controller, the first is {min(missing)}")
    return wrong


def _figures(
    answered: _Answered, facts: list[dict[str, Any]], ear: AckEar, floor: list[float], broken: list[str]
) -> list[Figure]:
    number = {
        f["ticket_id"]: f["n"]
        for f in facts
        if f["kind"] == "ticket-issued" and f["ticket_id"] in answered.at
    }
    acked = ear.when(list(number.values()))
    took = [acked[n] - answered.at[ticket] for ticket, n in number.items() if n in acked]
    note = (
        f"{len(took):,} tickets answered, then acknowledged after commit; {answered.late} offered late, "
        f"{answered.refused} refused; baseline: the bare broker"
    )
    return [
        figure(
            f"steady_200_{name}",
            percentile(took, percent) * 1000,
            "ms",
            target,
            baseline=percentile(floor, percent) * 1000,
            note=note if name == "p50" else "",
            broken=broken if name == "p50" else (),
        )
        for name, percent, target in TARGETS
    ]
