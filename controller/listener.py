"""MQTT: bytes in to one use case call, messages out. The only file of the controller that knows the client.

Nothing is asked of the broker but QoS 1, retained messages and last wills, over MQTT 5 or 3.1.1.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiomqtt

from controller.stopping import until_one_ends
from controller.use_cases.ports import Arrived, Outgoing
from hall_core.wire.envelope import ControllerState, encode
from hall_core.wire.topics import CONTROLLER, ROOT, Leaf, up_filter

__all__ = ["BrokerSetup", "Listener"]

logger = logging.getLogger(__name__)

#: messages of one transaction at most: people wait no longer than for these
DRAIN = 20
#: messages the client keeps while a transaction runs; beyond, senders repeat
INBOX = 20_000
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 30.0
#: a broker that speaks only MQTT 3.1.1 may not answer an MQTT 5 connect at all: do not wait long at first
FIRST_ANSWER_S, LONGEST_ANSWER_S = 1.5, 10.0
KEEPALIVE_S = 20
#: the client's word for "MQTT 5 only, not given"
UNSET: Literal[3] = 3
STATE_TOPIC = f"{ROOT}/{CONTROLLER}/{Leaf.CONTROLLER_STATE}"

_VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


@dataclass(frozen=True, slots=True)
class BrokerSetup:
    """Where the broker is. `version` is `5`, `3.1.1`, or `auto`: 5 first, the other when refused."""

    url: str
    version: str = "auto"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


class Listener:
    """Keeps one connection, drains what has arrived into `record`, sends what comes back."""

    def __init__(
        self,
        setup: BrokerSetup,
        *,
        epoch: int,
        record: Callable[[Sequence[Arrived]], Awaitable[list[Outgoing]]],
        lost: Callable[[], None],
        jitter: Callable[[], float],
        client: Callable[..., aiomqtt.Client] = aiomqtt.Client,
    ) -> None:
        self._setup, self._epoch, self._record, self._lost = setup, epoch, record, lost
        self._jitter, self._new_client = jitter, client
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue()
        names = list(_VERSIONS) if setup.version == "auto" else [setup.version]
        self._versions = [_VERSIONS[name] for name in names]
        self._answer_s = FIRST_ANSWER_S
        self._up = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def connected(self) -> bool:
        """True while the broker answers."""
        return self._up.is_set()

    async def connection(self) -> None:
        """Until the broker is connected."""
        await self._up.wait()

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send these, in order; while there is no connection they are dropped, for senders repeat."""
        if self.connected:
            for message in messages:
                self._outbox.put_nowait(message)

    def stop(self) -> None:
        """Say goodbye and end `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Connect, and connect again for as long as the program runs."""
        wait_s, told = FIRST_WAIT_S, False
        while not self._stopping.is_set():
            try:
                await self._session()
            except* (aiomqtt.MqttError, OSError) as group:
                if self.connected or not told:
                    what = "lost" if self.connected else "not reached"
                    logger.warning("broker %s url=%s reason=%s", what, self._place(), _first(group))
                wait_s = FIRST_WAIT_S if self.connected else min(wait_s * 2, LONGEST_WAIT_S)
                told = True
                if not self.connected:
                    self._versions.reverse()
                    self._answer_s = min(self._answer_s * 1.5, LONGEST_ANSWER_S)
            if self.connected:
                self._up.clear()
                self._lost()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s * self._jitter()):
                    await self._stopping.wait()

    async def _session(self) -> None:
        """One connection, from birth to loss or goodbye."""
        async with self._client() as client:
            await client.subscribe(up_filter(), qos=1)
            await client.publish(STATE_TOPIC, self._state("online"), qos=1, retain=True)
            while not self._outbox.empty():
                self._outbox.get_nowait()
            self._up.set()
            self._answer_s = client.timeout = LONGEST_ANSWER_S
            logger.info("broker connected url=%s", self._place())
            await until_one_ends(
                ("listener reads", self._read(client)),
                ("listener writes", self._write(client)),
                ("listener goodbye", self._goodbye(client)),
            )

    async def _goodbye(self, client: aiomqtt.Client) -> None:
        await self._stopping.wait()
        await client.publish(STATE_TOPIC, self._state("lost"), qos=1, retain=True)

    async def _read(self, client: aiomqtt.Client) -> None:
        """Whatever has arrived is one batch: the more there is, the fewer the commits."""
        inbox = client.messages
        while True:
            messages = [await anext(inbox)]
            while len(inbox) and len(messages) < DRAIN:
                messages.append(await anext(inbox))
            arrived = [Arrived(m.topic.value, _bytes(m.payload), bool(m.retain)) for m in messages]
            self.send(await self._record(arrived))

    async def _write(self, client: aiomqtt.Client) -> None:
        """Publishes go out together: waiting for each receipt would cost one round trip a message."""
        while True:
            messages = [await self._outbox.get()]
            while not self._outbox.empty() and len(messages) < DRAIN:
                messages.append(self._outbox.get_nowait())
            async with asyncio.TaskGroup() as group:
                for m in messages:
                    group.create_task(
                        client.publish(m.topic, m.payload, qos=m.qos, retain=m.retain), name="publish"
                    )

    def _client(self) -> aiomqtt.Client:
        parts = urlsplit(self._setup.url)
        version = self._versions[0]
        is_v5 = version is aiomqtt.ProtocolVersion.V5
        secure = parts.scheme == "mqtts"
        return self._new_client(
            parts.hostname or "127.0.0.1",
            parts.port or (8883 if secure else 1883),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            protocol=version,
            will=aiomqtt.Will(STATE_TOPIC, self._state("lost"), 1, retain=True),
            keepalive=KEEPALIVE_S,
            # Small messages go out at once: waiting to fill a packet cost 20 ms each way.
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
            timeout=self._answer_s,
            max_queued_incoming_messages=INBOX,
            tls_context=self._tls() if secure else None,
            clean_start=True if is_v5 else UNSET,
            clean_session=None if is_v5 else True,
        )

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._setup.ca)
        if self._setup.cert is not None:
            context.load_cert_chain(self._setup.cert, self._setup.key)
        return context

    def _state(self, state: str) -> bytes:
        return encode(ControllerState.model_validate({"state": state, "epoch": self._epoch}))

    def _place(self) -> str:
        """The broker's address without credentials."""
        parts = urlsplit(self._setup.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}"


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _bytes(payload: object) -> bytes:
    return payload if isinstance(payload, bytes) else str(payload or "").encode()
