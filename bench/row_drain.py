"""Ten thousand facts after an outage: from the moment the link stands again to the last acknowledgement.

Real Mosquitto, agent and controller; the agent's link is cut by a relay and 10,000 tickets are given
meanwhile. Baseline: the same bytes through the bare broker, one message after the other.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from time import perf_counter

from bench.figures import Figure, Target, figure
from bench.http_client import HttpClient
from bench.mqtt_ear import bare_broker_times, hearing_acks
from bench.programs import PREFIXES, hall_file, hall_setup
from bench.row_steady_200 import all_facts, wrong
from bench.runner import Run
from bench.street import Street, street

__all__ = ["measure"]

FACTS, TAKERS = 10_000, 8
TARGET = Target(most=2.0)


async def measure(run: Run) -> list[Figure]:
    """Seconds until everything is stored, and what was lost or doubled."""
    folder = run.fresh_folder("drain")
    count = 500 if run.quick else FACTS
    layout = hall_file(folder / "hall.yaml", hall_setup(services=len(PREFIXES)), strips=False)
    options = ("--reconnect-s", "1")
    async with (
        street(folder, folder / "hall.yaml", layout, *options, relayed=True) as place,
        hearing_acks(place.broker, layout.hall.hall) as ear,
    ):
        place.relay.cut()
        run.say(f"{count:,} tickets without a link")
        await _offline(place, count)
        facts = await all_facts(place)
        last, before = facts[-1]["n"], len(ear.heard)
        await run.rest()
        run.say("the link is back")
        place.relay.heal()
        arrived = await ear.reaches(last, within_s=60)
        # From the first word of the controller after the outage: the wait before connecting is jitter.
        began = ear.heard[before][0]
        took = ear.heard[-1][0] - began
        broken = await wrong(place, layout.hall.hall, facts, arrived=arrived)
        size = sum(len(str(fact)) for fact in facts[-100:])
        floor = sum(await bare_broker_times(place.broker, size, 1_000, count / 100 / 1_000))
    note = f"{count:,} facts in {took:.2f} s: {count / took:,.0f}/s, {len(broken)} lost or doubled"
    return [figure("drain_10000", took, "s", TARGET, baseline=floor, note=note, broken=broken)]


async def _offline(place: Street, count: int) -> None:
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await HttpClient.connect(place.agent.url)) for _ in range(TAKERS)
        ]
        numbers = iter(range(count))
        async with asyncio.TaskGroup() as tasks:
            for taker, http in enumerate(clients):
                tasks.create_task(_take(http, numbers), name=f"taker {taker}")


async def _take(http: HttpClient, numbers: Iterator[int]) -> None:
    for n in numbers:
        service = f"service-{PREFIXES[n % len(PREFIXES)].lower()}"
        began = perf_counter()
        answer = await http.post("/api/tickets", {"request_id": f"away-{n}", "service": service})
        if answer.status != 201:
            msg = f"ticket {n} was refused after {perf_counter() - began:.1f} s: {answer.body[:200]!r}"
            raise RuntimeError(msg)
