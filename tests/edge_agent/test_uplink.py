"""The uplink against real brokers; the controller's side is played message by message."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiomqtt
import pytest

from edge_agent.bell import Bell
from edge_agent.settings import AgentSettings
from edge_agent.site import SiteFile
from edge_agent.uplink import Identity, Uplink
from hall_core.errors import BoxReplaced
from hall_core.queueing import commands as c
from hall_core.wire.envelope import (
    Ack,
    AgentState,
    Birth,
    ControllerState,
    Desired,
    FactBatch,
    WishBatch,
    decode,
    encode,
)
from hall_core.wire.topics import Leaf, agent_of, topic
from tests.brokers import BOTH, broker_of
from tests.edge_agent.conftest import issue
from tests.local_broker import end

AGENT = "binjiang"
VERSION = {"mosquitto": "5", "embedded": "3.1.1"}


class Controller:
    """Says what a test tells it to and keeps what the agent says."""

    def __init__(self, client):
        self.client = client
        self.heard = deque()
        self.bell = Bell()

    async def listen(self):
        await self.client.subscribe("qh/1/+/up/+", qos=1)
        async for message in self.client.messages:
            _, leaf = agent_of(str(message.topic))
            self.heard.append((leaf, message.payload))
            self.bell.ring()

    async def say(self, leaf, message, document=""):
        retain = leaf is Leaf.DESIRED
        await self.client.publish(topic(AGENT, leaf, document), encode(message), qos=1, retain=retain)

    async def online(self):
        state = encode(ControllerState(state="online", epoch=1))
        await self.client.publish("qh/1/controller/state", state, qos=1, retain=True)

    async def next(self, leaf, kind):
        """The next message on this leaf; others before it are left out."""
        async with asyncio.timeout(10):
            while True:
                while self.heard:
                    found, payload = self.heard.popleft()
                    if found is leaf:
                        return decode(kind, payload)
                await self.bell.wait_past(self.bell.count)


class NoDevices:
    bell = Bell()

    def reports(self):
        return []


@pytest.fixture(params=BOTH)
async def broker(request, tmp_path):
    async with broker_of(request.param, tmp_path, AGENT) as broker:
        yield broker


@asynccontextmanager
async def linked(broker, hall, tmp_path, **options):
    parts = urlsplit(broker.url("controller"))
    site = SiteFile(tmp_path / "site.json", "")
    settings = AgentSettings(
        hall=tmp_path / "hall.yaml",
        data=tmp_path,
        broker=broker.url(AGENT),
        reconnect_s=1,
        mqtt=VERSION[broker.kind],
        **options,
    )
    bell = Bell()
    uplink = Uplink(
        hall, NoDevices(), site, settings, who=Identity(AGENT, "1"), jitter=lambda: 0.1, bell=bell
    )
    async with aiomqtt.Client(
        parts.hostname, parts.port, username=parts.username, password=parts.password
    ) as client:
        controller = Controller(client)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(controller.listen(), name="controller")
            running = tasks.create_task(uplink.run(), name="uplink")
            try:
                yield controller, uplink, site
            finally:
                running.cancel()
                await asyncio.wait([running])
                await end(listening)


async def collect(controller, upto):
    """Facts by number until `upto` is there, as the controller sees them."""
    got = {}
    while upto not in got:
        batch = await controller.next(Leaf.FACTS, FactBatch)
        for offset, fact in enumerate(batch.facts):
            got[batch.first + offset] = fact
    return got


async def test_it_says_who_it_is_and_sends_after_the_acknowledged_fact(broker, hall, tmp_path):
    async with linked(broker, hall, tmp_path) as (controller, uplink, _):
        await controller.online()
        birth = await controller.next(Leaf.BIRTH, Birth)
        assert (birth.hall, birth.stream, birth.last) == ("binjiang", hall.journal.stream, 3)
        await controller.say(Leaf.FACT_ACK, Ack(stream=birth.stream, applied=2))
        facts = await collect(controller, 3)
        assert sorted(facts) == [3]
        await hall.handle(issue(1))
        assert (await collect(controller, 4))[4].label == "A001"
        await controller.say(Leaf.FACT_ACK, Ack(stream=birth.stream, applied=4))
        async with asyncio.timeout(5):
            while uplink.unsynced or not uplink.connected:
                await uplink.bell.wait_past(uplink.bell.count)


async def test_facts_without_an_acknowledgement_are_sent_again(broker, hall, tmp_path):
    async with linked(broker, hall, tmp_path, resend_s=0.2) as (controller, uplink, _):
        birth = await controller.next(Leaf.BIRTH, Birth)
        await controller.say(Leaf.FACT_ACK, Ack(stream=birth.stream, applied=0))
        await collect(controller, 3)
        assert sorted(await collect(controller, 3)) == [1, 2, 3]
        assert uplink.unsynced == 3


async def test_an_acknowledgement_that_stands_still_asks_for_everything_after_it(broker, hall, tmp_path):
    async with linked(broker, hall, tmp_path) as (controller, _, _):
        birth = await controller.next(Leaf.BIRTH, Birth)
        await controller.say(Leaf.FACT_ACK, Ack(stream=birth.stream, applied=1))
        await collect(controller, 3)
        await controller.say(Leaf.FACT_ACK, Ack(stream=birth.stream, applied=1))
        assert sorted(await collect(controller, 3)) == [2, 3]


async def test_wishes_are_applied_once_and_acknowledged_up_to_where_they_are_stored(broker, hall, tmp_path):
    wishes = [
        c.IssueTicket(request_id="w1", ticket_id="o1", token="k", service="social", channel="web"),
        c.IssueTicket(request_id="w2", ticket_id="o2", token="k", service="marriage", channel="web"),
    ]
    async with linked(broker, hall, tmp_path) as (controller, _, _):
        birth = await controller.next(Leaf.BIRTH, Birth)
        await controller.say(Leaf.FACT_ACK, Ack(stream=birth.stream, applied=3))
        batch = WishBatch(hall="binjiang", stream="C1", first=1, wishes=wishes)
        for _ in range(2):
            await controller.say(Leaf.WISHES, batch)
            assert await controller.next(Leaf.WISH_ACK, Ack) == Ack(stream="C1", applied=2)
        assert [t.label for t in hall.queue.tickets.values()] == ["A001"]
        kinds = [f.kind for f in (await _facts_after(hall, 3))]
        assert kinds == ["ticket-issued", "wish-refused"]


async def test_wishes_for_another_hall_or_after_a_gap_change_nothing(broker, hall, tmp_path):
    wish = c.IssueTicket(request_id="w1", ticket_id="o1", token="k", service="social", channel="web")
    async with linked(broker, hall, tmp_path) as (controller, _, _):
        await controller.next(Leaf.BIRTH, Birth)
        foreign = WishBatch(hall="elsewhere", stream="C1", first=1, wishes=[wish])
        await controller.say(Leaf.WISHES, foreign)
        gap = WishBatch(hall="binjiang", stream="C1", first=2, wishes=[wish])
        await controller.say(Leaf.WISHES, gap)
        assert await controller.next(Leaf.WISH_ACK, Ack) == Ack(stream="C1", applied=0)
        assert hall.queue.tickets == {}


async def test_malformed_messages_are_refused_and_the_link_goes_on(broker, hall, tmp_path):
    async with linked(broker, hall, tmp_path) as (controller, _, site):
        await controller.next(Leaf.BIRTH, Birth)
        for payload in (b"\xff\x00", b"{}", b'{"v":2}', b"[" * 5000):
            await controller.client.publish(topic(AGENT, Leaf.WISHES), payload, qos=1)
        body = {"phone_key": "AAAA", "public_url": "http://hall.example"}
        await controller.say(Leaf.DESIRED, Desired(rev=1, body=body), "site")
        gap = WishBatch(hall="binjiang", stream="C1", first=9, wishes=[c.OpenCounter(counter="1")])
        await controller.say(Leaf.WISHES, gap)
        await controller.next(Leaf.WISH_ACK, Ack)
        assert site.ticket_url("k") == "http://hall.example/t/k"


async def test_a_clean_stop_says_stopped(broker, hall, tmp_path):
    async with linked(broker, hall, tmp_path) as (controller, _uplink, _):
        await controller.next(Leaf.BIRTH, Birth)
    said = [decode(AgentState, p).state for leaf, p in controller.heard if leaf is Leaf.STATE]
    assert said[-1] == "stopped"


async def _facts_after(hall, n):
    from hall_core.queueing.facts import fact_adapter

    return [fact_adapter.validate_json(f.body) for f in hall.journal.read(n, 100)]


async def test_a_box_that_was_replaced_tells_everything_and_leaves(broker, hall, tmp_path):
    async with linked(broker, hall, tmp_path) as (controller, uplink, _):
        await controller.online()
        await controller.next(Leaf.BIRTH, Birth)
        others = Desired(rev=1, body={"incarnations": ["another-box"]})
        await controller.say(Leaf.DESIRED, others, "retired")
        await controller.say(Leaf.FACT_ACK, Ack(stream=hall.journal.stream, applied=0))
        await collect(controller, hall.journal.last)
        assert not hall.queue.retired, "another one is meant"
        this = Desired(rev=2, body={"incarnations": ["another-box", hall.journal.stream]})
        await controller.say(Leaf.DESIRED, this, "retired")
        async with asyncio.timeout(10):
            while not hall.queue.retired:
                await hall.bell.wait_past(hall.bell.count)
        with pytest.raises(BoxReplaced):
            await hall.handle(issue(1))
        last = hall.journal.last
        await collect(controller, last)
        await controller.say(Leaf.FACT_ACK, Ack(stream=hall.journal.stream, applied=last))
        async with asyncio.timeout(10):
            while uplink.connected or uplink.unsynced:
                await uplink.bell.wait_past(uplink.bell.count)
