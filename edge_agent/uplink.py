"""MQTT, and only here: sends the journal from the acknowledged position, applies the controller's wishes.

The broker is only a wire. A fact is delivered when the controller's acknowledgement says so, which
leaves after its commit; until then it stays in the journal and is sent again.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt

from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.hall import Hall
from edge_agent.journal import StoredFact, WishCursor
from edge_agent.settings import AgentSettings
from edge_agent.site import SiteFile
from edge_agent.stopping import attempt, until_one_ends
from hall_core.errors import Refused, StreamGap, WireError
from hall_core.queueing.commands import RetireBox
from hall_core.queueing.summary import state_hash
from hall_core.wire.envelope import (
    BATCH,
    Ack,
    AgentState,
    Birth,
    ControllerState,
    Desired,
    Message,
    Report,
    Telemetry,
    WishBatch,
    decode,
    encode,
)
from hall_core.wire.stream import Sender, fitting, fresh
from hall_core.wire.topics import CONTROLLER, ROOT, Leaf, agent_of, topic

__all__ = ["Identity", "Uplink"]

logger = logging.getLogger(__name__)

#: a link that held for so long was good: the next wait starts small again
GOOD_AFTER_S = 60.0
#: without a first acknowledgement facts go out anyway: the controller may have missed the birth
FIRST_ACK_S = 2.0
TELEMETRY_S = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Under which name this box speaks, and what it runs."""

    agent: str
    version: str


