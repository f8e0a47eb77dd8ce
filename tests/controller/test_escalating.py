"""A call that nobody answers: the centre writes to its holder once more, then to the relative who was named."""

import random

import pytest

from controller.use_cases.erasure import PhoneEraser
from controller.use_cases.providers import NumberLimits
from hall_core.queueing import commands as c
from hall_core.queueing.escalating import escalation
from hall_core.queueing.fact_base import SealedPhone
from tests.controller.gateway import FakeGateway
from tests.controller.sending import sending, states


@pytest.fixture
def gateway(clock):
    return FakeGateway(clock.now)


@pytest.fixture
def phones():
    return [f"13{random.randrange(10**9):09d}" for _ in range(2)]


async def called(centre, box, clock, phones):
    """At a counter whose clerk says when people come, somebody with a phone and a relative is called."""
    await centre.meet(box)
    box.do(c.OpenCounter(counter="3"))
    box.issue("t0")
    box.call("3")
    box.do(c.Start(counter="3"))
    clock.advance(60)
    box.do(c.Finish(counter="3"))
    holder, relative = (centre.context.phones.seal(phone, "t1") for phone in phones)
    named = SealedPhone(ticket_id="t1", phone_sealed=relative, phone_tail=phones[1][-2:])
    box.issue("t1", phone_sealed=holder, phone_tail=phones[0][-2:], relative=named)
    box.call("3")


def louder(box):
    for due in escalation(box.queue, box.now):
        box.do(c.Escalate(ticket=due.ticket_id, call_no=due.call_no, step=due.step))


async def tell(centre, box, settle):
    if len(box.journal) > box.acked:
        await centre.talk(box, box.facts())
    await settle()


async def test_the_holder_is_told_again_and_the_relative_once(centre, box, gateway, clock, phones):
    await called(centre, box, clock, phones)
    async with sending(centre, gateway) as settle:
        for seconds in (0, 61, 30, 60):
            clock.advance(seconds)
            louder(box)
            await tell(centre, box, settle)
    sent = [(ref.split(".")[1], to) for ref, (to, _) in gateway.taken.items()]
    holder, relative = (f"+86{phone}" for phone in phones)
    assert sent == [("called", holder), ("confirmation", holder), ("recall", holder), ("relative", relative)]
    assert (
        gateway.taken["t1.recall.1"][1]
        == "【滨江政务】您的号码A002已叫到，请尽快到3号窗口，过时将作过号处理。"
    )
    assert "您家人的号码A002" in gateway.taken["t1.relative.1"][1]
    assert gateway.doubled == 0


@pytest.mark.parametrize("end", [c.Start, c.NoShow, c.Recall])
async def test_what_is_overtaken_before_it_leaves_is_never_sent(centre, box, gateway, clock, phones, end):
    await called(centre, box, clock, phones)
    clock.advance(100)
    louder(box)
    box.do(end(counter="3"))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert {states(centre)[f"t1.{kind}.1"] for kind in ("recall", "relative")} == {"suppressed"}
    assert not [ref for ref in gateway.sends if "recall" in ref or "relative" in ref]


async def test_who_comes_in_time_is_told_nothing_more(centre, box, gateway, clock, phones):
    await called(centre, box, clock, phones)
    clock.advance(29)
    louder(box)
    box.do(c.Start(counter="3"))
    clock.advance(120)
    louder(box)
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert {ref.split(".")[1] for ref in states(centre)} == {"confirmation", "called"}


async def test_too_late_it_is_of_no_use(centre, box, gateway, clock, phones):
    await called(centre, box, clock, phones)
    clock.advance(100)
    louder(box)
    clock.advance(200)
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert gateway.sends == ["t1.confirmation.0"]
    assert {row["reason"] for row in centre.rows("NOTICES") if row["call_no"]} == {"stale"}


async def test_what_the_halls_modem_took_on_is_never_sent_from_here(centre, box, gateway, clock, phones):
    await called(centre, box, clock, phones)
    box.by_hall = frozenset({"t1"})
    clock.advance(100)
    louder(box)
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert {states(centre)[f"t1.{kind}.1"] for kind in ("recall", "relative")} == {"suppressed"}
    assert not [ref for ref in gateway.sends if "recall" in ref or "relative" in ref]


async def test_a_number_gets_no_more_than_its_share(centre, box, gateway, clock, phones):
    await called(centre, box, clock, [phones[0]] * 2)
    async with sending(centre, gateway, limits=NumberLimits(a_day=3)) as settle:
        for seconds in (0, 61, 30):
            clock.advance(seconds)
            louder(box)
            await tell(centre, box, settle)
    assert (states(centre)["t1.recall.1"], states(centre)["t1.relative.1"]) == ("accepted", "suppressed")


async def test_a_relatives_number_is_erased_with_the_rest(centre, box, gateway, clock, phones):
    await called(centre, box, clock, phones)
    clock.advance(100)
    louder(box)
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    held = [row["body"] for row in centre.rows("FACTS") if "relative" in row["body"]]
    assert any('"phone_sealed":"' in body for body in held)
    clock.advance(400 * 24 * 3600)
    await PhoneEraser(centre.context, 30).once()
    assert not any('"phone_sealed":"' in row["body"] for row in centre.rows("FACTS"))
    assert {row["phone_sealed"] for row in centre.rows("NOTICES")} == {None}


async def test_at_a_key_pad_the_second_recall_writes_to_the_relative_once(
    centre, box, gateway, clock, phones
):
    await centre.meet(box)
    box.do(c.OpenCounter(counter="3"))
    holder, relative = (centre.context.phones.seal(phone, "t1") for phone in phones)
    named = SealedPhone(ticket_id="t1", phone_sealed=relative, phone_tail=phones[1][-2:])
    box.issue("t1", phone_sealed=holder, phone_tail=phones[0][-2:], relative=named)
    box.do(c.CallNext(counter="3", finish_current=True))
    async with sending(centre, gateway) as settle:
        for _ in range(3):
            clock.advance(45)
            louder(box)
            await tell(centre, box, settle)
            box.do(c.Recall(counter="3"))
            louder(box)
            await tell(centre, box, settle)
    to = [to for to, _ in gateway.taken.values()]
    assert to.count(f"+86{phones[1]}") == 1
    assert [ref for ref in gateway.taken if "relative" in ref] == ["t1.relative.3"]
