"""A thousand halls come back at once: the broker was away, and everybody has something to tell.

The halls are light: MQTT connections that say birth and send the facts of the outage until they are
acknowledged, as boxes do. Broker and controller are real. Nothing may be lost or doubled.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import aiomqtt
from sqlalchemy import func, select

from bench.days import HallDay
from bench.figures import Figure, Target, figure, percentile
from bench.runner import Run
from controller.store import halls as hall_store
from controller.store.database import Database, Tx
from controller.store.tables import FACTS
from hall_core.clock import SystemClock
from hall_core.wire.envelope import Ack, AgentState, decode, encode
from hall_core.wire.topics import Leaf, topic
from simulators.broker import HOST, Broker, Kind, find_mosquitto, open_broker
from simulators.demo_programs import Programs, console_script

__all__ = ["measure"]

HALLS, FACTS_EACH = 1_000, 30
TARGET = Target(most=60)
#: boxes come back with full jitter; a light hall waits so long at most before its first try
JITTER_S = 10.0


async def measure(run: Run) -> list[Figure]:
    """Seconds until the last hall is back and everything it had to tell is stored."""
    folder = run.fresh_folder("storm")
    halls = 50 if run.quick else HALLS
    run.say(f"{halls:,} halls live a morning")
    days = [HallDay.lived(number, FACTS_EACH) for number in range(halls)]
    database = f"sqlite:///{folder / 'controller' / 'controller.db'}"
    _enrol(folder / "controller", database, days)
    async with Programs(folder / "logs") as programs:
        kind: Kind | None = "mosquitto" if find_mosquitto() else None
        users = tuple(day.setup.hall for day in days)
        broker = await open_broker(kind, folder=folder / "broker", users=users, programs=programs)
        argv = [console_script("hall-controller"), "run", "--data", str(folder / "controller"), "--port", "0"]
        program = await programs.start("controller", [*argv, "--broker", broker.url("controller")])
        await programs.ready(program)
        run.say(f"{halls:,} halls come back")
        began = perf_counter()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_return(broker, day), name=day.setup.hall) for day in days]
        took = [task.result() - began for task in running]
    broken = _wrong(database, days)
    rate = sum(len(day.bodies) for day in days) / max(took)
    note = (
        f"{halls:,} halls with {FACTS_EACH} facts each; half were done after {percentile(took, 50):.1f} s; "
        f"{rate:,.0f} facts/s; waits before connecting up to {JITTER_S:.0f} s are in it"
    )
    return [figure("storm_1000", max(took), "s", TARGET, note=note, broken=broken)]


def _enrol(folder: Path, url: str, days: list[HallDay]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    database, now = Database.open(url), SystemClock().now()

    def work(tx: Tx) -> None:
        for day in days:
            hall = day.setup
            row: dict[str, Any] = {
                "hall": hall.hall,
                "agent": hall.hall,
                "name": hall.name,
                "level": hall.level,
            }
            hall_store.enrol(tx, {**row, "parent": None, "enrolled_at": now})

    try:
        database.write_now(work)
    finally:
        database.close()


async def _return(broker: Broker, day: HallDay) -> float:
    """One hall: it waits its turn, connects, tells everything, hears that it is stored."""
    agent = day.setup.hall
    await asyncio.sleep(random.random() * JITTER_S)
    while True:
        try:
            async with _connected(broker, agent) as client:
                await _tell(client, agent, day)
                return perf_counter()
        except (aiomqtt.MqttError, TimeoutError):
            await asyncio.sleep(1 + random.random() * 4)


async def _tell(client: aiomqtt.Client, agent: str, day: HallDay) -> None:
    await client.subscribe(topic(agent, Leaf.FACT_ACK), qos=1)
    await client.publish(topic(agent, Leaf.STATE), encode(AgentState(state="online", boot=1)), qos=1)
    await client.publish(topic(agent, Leaf.BIRTH), encode(day.birth()), qos=1)
    async with asyncio.timeout(30):
        async for message in client.messages:
            applied = decode(Ack, bytes(message.payload)).applied
            if applied >= len(day.bodies):
                return
            for payload in _from(day, applied):
                await client.publish(topic(agent, Leaf.FACTS), payload, qos=1)


def _from(day: HallDay, applied: int) -> Iterator[bytes]:
    """The messages that are not acknowledged."""
    for message in day.messages():
        if message.first + len(message.bodies) > applied + 1:
            yield message.payload


@asynccontextmanager
async def _connected(broker: Broker, agent: str) -> AsyncIterator[aiomqtt.Client]:
    is_v5 = broker.kind == "mosquitto"
    client = aiomqtt.Client(
        HOST,
        broker.port,
        identifier=agent,
        username=agent if is_v5 else None,
        password=broker.passwords[agent] if is_v5 else None,
        timeout=20,
        socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
        protocol=aiomqtt.ProtocolVersion.V5 if is_v5 else aiomqtt.ProtocolVersion.V311,
    )
    async with client:
        yield client


def _wrong(url: str, days: list[HallDay]) -> list[str]:
    """Sentences about facts that are not stored, or not once."""
    database = Database.open(url)

    def count(tx: Tx) -> dict[str, int]:
        query = select(FACTS.c.hall, func.count()).group_by(FACTS.c.hall)
        return {row[0]: int(row[1]) for row in tx.execute(query)}

    try:
        stored = database.read_now(count)
    finally:
        database.close()
    wrong = [d for d in days if stored.get(d.setup.hall) != len(d.bodies)]
    return [
        f"{d.setup.hall}: {len(d.bodies)} facts told, {stored.get(d.setup.hall, 0)} stored" for d in wrong
    ]
