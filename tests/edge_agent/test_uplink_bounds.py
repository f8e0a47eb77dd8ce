"""What the uplink sends is bounded: in a message, under way, in a minute; and so is what nobody can hear."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count, pairwise

import aiomqtt
import pytest
from pydantic import ValidationError

from edge_agent.bell import Bell
from edge_agent.settings import AgentSettings
from edge_agent.site import SiteFile
from edge_agent.uplink import GOOD_AFTER_S, TELEMETRY_S, Identity, Uplink
from hall_core.queueing import commands as c
from hall_core.wire.envelope import MAX_BYTES, FactBatch, decode
from hall_core.wire.stream import Sender
from hall_core.wire.topics import Leaf, agent_of
from tests.edge_agent.conftest import issue, running
from tests.simulation.loop import virtual_loop

AGENT = "binjiang"
WINDOW = Sender().window


class Wire:
    """A broker that takes everything and answers what a test puts into it; or one that is not there."""

    def __init__(self, loop, *, there=True):
        self.loop, self.there = loop, there
        self.tries, self.said, self.how = [], [], {}
        self.heard, self.bell, self.broken = [], Bell(), False

    def __call__(self, *_, **how):
        self.how = how
        return self

    async def __aenter__(self):
        self.tries.append(self.loop.time())
        if not self.there:
            raise aiomqtt.MqttError("nobody is there")
        return self

    async def __aexit__(self, *_):
        pass

    async def subscribe(self, *_, **__):
        pass

    async def publish(self, place, payload, qos=0, retain=False):
        self.said.append((self.loop.time(), agent_of(place)[1], payload, qos))
        self.bell.ring()

    @property
    async def messages(self):
        while True:
            rung = self.bell.count
            while self.heard:
                yield self.heard.pop(0)
            await self.bell.wait_past(rung)
            if self.broken:
                raise aiomqtt.MqttError("the link is gone")

    def break_off(self):
        self.broken = True
        self.bell.ring()

    def sent(self, leaf):
        return [(at, payload, qos) for at, found, payload, qos in self.said if found is leaf]

    def numbers(self):
        """Every fact that was sent, again and again counted."""
        found = []
        for _, payload, _ in self.sent(Leaf.FACTS):
            batch = decode(FactBatch, payload)
            found += range(batch.first, batch.first + len(batch.facts))
        return found


class NoDevices:
    def __init__(self):
        self.bell = Bell()

    def reports(self):
        return []


@asynccontextmanager
async def uplink_of(hall, wire, tmp_path, jitter):
    settings = AgentSettings(hall=tmp_path, data=tmp_path, broker="mqtt://127.0.0.1:1", mqtt="5")
    site, who = SiteFile(tmp_path / "site.json", ""), Identity(AGENT, "1")
    uplink = Uplink(hall, NoDevices(), site, settings, who=who, jitter=jitter, bell=Bell())
    uplink.client = wire
    task = wire.loop.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        await asyncio.wait((task,))


@pytest.fixture
def scene(journal_path, clock, setup, tmp_path):
    """`scene(play, jitter, there)`: `play(hall, wire, uplink)` in time that is only a number."""

    def run(play, *, jitter=lambda: 1.0, there=True):
        async def main(wire):
            async with (
                running(journal_path, clock, setup) as hall,
                uplink_of(hall, wire, tmp_path, jitter) as uplink,
            ):
                await play(hall, wire, uplink)

        with virtual_loop() as loop:
            wire = Wire(loop, there=there)
            loop.run_until_complete(main(wire))
        return wire

    return run


async def seconds(loop, number):
    """So long, on the scene's own clock."""
    passed = loop.create_future()
    loop.call_later(number, passed.set_result, None)
    await passed


# -- reconnecting ----------------------------------------------------------------------------------------


async def nobody_answers(_, wire, __):
    await seconds(wire.loop, 300)


def test_waits_between_tries_grow_to_the_longest_and_stay_there(scene):
    wire = scene(nobody_answers, jitter=lambda: 1.0, there=False)
    waits = [later - earlier for earlier, later in pairwise(wire.tries)]
    assert waits[:8] == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30])


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_each_wait_is_any_part_of_the_longest_so_that_halls_do_not_come_all_at_once(scene, share):
    # Chance is all of the wait, not an addition to it; the first share lets the test's time go on.
    shares = (1.0 if n % 2 else share for n in count())
    wire = scene(nobody_answers, jitter=lambda: next(shares), there=False)
    waits = [later - earlier for earlier, later in pairwise(wire.tries)]
    assert waits[:6] == pytest.approx([1 * share, 2, 4 * share, 8, 16 * share, 30])


def test_a_link_that_held_begins_with_short_waits_again(scene):
    async def play(hall, wire, uplink):
        wire.there = False
        await seconds(wire.loop, 120)
        wire.there = True
        await seconds(wire.loop, GOOD_AFTER_S + 60)
        hall.clock.advance(GOOD_AFTER_S + 1)
        wire.there = False
        wire.break_off()
        await seconds(wire.loop, 10)

    wire = scene(play)
    waits = [later - earlier for earlier, later in pairwise(wire.tries)]
    assert waits[-2:] == pytest.approx([2, 4])


def test_dead_links_are_noticed_within_half_a_minute(scene, tmp_path):
    wire = scene(nobody_answers, there=False)
    assert wire.how["keepalive"] == 20
    with pytest.raises(ValidationError):
        AgentSettings(hall=tmp_path, data=tmp_path, keepalive_s=31)


# -- sending ---------------------------------------------------------------------------------------------


async def a_crowd(hall, number, **more):
    for n in range(number):
        await hall.handle(issue(n, service="household" if n % 2 else "social", **more))


def test_without_acknowledgements_no_more_than_the_window_is_under_way_and_it_is_repeated_slowly(scene):
    async def play(hall, wire, uplink):
        await a_crowd(hall, 1_900)
        for _ in range(100):
            await hall.handle(c.OpenCounter(counter="1"))
            await hall.handle(c.CloseCounter(counter="1"))
        assert hall.journal.last > WINDOW
        await seconds(wire.loop, 61)

    wire = scene(play)
    sent = wire.numbers()
    assert max(sent) == WINDOW
    assert len(sent) <= WINDOW * 7, "at most once in ten seconds each"


def test_a_message_of_large_facts_stays_far_below_the_largest_message(scene):
    async def play(hall, wire, uplink):
        await a_crowd(hall, 150, phone_sealed="x" * 8_000)
        await seconds(wire.loop, 5)

    wire = scene(play)
    sizes = [len(payload) for _, payload, _ in wire.sent(Leaf.FACTS)]
    assert wire.numbers() == list(range(1, 154))
    assert max(sizes) <= MAX_BYTES / 2


def test_what_is_only_measured_is_not_kept_for_later(scene):
    async def play(hall, wire, uplink):
        wire.there = False
        await seconds(wire.loop, 3600)
        wire.there = True
        await seconds(wire.loop, TELEMETRY_S + 10)

    wire = scene(play)
    measured = [(at, qos) for at, _, qos in wire.sent(Leaf.TELEMETRY)]
    assert {qos for _, qos in measured} == {0}
    assert len([at for at, _ in measured if at > 3600]) <= 3, "an hour of them was dropped"
    assert {qos for _, _, qos in wire.sent(Leaf.FACTS)} == {1}