class Uplink:
    """`run` keeps the link; `connected`, `unsynced` and `acked_at` say how it is."""

    client: Callable[..., aiomqtt.Client] = aiomqtt.Client

    def __init__(
        self,
        hall: Hall,
        devices: Devices,
        site: SiteFile,
        settings: AgentSettings,
        *,
        who: Identity,
        jitter: Callable[[], float],
        bell: Bell,
    ) -> None:
        self._hall, self._devices, self._site, self._settings = hall, devices, site, settings
        self._who = who
        self._jitter = jitter
        left = hall.journal.left
        acked = left.first - 1 if left else hall.journal.acked
        self._sender = Sender(acked=acked, sent=acked)
        self._acks = Bell()
        self._old_mqtt = settings.mqtt == "3.1.1"
        self._version_known = settings.mqtt != "auto"
        self._linked = self._controller = False
        self.bell = Bell(also=bell)
        self.acked_at: datetime | None = None

    @property
    def connected(self) -> bool:
        """True while the link and the controller behind it are there."""
        return self._linked and self._controller

    @property
    def unsynced(self) -> int:
        """Facts the controller has not confirmed."""
        journal = self._hall.journal
        return self._last() - self._sender.acked + (journal.last if journal.left else 0)

    @property
    def _over(self) -> bool:
        """True when this box was replaced and has told everything."""
        return self._hall.queue.retired and self.unsynced == 0

    async def run(self) -> None:
        """Connect, serve, reconnect with full jitter; until this box is replaced and has told everything."""
        tries = 0
        while not self._over:
            began = self._hall.clock.monotonic()
            try:
                await attempt(self._session(), "uplink.session")
            except* (aiomqtt.MqttError, OSError) as group:
                if self._linked or tries == 0:
                    logger.warning("uplink lost reason=%s", group.exceptions[0])
                if not self._version_known:
                    # A broker of MQTT 3.1.1 does not answer an MQTT 5 connect: take turns.
                    self._old_mqtt = not self._old_mqtt
            finally:
                self._set_link(linked=False, controller=False)
            held = self._hall.clock.monotonic() - began
            tries = 1 if held > GOOD_AFTER_S else tries + 1
            longest = min(self._settings.reconnect_s, 2.0 ** min(tries, 6) / 2)
            await asyncio.sleep(longest * self._jitter())

    async def _session(self) -> None:
        async with self._client() as client:
            self._set_link(linked=True, controller=self._controller)
            self._version_known = True
            logger.info("uplink connected")
            for leaf in (Leaf.FACT_ACK, Leaf.WISHES):
                await client.subscribe(topic(self._who.agent, leaf), qos=1)
            await client.subscribe(topic(self._who.agent, Leaf.DESIRED, "+"), qos=1)
            await client.subscribe(f"{ROOT}/{CONTROLLER}/{Leaf.CONTROLLER_STATE}", qos=1)
            await self._say(
                client, Leaf.STATE, AgentState(state="online", boot=self._hall.journal.boot), retain=True
            )
            await self._say(client, Leaf.BIRTH, self._birth(), retain=True)
            try:
                await self._serve(client)
            except asyncio.CancelledError:
                # A clean end suppresses the last will: say goodbye ourselves.
                with suppress(TimeoutError, aiomqtt.MqttError):
                    async with asyncio.timeout(1):
                        stopped = AgentState(state="stopped", boot=self._hall.journal.boot)
                        await self._say(client, Leaf.STATE, stopped, retain=True)
                raise

    async def _serve(self, client: aiomqtt.Client) -> None:
        await until_one_ends(
            ("uplink.send", self._send(client)),
            ("uplink.repeat", self._repeat(client)),
            ("uplink.report", self._report(client)),
            ("uplink.telemetry", self._measure(client)),
            ("uplink.hear", self._listen(client)),
        )

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            await self._hear(client, str(message.topic), bytes(message.payload))
            if self._over:
                return

    def _client(self) -> aiomqtt.Client:
        parts = urlsplit(self._settings.broker or "")
        will = AgentState(state="lost", boot=self._hall.journal.boot)
        return self.client(
            parts.hostname or "127.0.0.1",
            parts.port or (8883 if parts.scheme == "mqtts" else 1883),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            identifier=self._who.agent,
            protocol=aiomqtt.ProtocolVersion.V311 if self._old_mqtt else aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(topic(self._who.agent, Leaf.STATE), encode(will), qos=1, retain=True),
            keepalive=self._settings.keepalive_s,
            timeout=5,
            # Small messages go out at once: waiting to fill a packet cost 20 ms each way.
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
            tls_context=self._tls() if parts.scheme == "mqtts" else None,
        )

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._settings.broker_ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._settings.broker_cert:
            context.load_cert_chain(self._settings.broker_cert, self._settings.broker_key)
        return context

    def _birth(self) -> Birth:
        journal, setup, wishes = self._hall.journal, self._hall.queue.setup, self._hall.wishes
        assert setup is not None
        # A stream that ended with a lost journal is finished first: this box speaks for it so long.
        left = journal.left
        wishes = left.wishes if left else wishes
        return Birth(
            agent=self._who.agent,
            hall=setup.hall,
            name=setup.name,
            level=setup.level,
            parent=setup.parent,
            incarnation=self._stream(),
            stream=self._stream(),
            last=self._last(),
            wish_stream=wishes.stream if wishes else None,
            wishes_applied=wishes.applied if wishes else 0,
            version=self._who.version,
            boot=left.boot if left else journal.boot,
        )

    def _stream(self) -> str:
        return (self._hall.journal.left or self._hall.journal).stream

    def _last(self) -> int:
        return (self._hall.journal.left or self._hall.journal).last

    def _next(self, count: int) -> list[StoredFact]:
        """The next facts to send. Raises nothing: facts that were removed long ago are not skipped over."""
        journal, sent = self._hall.journal, self._sender.sent
        found = (journal.read_left if journal.left else journal.read)(sent, count) if count else []
        if found and found[0].n != sent + 1:
            logger.error("facts %s to %s are not kept any more", sent + 1, found[0].n - 1)
            return []
        return found[: fitting(len(fact.body) for fact in found)]

    async def _finish_left(self, client: aiomqtt.Client) -> None:
        """The centre has all of the lost stream: from now on this box speaks for its own."""
        journal = self._hall.journal
        if journal.left and self._sender.acked >= journal.left.last:
            await self._hall.on_disk(journal.forget_left)
            journal.left = None
            self._sender = Sender(acked=journal.acked, sent=journal.acked)
            await self._say(client, Leaf.BIRTH, self._birth(), retain=True)
            self._acks.ring()

    async def _say(
        self, client: aiomqtt.Client, leaf: Leaf, message: Message, *, retain: bool = False
    ) -> None:
        await client.publish(topic(self._who.agent, leaf), encode(message), qos=1, retain=retain)

    async def _send(self, client: aiomqtt.Client) -> None:
        """Facts after the acknowledged position, as many as the window allows."""
        self._sender.resend()
        seen_acks = self._acks.count
        try:
            async with asyncio.timeout(FIRST_ACK_S):
                await self._acks.wait_past(seen_acks)
        except TimeoutError:
            pass
        while True:
            rung, acks = self._hall.bell.count, self._acks.count
            count = min(BATCH, self._sender.room())
            batch = self._next(count)
            if batch:
                self._sender.sent = batch[-1].n
                await client.publish(topic(self._who.agent, Leaf.FACTS), self._pack(batch), qos=1)
            elif count:
                await self._either(self._hall.bell.wait_past(rung), self._acks.wait_past(acks))
            else:
                await self._acks.wait_past(acks)

    @staticmethod
    async def _either(*waits: Coroutine[Any, Any, int]) -> None:
        """Until the first of these is done."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(w, name="uplink.wait") for w in waits]
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                task.cancel()

    def _pack(self, batch: list[StoredFact]) -> bytes:
        # Facts travel exactly as they lie in the journal: no decoding, no encoding.
        assert self._hall.queue.setup is not None
        head = (
            f'{{"v":1,"hall":"{self._hall.queue.setup.hall}","stream":"{self._stream()}",'
            f'"first":{batch[0].n},"facts":['
        )
        return (head + ",".join(f.body for f in batch) + "]}").encode()

    async def _repeat(self, client: aiomqtt.Client) -> None:
        """Say again what stays unacknowledged, the birth too: facts of a box nobody knows are refused."""
        while True:
            acks, waiting = self._acks.count, self._sender.sent > self._sender.acked
            await asyncio.sleep(self._settings.resend_s)
            if waiting and self._acks.count == acks:
                await self._say(client, Leaf.BIRTH, self._birth(), retain=True)
                self._sender.resend()
                self._acks.ring()

    async def _report(self, client: aiomqtt.Client) -> None:
        """Devices and the state hash, whenever either changed, once a second at most."""
        sent: Report | None = None
        while True:
            rung, devices = self._hall.bell.count, self._devices.bell.count
            queue = self._hall.queue
            assert queue.setup is not None
            report = Report(
                hall=queue.setup.hall,
                stream=self._hall.journal.stream,
                n=queue.applied,
                state_hash=state_hash(queue),
                devices=self._devices.reports(),
            )
            if report != sent:
                await self._say(client, Leaf.REPORT, report, retain=True)
                sent = report
            await asyncio.sleep(1.0)
            await self._either(self._hall.bell.wait_past(rung), self._devices.bell.wait_past(devices))

    async def _measure(self, client: aiomqtt.Client) -> None:
        while True:
            values = {
                "unsynced": float(self.unsynced),
                "tickets": float(len(self._hall.queue.tickets)),
                "facts": float(self._hall.journal.last),
            }
            message = Telemetry(at=self._hall.now().isoformat(), values=values)
            await client.publish(topic(self._who.agent, Leaf.TELEMETRY), encode(message), qos=0)
            await asyncio.sleep(TELEMETRY_S)

    async def _hear(self, client: aiomqtt.Client, full: str, payload: bytes) -> None:
        try:
            _, leaf = agent_of(full)
            if leaf is Leaf.FACT_ACK:
                self._acknowledged(decode(Ack, payload))
                await self._finish_left(client)
            elif leaf is Leaf.WISHES:
                await self._apply(client, decode(WishBatch, payload))
            elif leaf is Leaf.DESIRED and full.endswith("/retired"):
                await self._retire(decode(Desired, payload))
            elif leaf is Leaf.DESIRED and full.endswith("/site"):
                wanted = decode(Desired, payload)
                self._site.take(wanted.rev, wanted.body)
            elif leaf is Leaf.CONTROLLER_STATE:
                state = decode(ControllerState, payload)
                self._set_link(linked=True, controller=state.state == "online")
        except WireError as error:
            logger.warning("message refused topic=%s reason=%s", full, error)

    async def _retire(self, document: Desired) -> None:
        """Another box has this hall: nothing more is given or called here, what happened is still told."""
        mine = self._hall.journal.stream
        named = document.body.get("incarnations")
        if isinstance(named, list) and mine in named and not self._hall.queue.retired:
            logger.warning("this box was replaced: it gives and calls no more numbers")
            await self._hall.handle(RetireBox())

    def _acknowledged(self, ack: Ack) -> None:
        if ack.stream != self._stream():
            logger.warning("acknowledgement of another stream ignored stream=%s", ack.stream)
            return
        left = self._hall.journal.left
        applied = min(ack.applied, left.last) if left else ack.applied
        if not self._sender.acknowledge(applied, self._last()):
            # It did not move: the controller misses something, or was restored from an older copy.
            self._sender.resend(applied)
        if left is None:
            self._hall.journal.acked = self._sender.acked
        self.acked_at = self._hall.now()
        self._set_link(linked=True, controller=True)
        self._acks.ring()
        self.bell.ring()

    async def _apply(self, client: aiomqtt.Client, batch: WishBatch) -> None:
        setup, cursor = self._hall.queue.setup, self._hall.wishes
        if self._hall.journal.left:
            return  # they are for the box that is lost
        if setup is None or batch.hall != setup.hall:
            msg = f"wishes for hall {batch.hall}"
            raise WireError(msg)
        if batch.incarnation not in (None, self._hall.journal.stream):
            msg = f"wishes for another box of this hall, {batch.incarnation}"
            raise WireError(msg)
        applied = cursor.applied if cursor and cursor.stream == batch.stream else 0
        try:
            wishes = fresh(applied, batch.first, batch.wishes)
        except StreamGap as gap:
            logger.info("wishes missing expected=%s got=%s", gap.expected, gap.got)
            wishes = []
        for wish in wishes:
            applied += 1
            try:
                await self._hall.handle(wish, WishCursor(batch.stream, applied))
            except Refused as error:
                if self._hall.wishes != WishCursor(batch.stream, applied):
                    # Nothing was stored, not even the refusal: the wish stays with the controller.
                    applied -= 1
                    break
                # The refusal is a fact already: the controller reads it in the stream.
                logger.info("wish refused kind=%s reason=%s", wish.kind, error.slug)
        await self._say(client, Leaf.WISH_ACK, Ack(stream=batch.stream, applied=applied))

    def _set_link(self, *, linked: bool, controller: bool) -> None:
        if (linked, controller) != (self._linked, self._controller):
            self._linked, self._controller = linked, controller
            self.bell.ring()
