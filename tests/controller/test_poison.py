"""A fact that cannot be applied is set aside with an alarm; the facts after it are not held up."""

import json

import pytest

from controller.use_cases.live import rebuild
from controller.use_cases.ports import Arrived
from hall_core.queueing import commands as c
from hall_core.queueing.summary import state_hash
from hall_core.wire.topics import Leaf, topic


@pytest.fixture
async def hall(centre, box):
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    for name in ("t1", "t2", "t3"):
        box.issue(name)
    box.call()
    return box


def sent(box, spoil):
    """The box's next message with its facts as plain JSON, spoilt by the test."""
    body = json.loads(box.facts().payload)
    spoil(body)
    return Arrived(topic(box.agent, Leaf.FACTS), json.dumps(body).encode())


def alarms(centre):
    return [a for a in centre.rows("ALARMS") if a["kind"] == "fact-unreadable"]


def kinds(centre, box):
    rows = [r for r in centre.rows("FACTS") if r["stream"] == box.stream]
    return {r["n"]: r["kind"] for r in rows}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fact: fact.update(kind="ticket-teleported"),
        lambda fact: fact.pop("label"),
        lambda fact: fact.update(number="many"),
        lambda fact: fact.update(at="yesterday"),
        lambda fact: fact.clear(),
    ],
    ids=["a newer kind", "a field is missing", "no number", "no time", "nothing at all"],
)
async def test_a_fact_that_cannot_be_read_is_set_aside_and_the_others_count(centre, hall, spoil):
    n = next(i for i, fact in enumerate(hall.journal, 1) if getattr(fact, "label", "") == "A002")
    (ack,) = await centre.hear(sent(hall, lambda body: spoil(body["facts"][n - 1 - hall.acked])))
    hall.hear(ack)
    assert hall.acked == len(hall.journal), "the stream goes on"
    assert [t["label"] for t in centre.rows("TICKETS")] == ["A001", "A003"]
    (alarm,) = alarms(centre)
    assert alarm["count"] == 1
    assert n in kinds(centre, hall), "what was sent is kept"
    hall.issue("t4")
    await centre.talk(hall, hall.facts())
    assert [t["label"] for t in centre.rows("TICKETS")] == ["A001", "A003", "A004"]


async def test_a_fact_that_does_not_follow_is_set_aside(centre, hall):
    def about_nobody(body):
        called = next(x for x in body["facts"] if x["kind"] == "ticket-called")
        called["ticket_id"] = "nobody"

    (ack,) = await centre.hear(sent(hall, about_nobody))
    hall.hear(ack)
    assert hall.acked == len(hall.journal)
    assert len(alarms(centre)) == 1
    assert {t["state"] for t in centre.rows("TICKETS")} == {"waiting"}


async def test_storage_leads_to_the_same_queue_as_the_wire(centre, hall):
    await centre.hear(sent(hall, lambda body: body["facts"][-1].update(kind="ticket-teleported")))
    live = centre.live.queue(hall.stream)
    stored = centre.database.read_now(lambda tx: rebuild(tx, hall.stream)).queue
    assert live.applied == stored.applied == len(hall.journal)
    assert state_hash(live) == state_hash(stored)


async def test_a_fact_the_database_refuses_is_set_aside_alone(centre, hall):
    """Another box's ticket has this label already: the unique constraint holds, and the hall goes on."""

    def same_label(body):
        issued = [x for x in body["facts"] if x["kind"] == "ticket-issued"]
        issued[1]["label"] = issued[0]["label"]

    (ack,) = await centre.hear(sent(hall, same_label))
    hall.hear(ack)
    assert hall.acked == len(hall.journal)
    assert [t["label"] for t in centre.rows("TICKETS")] == ["A001", "A003"]
    (alarm,) = alarms(centre)
    assert "cannot be stored" in alarm["text_en"]


async def test_a_head_that_cannot_be_read_is_refused_as_before(centre, hall):
    assert await centre.hear(sent(hall, lambda body: body.pop("stream"))) == []
    assert len(centre.rows("QUARANTINE")) == 1
    await centre.talk(hall, hall.facts())
    assert [t["label"] for t in centre.rows("TICKETS")] == ["A001", "A002", "A003"]


async def test_other_halls_in_the_same_batch_are_not_touched(centre, hall, clock):
    from tests.controller.box import Box

    centre.enrol("other")
    other = Box(clock, hall="other", agent="other").open()
    await centre.meet(other)
    other.issue("u1")
    spoilt = sent(hall, lambda body: body["facts"][0].clear())
    await centre.hear(spoilt, other.facts())
    assert {t["hall"] for t in centre.rows("TICKETS")} == {"haitang", "other"}
