"""MQTT, and only here: one session with a broker, shared by all devices that are reached over it.

Nothing is kept for who is away: sessions are clean, so that no old command waits at the broker for
anybody. Who listens hears the retained messages again after every reconnect.
"""

import asyncio
import logging
import random
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device_drivers.bus.address import Address
from device_drivers.bus.tap import Note
from device_drivers.bus.trust import authorities, why_not
from hall_core.clock import Clock
from hall_core.errors import DeviceUnreachable

__all__ = ["Heard", "MqttSession", "Will"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: a silent client is gone after one and a half of this: so long a dead box may look alive
KEEPALIVE_S = 5
CONNECT_S = 5.0
#: a broker of the hall is near: the longest wait between two tries to connect
LONGEST_WAIT_S = 5.0
GOOD_AFTER_S = 60.0
GOODBYE_S = 2.0
#: from here on a reason code says no
_REFUSED = 0x80


@dataclass(frozen=True, slots=True)
class Heard:
    """One message. `retained` ones were said before we listened: nobody knows when."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says, and keeps, when this side dies."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Listener:
    filters: tuple[str, ...]
    hear: Callable[[Heard], None]
    lost: Callable[[], None]


class MqttSession:
    """`serve` keeps the link for ever. `links` rises with each new one.

    With mqtts the broker's certificate must be `trusted`, else by the machine's own authorities. `tap` hears
    what is published here and what somebody here listens to, each message once.
    """

    def __init__(
        self,
        address: Address,
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
        will: Will | None = None,
        trusted: ssl.SSLContext | None = None,
        tap: Note | None = None,
    ) -> None:
        self.address, self.links = address, 0
        self._trusted = (trusted or authorities(None)) if address.scheme == "mqtts" else None
        self._why = why_not(address, None)
        self._clock, self._jitter, self._will, self._tap = clock, jitter, will, tap
        # one name for all links: a new one ends what is left of the old one at once
        self._identifier = f"quiethall-{secrets.token_hex(6)}"
        self._client: aiomqtt.Client | None = None
        self._listeners: list[_Listener] = []
        self._linked, self._news = asyncio.Event(), asyncio.Event()
        self._old_mqtt = self._version_known = False

    @property
    def connected(self) -> bool:
        """True while messages go out and come in."""
        return self._client is not None

    async def until_linked(self, within_s: float | None = None) -> int:
        """Wait for the link; its number. Raises DeviceUnreachable after `within_s`."""
        try:
            async with asyncio.timeout(within_s):
                await self._linked.wait()
        except TimeoutError as error:
            raise self._away() from error
        return self.links

    async def next_link(self, past: int) -> int:
        """Wait for a link newer than number `past`; its number."""
        while self.links <= past or not self.connected:
            await self._news.wait()
        return self.links

    @asynccontextmanager
    async def listening(
        self,
        filters: Sequence[str],
        hear: Callable[[Heard], None],
        lost: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[None]:
        """Hear what is said on these topics, also after a reconnect, from here to the end of the block.

        `lost` hears that the link went. Neither may wait. Raises DeviceUnreachable.
        """
        listener = _Listener(tuple(filters), hear, lost)
        self._listeners.append(listener)
        try:
            if self._client is not None:
                await self._subscribe(self._client, listener.filters)
            yield
        finally:
            self._listeners.remove(listener)
            await self._unsubscribe(listener.filters)

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        within_s: float,
        retain: bool = False,
        expiry_s: float | None = None,
    ) -> None:
        """Say it and wait for the broker's acknowledgement. Never queued for later.

        With `expiry_s` an MQTT 5 broker drops what it could not pass on by then. Raises DeviceUnreachable.
        """
        client = self._client
        if client is None:
            raise self._away()
        properties = None
        if expiry_s is not None and not self._old_mqtt:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, round(expiry_s))
        if self._tap:
            self._tap(">", payload, topic)
        try:
            async with asyncio.timeout(within_s + 1):
                said = client.publish(topic, payload, 1, retain, properties, timeout=within_s)
                await _surely(said, f"mqtt.{self.address}.publish")
        except (aiomqtt.MqttError, TimeoutError, OSError) as error:
            raise DeviceUnreachable(f"{self.address} 没有确认消息 ({error})") from error

    async def serve(self) -> None:
        """Connect, listen, reconnect with full jitter; for ever."""
        tries = 0
        while True:
            began = self._clock.monotonic()
            try:
                await _surely(self._session(), f"mqtt.{self.address}.session")
            except (aiomqtt.MqttError, OSError) as error:
                told, self._why = self._why, why_not(self.address, error)
                if self._client is not None or tries == 0 or self._why != told:
                    logger.warning("broker lost reason=%s error=%s", self._why, error)
                if not self._version_known:
                    # A broker that speaks only MQTT 3.1.1 does not answer an MQTT 5 connect: take turns
                    # until one has worked.
                    self._old_mqtt = not self._old_mqtt
            finally:
                self._end()
            tries = 1 if self._clock.monotonic() - began > GOOD_AFTER_S else tries + 1
            await asyncio.sleep(min(LONGEST_WAIT_S, 2.0 ** min(tries, 6) / 4) * self._jitter())

    async def _session(self) -> None:
        async with self._new_client() as client:
            self._version_known = True
            asked: set[_Listener] = set()
            while new := [listener for listener in self._listeners if listener not in asked]:
                for listener in new:
                    await self._subscribe(client, listener.filters)
                asked.update(new)
            self._client, self._why = client, why_not(self.address, None)
            self.links += 1
            self._linked.set()
            news, self._news = self._news, asyncio.Event()
            news.set()
            logger.info("broker connected address=%s", self.address)
            async for message in client.messages:
                heard = Heard(str(message.topic), bytes(message.payload), message.retain)
                listeners = [
                    one for one in self._listeners if any(message.topic.matches(p) for p in one.filters)
                ]
                if self._tap and listeners:
                    self._tap("<", heard.payload, heard.topic)
                for listener in listeners:
                    listener.hear(heard)

    def _end(self) -> None:
        self._linked.clear()
        was_linked, self._client = self._client is not None, None
        for listener in [*self._listeners] if was_linked else ():
            listener.lost()

    async def _subscribe(self, client: aiomqtt.Client, filters: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                asked = client.subscribe([(pattern, 1) for pattern in filters])
                codes = await _surely(asked, f"mqtt.{self.address}.subscribe")
        except (aiomqtt.MqttError, TimeoutError) as error:
            if client is self._client:
                raise DeviceUnreachable(f"{self.address} 订阅失败 ({error})") from error
            raise aiomqtt.MqttError(str(error)) from error
        for pattern, code in zip(filters, codes, strict=False):
            number: int = code if isinstance(code, int) else getattr(code, "value", 0)
            if number >= _REFUSED:
                logger.warning(
                    "broker refused topic=%s address=%s: mend its access list", pattern, self.address
                )

    async def _unsubscribe(self, filters: Sequence[str]) -> None:
        others = {pattern for listener in self._listeners for pattern in listener.filters}
        unused = [pattern for pattern in filters if pattern not in others]
        if self._client is not None and unused:
            with suppress(aiomqtt.MqttError, TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    left = self._client.unsubscribe(unused)
                    await _surely(left, f"mqtt.{self.address}.unsubscribe")

    def _new_client(self) -> aiomqtt.Client:
        will, address = self._will, self.address
        return aiomqtt.Client(
            address.host,
            address.port,
            username=address.user or None,
            password=address.password or None,
            identifier=self._identifier,
            protocol=aiomqtt.ProtocolVersion.V311 if self._old_mqtt else aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True) if will else None,
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_S,
            # Small messages go out at once: waiting to fill a packet would cost 20 ms each way.
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
            tls_context=self._trusted,
        )

    def _away(self) -> DeviceUnreachable:
        return DeviceUnreachable(self._why)


async def _surely(work: Coroutine[Any, Any, T], name: str) -> T:
    """Do it in a task of its own, so that whoever waits for it can be cancelled for sure.

    `asyncio.wait_for` of Python 3.11, which the MQTT client uses, forgets a cancellation that comes at
    the moment its answer does.
    """
    task = asyncio.get_running_loop().create_task(work, name=name)
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        while not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=GOODBYE_S)
        if not task.cancelled():
            task.exception()  # it ended by itself: nobody wants to know any more
        raise
    return task.result()
