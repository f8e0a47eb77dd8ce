"""What a hall without a link told its citizens itself, the controller never tells again."""

import random

import pytest

from controller.use_cases.notices_due import NOT_AFTER
from hall_core.queueing import commands as c
from tests.controller.gateway import FakeGateway
from tests.controller.test_notices import hall_with, sending


@pytest.fixture
def gateway(clock):
    return FakeGateway(clock.now)


@pytest.fixture
def phone():
    return f"13{random.randrange(10**9):09d}"


def rows(centre):
    return {
        (r["ticket_id"], r["kind"], r["call_no"]): (r["state"], r["reason"]) for r in centre.rows("NOTICES")
    }


async def heal(centre, box, gateway):
    """The link is back: all facts arrive, and whatever is due is sent."""
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()


async def test_calls_and_recalls_that_the_hall_sent_are_written_down_and_not_sent(
    centre, box, gateway, phone
):
    await hall_with(centre, box, phone, "t1")
    box.by_hall = frozenset({"t1"})
    box.call("3")
    box.do(c.Recall(counter="3"))
    await heal(centre, box, gateway)
    by_hall = ("suppressed", "sent-by-hall")
    assert rows(centre)["t1", "called", 1] == rows(centre)["t1", "called", 2] == by_hall
    assert gateway.sends == ["t1.confirmation.0"]


async def test_a_number_taken_while_the_link_was_down_is_confirmed_by_the_hall_alone(
    centre, box, gateway, phone
):
    await centre.meet(box)
    box.by_hall = frozenset({"t1"})
    box.issue("t1", phone_sealed=centre.context.phones.seal(phone, "t1"))
    await heal(centre, box, gateway)
    assert rows(centre) == {("t1", "confirmation", 0): ("suppressed", "sent-by-hall")}
    assert gateway.sends == []


@pytest.mark.parametrize("cut", [0, 1])
async def test_who_was_told_by_the_hall_to_come_nearer_is_not_told_again_wherever_the_facts_are_cut(
    centre, box, gateway, phone, cut
):
    names = [f"t{n}" for n in range(6)]
    await hall_with(centre, box, phone, *names)
    box.by_hall = frozenset(names)
    before = len(box.journal)
    box.call("3")
    assert [fact.kind for fact in box.journal[before:]] == ["notice-by-hall", "ticket-called"]
    for message in await centre.hear(box.facts(count=cut)) if cut else []:
        box.hear(message)
    await heal(centre, box, gateway)
    assert rows(centre)["t4", "nearly", 0] == ("suppressed", "sent-by-hall")
    assert not [ref for ref in gateway.sends if "confirmation" not in ref]


async def test_who_left_no_number_in_the_hall_is_told_by_the_controller(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1", "t2")
    box.by_hall = frozenset({"t1"})
    box.call("3")
    box.do(c.NoShow(counter="3"))
    box.call("3")
    await heal(centre, box, gateway)
    assert [ref for ref in gateway.sends if "called" in ref] == ["t2.called.1"]


async def test_a_notice_the_hall_could_not_send_says_so_and_is_not_sent_from_here(
    centre, box, gateway, phone, clock
):
    await hall_with(centre, box, phone, "t1")
    box.by_hall = frozenset({"t1"})
    box.call("3")
    clock.advance(NOT_AFTER["called"].total_seconds())
    box.do(c.RecordNotice(ticket="t1", notice="called", call_no=1, outcome="expired"))
    await heal(centre, box, gateway)
    assert rows(centre)["t1", "called", 1] == ("suppressed", "hall-expired")
    assert "t1.called.1" not in gateway.sends


async def test_pagers_and_what_became_of_notices_are_facts_like_any_other(centre, box, phone):
    await hall_with(centre, box, phone, "t1")
    box.do(c.GivePager(ticket="t1", pager=12))
    box.do(c.RecordNotice(ticket="t1", notice="called", call_no=1, outcome="accepted"))
    await centre.talk(box, box.facts(), box.report())
    kinds = [row["kind"] for row in centre.rows("FACTS")]
    assert kinds[-2:] == ["pager-given", "notice-by-hall"]
    assert centre.context.live.queue(box.stream).tickets["t1"].pager == 12
    assert not centre.rows("ALARMS")
