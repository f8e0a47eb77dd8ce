"""A broker and the lines to it. The client stands in for `aiomqtt.Client` at its seam, nothing else is faked.

Lines have two directions. What is sent into a cut one waits in the sender's kernel, as TCP does, and
arrives late or never. The broker loses, doubles and reorders as the weather says, answers for what it
loses, and after a restart remembers an older copy of what it kept, or nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import aiomqtt

from tests.simulation.loop import Program, VirtualLoop

#: bytes are under way so long at least; equal times would let the heap choose the order
TICK_S = 1e-6


@dataclass(slots=True)
class Weather:
    """What the broker does to messages on their way to a subscriber."""

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay_s: tuple[float, float] = (0.005, 0.05)


@dataclass(slots=True)
class Line:
    """Both directions between one machine and the broker."""

    name: str
    up: bool = True
    down: bool = True


@dataclass(frozen=True, slots=True)
class Topic:
    value: str

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Message:
    topic: Topic
    payload: bytes
    retain: bool


@cache
def matches(pattern: str, topic: str) -> bool:
    """MQTT's `+` stands for one level; nobody here uses `#`."""
    wanted, found = pattern.split("/"), topic.split("/")
    return len(wanted) == len(found) and all(w in ("+", f) for w, f in zip(wanted, found, strict=True))


@dataclass(eq=False, slots=True)
class Connection:
    """One TCP connection as both ends see it."""

    client: "SimClient"
    line: Line
    broker: "Broker"
    client_open: bool = True
    broker_open: bool = True
    subscriptions: list[str] = field(default_factory=list)
    free: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})
    held: dict[bool, list[Callable[[], None]]] = field(default_factory=lambda: {True: [], False: []})
    silent: dict[bool, bool] = field(default_factory=lambda: {True: False, False: False})

    def carry(self, *, up: bool, deliver: Callable[[], None], late: float = 0.0) -> None:
        """Bytes of one direction arrive in order; `late` is what the broker's own disorder adds."""
        if not (self.line.up if up else self.line.down):
            self.held[up].append(deliver)
            return
        broker = self.broker
        at = broker.loop.time() + broker.rng.uniform(*broker.weather.delay_s)
        if late:
            at += late
        else:
            at = self.free[up] = max(at, self.free[up] + TICK_S)
        broker.loop.call_at(at, self._arrive, up, deliver)

    def _arrive(self, up: bool, deliver: Callable[[], None]) -> None:
        if not (self.broker_open if up else self.client_open):
            return
        if not (self.line.up if up else self.line.down):
            self.held[up].append(deliver)
        else:
            deliver()

    def release(self) -> None:
        """The line is whole again: what waited goes on its way, in order."""
        for up in (True, False):
            waiting, self.held[up] = self.held[up], []
            for deliver in waiting:
                self.carry(up=up, deliver=deliver)

    def watch_client(self) -> None:
        """Keepalive as the client sees it: no answer to two pings in a row."""
        if not self.client_open:
            return
        blocked = not (self.line.up and self.line.down)
        reset = not blocked and not self.broker_open
        if reset or (blocked and self.silent[True]):
            self.client.lose(self)
            return
        self.silent[True] = blocked
        self.broker.loop.call_later(self.client.keepalive, self.watch_client)

    def watch_broker(self) -> None:
        """Keepalive as the broker sees it: nothing heard for one and a half."""
        if not self.broker_open:
            return
        blocked = not self.line.up or not self.client_open
        if blocked and self.silent[False]:
            self.broker.drop(self, will=True)
            return
        self.silent[False] = blocked
        self.broker.loop.call_later(self.client.keepalive * 0.75, self.watch_broker)


class Broker:
    """Routes, keeps retained messages, publishes wills. Nothing it says is to be relied on."""

    def __init__(self, loop: VirtualLoop, rng: Random, weather: Weather) -> None:
        self.loop, self.rng, self.weather = loop, rng, weather
        self.up = True
        self.retained: dict[str, bytes] = {}
        self.saved: dict[str, bytes] = {}
        self.connections: list[Connection] = []
        self.carried = self.lost = 0

    def accept(self, connection: Connection) -> None:
        """A second client of one name takes the place of the first."""
        for other in list(self.connections):
            if other.client.identifier == connection.client.identifier:
                self.drop(other, will=self.rng.random() < 0.5)
                other.carry(up=False, deliver=lambda other=other: other.client.lose(other))
        self.connections.append(connection)

    def drop(self, connection: Connection, *, will: bool) -> None:
        """This connection is over for the broker."""
        if not connection.broker_open:
            return
        connection.broker_open = False
        self.connections.remove(connection)
        if will and connection.client.will is not None:
            w = connection.client.will
            self.publish(w.topic, w.payload, retain=bool(w.retain))

    def subscribe(self, connection: Connection, pattern: str) -> None:
        if not connection.broker_open:
            return
        connection.subscriptions.append(pattern)
        for topic, payload in list(self.retained.items()):
            if matches(pattern, topic):
                self._deliver(connection, Message(Topic(topic), payload, retain=True))

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """To everybody who listens, as well as the weather lets."""
        if retain:
            self.retained[topic] = payload
        message = Message(Topic(topic), payload, retain=False)
        for connection in list(self.connections):
            if any(matches(pattern, topic) for pattern in connection.subscriptions):
                self._deliver(connection, message, latest=retain)

    def _deliver(self, connection: Connection, message: Message, *, latest: bool = True) -> None:
        """Of what is retained the latest counts, so even a bad broker keeps its order; nothing else is."""
        weather, rng = self.weather, self.rng
        self.carried += 1
        if weather.loss and rng.random() < weather.loss:
            self.lost += 1
            return
        copies = 2 if weather.duplicate and rng.random() < weather.duplicate else 1
        for _ in range(copies):
            disorder = not latest and weather.reorder and rng.random() < weather.reorder
            late = rng.uniform(0.01, 4.0) if disorder else 0.0
            connection.carry(up=False, late=late, deliver=lambda: connection.client.take(connection, message))

    def crash(self) -> None:
        """Killed: everybody is cut off, no wills are published, nothing under way arrives."""
        self.up = False
        for connection in list(self.connections):
            connection.broker_open = False
            connection.carry(up=False, deliver=lambda c=connection: c.client.lose(c))
        self.connections.clear()

    def restart(self) -> None:
        """Back with what its last save held, be it nothing."""
        self.up = True
        self.retained = dict(self.rng.choice([self.saved, {}, self.retained]))

    def save(self) -> None:
        """Now and then it writes down what it keeps."""
        self.saved = dict(self.retained)

    def healed(self, line: Line) -> None:
        """A line is whole again."""
        for connection in list(self.connections):
            if connection.line is line:
                connection.release()


