"""A subscriber on the measuring process's clock, and the bare broker as a floor."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import aiomqtt

from hall_core.wire.envelope import Ack, decode
from hall_core.wire.topics import Leaf, topic
from simulators.broker import CONTROLLER, HOST, Broker

__all__ = ["FLOOR", "AckEar", "bare_broker_times", "hearing_acks"]

#: an agent that does not exist, and has a login
FLOOR = "bench-floor"


def _client(broker: Broker, user: str, name: str) -> aiomqtt.Client:
    """Logged in as `user`, under a client name of its own."""
    is_v5 = broker.kind == "mosquitto"
    return aiomqtt.Client(
        HOST,
        broker.port,
        identifier=name,
        username=user if is_v5 else None,
        password=broker.passwords[user] if is_v5 else None,
        socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
        protocol=aiomqtt.ProtocolVersion.V5 if is_v5 else aiomqtt.ProtocolVersion.V311,
    )


class AckEar:
    """Acknowledgements of one agent's facts, with the time each was heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, int]] = []
        self._more = asyncio.Event()

    def hear(self, applied: int) -> None:
        """An acknowledgement has arrived."""
        self.heard.append((perf_counter(), applied))
        self._more.set()

    @property
    def applied(self) -> int:
        """How far the controller is."""
        return max((applied for _, applied in self.heard), default=0)

    async def reaches(self, n: int, within_s: float = 20.0) -> bool:
        """Wait until everything up to `n` is acknowledged; False when it takes longer."""
        try:
            async with asyncio.timeout(within_s):
                while self.applied < n:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return False
        return True

    def when(self, numbers: list[int]) -> dict[int, float]:
        """For each fact number the time of the first acknowledgement that covers it."""
        times: dict[int, float] = {}
        waiting = sorted(numbers, reverse=True)
        for at, applied in self.heard:
            while waiting and waiting[-1] <= applied:
                times[waiting.pop()] = at
        return times


@asynccontextmanager
async def hearing_acks(broker: Broker, agent: str) -> AsyncIterator[AckEar]:
    """Listen to the controller's acknowledgements for an agent."""
    ear = AckEar()
    async with _client(broker, agent, "bench-ear") as client, asyncio.TaskGroup() as tasks:
        await client.subscribe(topic(agent, Leaf.FACT_ACK), qos=1)

        async def listen() -> None:
            async for message in client.messages:
                ear.hear(decode(Ack, bytes(message.payload)).applied)

        listening = tasks.create_task(listen(), name="bench.ear")
        try:
            yield ear
        finally:
            listening.cancel()


async def bare_broker_times(broker: Broker, size: int, per_second: float, seconds: float) -> list[float]:
    """Seconds from publish to receipt of messages of this size, QoS 1, one client on each side."""
    times: list[float] = []
    place = topic(FLOOR, Leaf.FACT_ACK)  # where nobody else listens
    count = round(per_second * seconds)
    sent: list[float] = []
    async with _client(broker, CONTROLLER, "bench-out") as out, _client(broker, FLOOR, FLOOR) as into:
        await into.subscribe(place, qos=1)

        async def receive() -> None:
            async for message in into.messages:
                times.append(perf_counter() - sent[int(bytes(message.payload)[:8])])
                if len(times) == count:
                    return

        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(seconds + 20):
            tasks.create_task(receive(), name="bench.floor")
            began = loop.time()
            for n in range(count):
                await asyncio.sleep(max(0.0, began + n / per_second - loop.time()))
                sent.append(perf_counter())
                await out.publish(place, f"{n:08d}".ljust(size).encode(), qos=1)
    return times
