"""MQTT for simulated devices, and only here: each is a client of its own, with its last will."""

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

import aiomqtt

from simulators.device import SimDevice
from simulators.line import Line

__all__ = ["Client", "Letter", "node_of", "shown_address"]

_AGAIN_S, _KEEPALIVE_S, _PATIENCE_S = 0.3, 5, 5.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One message; `retain` leaves it at the broker for whoever comes later."""

    topic: str
    payload: bytes
    retain: bool = False


def node_of(address: str, default: str = "") -> str:
    """The name at the end of an address."""
    return urlsplit(address).path.strip("/") or default


def shown_address(address: str) -> str:
    """The address for pages, without who may enter."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(slots=True)
class Client:
    """A device's connection. `birth` is said after each connect, `will` by the broker when it dies.

    `heard` gets what comes on `topics`; `changed` hears of the link.
    """

    device: SimDevice
    topics: tuple[str, ...]
    birth: Callable[[], tuple[Letter, ...]]
    will: Callable[[], Letter]
    heard: Callable[[str, bytes], None]
    changed: Callable[[bool], None] = lambda _on: None
    _client: aiomqtt.Client | None = None
    _out: "asyncio.Queue[Letter]" = field(default_factory=asyncio.Queue)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _plug: socket.socket | None = None

    def plug_into(self, line: Line) -> None:
        """The client takes the line's place: it dials where a line would listen."""
        line.address = shown_address(line.address)
        line.open, line.run, line.close = self._nothing, self.run, self.cut  # type: ignore[method-assign]

    def say(self, letter: Letter) -> None:
        """Say it as soon as the link carries it; without a link it is never said."""
        if self._client is not None:
            self._out.put_nowait(letter)

    def cut(self) -> None:
        """The cable is pulled: no goodbye, so that the broker says the will."""
        if self._plug is not None:
            try:
                self._plug.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was gone already

    def wake(self) -> None:
        """Look at once whether the device is alive again."""
        self._woken.set()

    async def run(self) -> None:
        """Dial, talk, dial again; until cancelled."""
        parts = urlsplit(self.device.setup.address)
        while True:
            self._woken.clear()
            if not self.device.dead:
                try:
                    await self._talk(parts)
                except* (aiomqtt.MqttError, OSError, TimeoutError):
                    pass  # the broker is not there, or not yet
                finally:
                    self._gone()
            try:
                async with asyncio.timeout(_AGAIN_S):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _talk(self, parts: SplitResult) -> None:
        will = self.will()
        async with aiomqtt.Client(
            parts.hostname or "127.0.0.1",
            parts.port or (8883 if parts.scheme == "mqtts" else 1883),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            identifier=f"sim-{secrets.token_hex(6)}",
            protocol=aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
            keepalive=_KEEPALIVE_S,
            timeout=_PATIENCE_S,
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
            # the machine's own authorities; SSL_CERT_FILE names another
            tls_context=ssl.create_default_context() if parts.scheme == "mqtts" else None,
        ) as client:
            self._plug = client._client.socket()  # type: ignore[assignment] # noqa: SLF001 - to pull the cable
            for topic in self.topics:
                await client.subscribe(topic, qos=1)
            self._client = client
            self.changed(True)
            for letter in self.birth():
                self.say(letter)
            async with asyncio.TaskGroup() as tasks:
                saying = tasks.create_task(self._say_all(client), name=f"{self.device.name}.say")
                try:
                    async for message in client.messages:
                        self.heard(str(message.topic), bytes(message.payload))
                finally:
                    # Python 3.11's wait_for, which the client uses, may forget a cancellation
                    while not saying.done():
                        saying.cancel()
                        await asyncio.wait((saying,), timeout=_AGAIN_S)

    async def _say_all(self, client: aiomqtt.Client) -> None:
        while True:
            letter = await self._out.get()
            await client.publish(letter.topic, letter.payload, qos=1, retain=letter.retain)

    def _gone(self) -> None:
        was_linked, self._client, self._plug = self._client is not None, None, None
        while not self._out.empty():
            self._out.get_nowait()
        if was_linked:
            self.changed(False)

    async def _nothing(self) -> None:
        """Nothing listens here."""