class SimClient:
    """What `aiomqtt.Client` is to the two files that use it."""

    def __init__(
        self,
        network: Broker,
        line: Line,
        program: Program,
        name: str,
        *,
        will: aiomqtt.Will,
        keepalive: int,
        timeout: float,
    ) -> None:
        self.broker, self.line, self.program = network, line, program
        self.identifier, self.will = name, will
        self.keepalive, self.timeout = keepalive, timeout
        self.connection: Connection | None = None
        self.messages = _Messages()

    async def __aenter__(self) -> "SimClient":
        await asyncio.sleep(self.broker.rng.uniform(0.001, 0.02))
        if not self.broker.up and self.line.up and self.line.down:
            raise aiomqtt.MqttError("Connection refused")
        if not (self.broker.up and self.line.up and self.line.down):
            await asyncio.sleep(self.timeout)
            raise aiomqtt.MqttError("Operation timed out")
        connection = Connection(self, self.line, self.broker)
        self.connection = connection
        self.broker.accept(connection)
        self.broker.loop.call_later(self.keepalive, connection.watch_client)
        self.broker.loop.call_later(self.keepalive * 0.75, connection.watch_broker)
        return self

    async def __aexit__(self, *_: object) -> None:
        connection = self.connection
        if connection is not None and connection.client_open and self.program.alive:
            # A clean end takes the will with it, when the broker hears of it.
            connection.carry(up=True, deliver=lambda: self.broker.drop(connection, will=False))
            connection.client_open = False
        self.messages.end()

    def die(self, *, power: bool) -> None:
        """Its program is killed: the kernel says so for it, unless the whole machine is dark."""
        connection = self.connection
        if connection is None or not connection.client_open:
            return
        connection.client_open = False
        if not power:
            connection.carry(up=True, deliver=lambda: self.broker.drop(connection, will=True))
        else:
            connection.held[True].clear()

    def lose(self, connection: Connection) -> None:
        """The connection broke."""
        if connection.client_open:
            connection.client_open = False
            self.messages.end()

    def take(self, connection: Connection, message: Message) -> None:
        if connection.client_open:
            self.messages.put(message)

    async def subscribe(self, pattern: str, qos: int = 0) -> None:
        connection = self._open()
        await self._ask(lambda: self.broker.subscribe(connection, pattern))

    async def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
        def arrive() -> None:
            self.broker.publish(topic, payload, retain=retain)

        if qos == 0:
            self._open().carry(up=True, deliver=arrive)
        else:
            await self._ask(arrive)

    def _open(self) -> Connection:
        if self.connection is None or not self.connection.client_open:
            raise aiomqtt.MqttError("[code:4] Could not publish message")
        return self.connection

    async def _ask(self, arrive: Callable[[], None]) -> None:
        """There and back; whoever waits too long knows nothing."""
        connection = self._open()
        loop = self.broker.loop
        receipt = loop.create_future()

        def answered() -> None:
            if not receipt.done():
                receipt.set_result(None)

        def there() -> None:
            arrive()
            connection.carry(up=False, deliver=answered)

        def late() -> None:
            if not receipt.done():
                receipt.set_exception(aiomqtt.MqttError("Operation timed out"))

        connection.carry(up=True, deliver=there)
        timer = loop.call_later(self.timeout, late)
        try:
            await receipt
        finally:
            timer.cancel()


class _Messages:
    """The iterator over what has arrived; ends with an error when the connection does."""

    def __init__(self) -> None:
        self._inbox: deque[Message] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False

    def __aiter__(self) -> "_Messages":
        return self

    def __len__(self) -> int:
        return len(self._inbox)

    async def __anext__(self) -> Message:
        while not self._inbox:
            if self._ended:
                raise aiomqtt.MqttError("Disconnected during message iteration")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._inbox.popleft()

    def put(self, message: Message) -> None:
        self._inbox.append(message)
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def client_maker(broker: Broker, line: Line, program: Program, made: list[SimClient]) -> Callable[..., Any]:
    """Takes the arguments of `aiomqtt.Client`."""

    def make(host: str, port: int, **how: Any) -> SimClient:
        client = SimClient(
            broker,
            line,
            program,
            how.get("identifier") or line.name,
            will=how["will"],
            keepalive=how["keepalive"],
            timeout=how["timeout"],
        )
        made[:] = [client]
        return client

    return make
