"""A hall gets another box: who waits is taken over, the old box is told that it is replaced and harms nothing."""

import json

import pytest

from controller.use_cases.replacing import replace_box
from hall_core.queueing import commands as c
from hall_core.queueing.states import TicketState
from hall_core.wire.envelope import MAX_BYTES, DeviceReport
from tests.controller.box import Box


@pytest.fixture
async def old(centre, box):
    """The hall's box: one is at the counter, two wait, all of it told."""
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    for name in ("t1", "t2", "t3"):
        box.issue(name)
    box.call()
    await centre.talk(box, box.facts())
    return box


@pytest.fixture
async def new(centre, old, clock):
    """The box that comes in its place."""
    new = Box(clock, life="two").open()
    await centre.talk(new, new.state(), new.birth())
    return new


def retired(box):
    """The incarnations the controller has told this box are replaced."""
    bodies = [json.loads(payload)["body"] for payload in box.desired]
    return [body["incarnations"] for body in bodies if "incarnations" in body][-1:]


def tickets(centre):
    return {t["label"]: t["state"] for t in centre.rows("TICKETS")}


async def test_those_who_wait_are_taken_over_with_their_numbers(centre, old, new):
    assert sorted(t.label for t in new.queue.waiting.values()) == ["A001", "A002", "A003"]
    assert new.issue("t4").label == "A1001", "new numbers come from a zone of its own"
    new.do(c.OpenCounter(counter="1"))
    assert new.queue.find("A001").call_no == 0
    assert new.call().ticket_id == old.queue.find("A001").ticket_id, "who was at the counter is next again"
    await centre.talk(new, new.facts())
    assert tickets(centre) == {"A001": "called", "A002": "waiting", "A003": "waiting", "A1001": "waiting"}


async def test_a_thousand_people_go_to_the_new_box_in_messages_that_fit(centre, box, clock):
    await centre.meet(box)
    for n in range(900):
        box.issue(f"t{n}", phone_sealed="x" * 400)
    while box.acked < len(box.journal):
        await centre.talk(box, box.facts())
    new = Box(clock, life="two").open()
    await centre.hear(new.state(), new.birth())
    messages = await centre.context.sender.due(centre.database)
    assert max(len(message.payload) for message in messages) <= MAX_BYTES / 2
    for message in messages:
        await centre.hear(*new.hear(message))
    assert len(new.queue.waiting) == 900


async def test_a_citizens_link_follows_to_the_new_box(centre, old, new):
    from controller.use_cases.citizen import view

    await centre.talk(new, new.report())
    seen = await view(centre.context, "token-haitang-t3")
    assert (seen["label"], seen["state"], seen["ahead"]) == ("A003", "waiting", 2)


async def test_nobody_is_told_twice_by_message(centre, old, new):
    await centre.talk(new, new.report())
    assert [n["kind"] for n in centre.rows("NOTICES")] == []


async def test_the_old_box_is_told_that_it_is_replaced_and_its_late_facts_change_nothing(centre, old, new):
    old.do(c.Start(counter="1"))
    old.do(c.Finish(counter="1"))
    late = old.issue("t9")
    await centre.talk(old, old.state(), old.birth())
    assert retired(old) == [[old.incarnation]]
    assert old.acked == len(old.journal), "what it says is kept"
    states = tickets(centre)
    assert states["A001"] == "waiting", "the present box's word counts"
    assert states[late.label] == "waiting", "a number it gave meanwhile is known"
    assert [a["kind"] for a in centre.rows("ALARMS") if not a["closed_at"]] == ["old-box-returned"]
    assert new.queue.find("A001").state is TicketState.WAITING


async def test_the_present_box_is_not_told_that_it_is_replaced(centre, old, new):
    assert retired(new) == [[old.incarnation]]
    assert new.incarnation not in retired(new)[0]


async def test_a_box_an_administrator_replaced_may_not_come_back_first(centre, old, clock):
    assert centre.database.write_now(lambda tx: replace_box(tx, "haitang", clock)) == 1
    await centre.talk(old, old.state(), old.birth())
    assert retired(old) == [[old.incarnation]]
    new = Box(clock, life="two").open()
    await centre.talk(new, new.state(), new.birth())
    assert sorted(t.label for t in new.queue.waiting.values()) == ["A001", "A002", "A003"]


async def test_a_hall_whose_box_comes_back_after_a_power_cut_is_not_replaced(centre, old):
    old.boot += 1
    await centre.talk(old, old.state(), old.birth())
    assert retired(old) == []
    strip = DeviceReport(name="strip-1", kind="strip", profile="p", state="online", since="")
    await centre.talk(old, old.report(strip))
    assert [a for a in centre.rows("ALARMS") if not a["closed_at"]] == []


async def test_more_people_than_one_wish_holds_are_taken_over(centre, box, clock):
    await centre.meet(box)
    for n in range(130):
        box.issue(f"n{n:03d}")
    await centre.talk(box, box.facts())
    new = Box(clock, life="two").open()
    await centre.talk(new, new.state(), new.birth())
    assert len(new.queue.waiting) == 130
