"""Notices: at most once each, never when they are of no use any more."""

import asyncio
import random
from datetime import timedelta

import pytest

from controller.use_cases.bucket import Bucket
from controller.use_cases.notices_due import NOT_AFTER
from hall_core.queueing import commands as c
from tests.controller.gateway import FakeGateway
from tests.controller.sending import hall_with, sending, states


@pytest.fixture
def gateway(clock):
    return FakeGateway(clock.now)


@pytest.fixture
def phone():
    return f"13{random.randrange(10**9):09d}"


async def test_issue_and_call_each_send_one_notice_with_the_number_and_the_counter(
    centre, box, gateway, phone
):
    async with sending(centre, gateway) as settle:
        await hall_with(centre, box, phone, "t1")
        await settle()
        box.call("3")
        await centre.talk(box, box.facts())
        await settle()
    assert [text for _, text in gateway.taken.values()] == [
        "【滨江政务】取号成功：A001，前面0人。",
        "【滨江政务】您的号码A001请到3号窗口办理。",
    ]
    assert {to for to, _ in gateway.taken.values()} == {f"+86{phone}"}
    assert set(states(centre).values()) == {"accepted"}
    assert all(len(text) <= 70 for _, text in gateway.taken.values())


async def test_a_recall_is_a_call_of_its_own_and_the_overtaken_one_is_not_sent(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1")
    box.call("3")
    box.do(c.Recall(counter="3"))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert states(centre)["t1.called.1"] == "suppressed"
    assert states(centre)["t1.called.2"] == "accepted"


async def test_who_is_nearly_next_is_told_once(centre, box, gateway, phone):
    names = [f"t{n}" for n in range(8)]
    await hall_with(centre, box, phone, *names)
    for _ in range(3):
        box.call("3")
        await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    nearly = [row["ticket_id"] for row in centre.rows("NOTICES") if row["kind"] == "nearly"]
    assert nearly == ["t4", "t5", "t6"]
    assert "您的号码A005前面还有3人，请到大厅等候。" in gateway.taken["t4.nearly.0"][1]


async def test_nobody_without_a_number_gets_a_notice(centre, box, gateway):
    await centre.meet(box)
    box.do(c.OpenCounter(counter="3"))
    box.issue("t1")
    box.call("3")
    await centre.talk(box, box.facts())
    assert centre.rows("NOTICES") == []


async def test_calls_of_a_healed_hall_that_are_too_old_are_never_sent(centre, box, gateway, phone, clock):
    await hall_with(centre, box, phone, "t1")
    box.call("3")
    clock.advance(NOT_AFTER["called"].total_seconds())
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    (called,) = [row for row in centre.rows("NOTICES") if row["kind"] == "called"]
    assert (called["state"], called["reason"]) == ("suppressed", "stale")
    assert "t1.called.1" not in gateway.taken


async def test_a_hall_whose_clock_runs_ahead_makes_no_notice_last_longer(centre, box, phone, clock):
    await centre.meet(box)
    clock.advance(3600)
    box.do(c.OpenCounter(counter="3"))
    box.issue("t1", phone_sealed=centre.context.phones.seal(phone, "t1"))
    clock.advance(-3600)
    await centre.talk(box, box.facts())
    assert centre.one("NOTICES")["not_after"] == clock.now() + NOT_AFTER["confirmation"]


async def test_a_cancelled_ticket_gets_no_notice(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1")
    box.do(c.CancelTicket(ticket="t1"))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert states(centre) == {"t1.confirmation.0": "suppressed"}
    assert gateway.sends == []


async def test_calls_go_before_nearly_before_confirmations(centre, box, gateway, phone):
    names = [f"t{n}" for n in range(6)]
    await hall_with(centre, box, phone, *names)
    box.call("3")
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    kinds = [ref.split(".")[1] for ref in gateway.sends]
    assert kinds == ["called", "nearly", *["confirmation"] * 6]


async def test_a_busy_gateway_is_asked_again_and_a_no_is_final(centre, box, gateway, phone, clock):
    gateway.plan = ["busy", "busy", "reject"]
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        for _ in range(3):
            await settle()
            clock.advance(3)
        await settle()
    assert states(centre) == {"t1.confirmation.0": "rejected"}
    assert len(gateway.sends) == 3
    assert gateway.taken == {}


async def test_a_busy_gateway_is_never_asked_after_the_notice_is_of_no_use(
    centre, box, gateway, phone, clock
):
    gateway.plan = ["busy"] * 1000
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
        clock.advance(NOT_AFTER["confirmation"].total_seconds())
        await settle()
    assert states(centre) == {"t1.confirmation.0": "suppressed"}
    assert len(gateway.sends) == 1


async def test_a_timeout_is_asked_about_and_never_sent_again_when_it_was_taken(
    centre, box, gateway, phone, clock
):
    gateway.plan = ["lost"]
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
        assert states(centre) == {"t1.confirmation.0": "unknown"}
        clock.advance(5)
        await settle()
    assert states(centre) == {"t1.confirmation.0": "accepted"}
    assert gateway.sends == ["t1.confirmation.0"]


async def test_what_the_gateway_never_saw_is_offered_once_more_after_a_minute(
    centre, box, gateway, phone, clock
):
    gateway.plan = ["gone", "gone", "ok"]
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        for _ in range(10):
            await settle()
            clock.advance(5)
        assert gateway.sends == ["t1.confirmation.0"]
        for _ in range(30):
            clock.advance(5)
            await settle()
    assert len(gateway.sends) == 2
    (row,) = centre.rows("NOTICES")
    assert (row["state"], row["reason"]) == ("suppressed", "not-taken")


async def test_a_gateway_that_answers_nothing_is_not_sent_to_again(centre, box, gateway, phone, clock):
    gateway.plan, gateway.blind = ["lost"], True
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        for _ in range(20):
            await settle()
            clock.advance(300)
        await settle()
        assert states(centre) == {"t1.confirmation.0": "unknown"}
        gateway.blind = False
        clock.advance(5)
        await settle()
    assert states(centre) == {"t1.confirmation.0": "accepted"}
    assert len(gateway.sends) == 1


async def test_a_stop_while_sending_is_unknown_at_the_next_start(centre, box, gateway, phone):
    gateway.plan = ["hang"]
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway):
        await gateway.hanging.wait()
    assert states(centre) == {"t1.confirmation.0": "sending"}
    async with sending(centre, gateway) as settle:
        await settle()
    assert states(centre) == {"t1.confirmation.0": "accepted"}
    assert gateway.sends == ["t1.confirmation.0"]


async def test_without_a_gateway_notices_are_put_away_and_say_why(centre, box, phone):
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, None) as settle:
        await settle()
    assert centre.one("NOTICES")["reason"] == "no-gateway"


async def test_a_number_sealed_for_another_ticket_is_not_opened(centre, box, gateway, phone):
    await centre.meet(box)
    box.issue("t1", phone_sealed=centre.context.phones.seal(phone, "t2"))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert (centre.one("NOTICES")["state"], gateway.sends) == ("rejected", [])


@pytest.mark.parametrize("seed", range(6))
async def test_no_fault_makes_a_notice_arrive_twice_or_too_late(centre, box, gateway, phone, clock, seed):
    dice = random.Random(seed)
    await centre.meet(box)
    box.do(c.OpenCounter(counter="3"))
    for step in range(60):
        async with sending(centre, gateway) as settle:
            gateway.plan = [dice.choice(["ok", "ok", "busy", "lost", "gone", "reject"]) for _ in range(6)]
            if dice.random() < 0.15:
                gateway.plan.insert(dice.randrange(3), "hang")
            gateway.blind = dice.random() < 0.3
            name = f"s{step}"
            box.issue(name, phone_sealed=centre.context.phones.seal(phone, name))
            if dice.random() < 0.7:
                box.call("3")
            await centre.talk(box, box.facts())
            settled = asyncio.create_task(settle())
            hung = asyncio.create_task(gateway.hanging.wait())
            await asyncio.wait((settled, hung), return_when=asyncio.FIRST_COMPLETED)
            settled.cancel()
            hung.cancel()
        gateway.hanging.clear()
        clock.advance(dice.choice([1, 5, 20, 61, 130]))
    gateway.plan, gateway.blind = [], False
    async with sending(centre, gateway) as settle:
        for _ in range(40):
            clock.advance(61)
            await settle()
    rows = centre.rows("NOTICES")
    assert gateway.doubled == 0
    assert {row["state"] for row in rows} <= {"accepted", "rejected", "suppressed"}
    assert len(rows) > 60
    for row in rows:
        taken = gateway.times.get(row["client_ref"])
        assert taken is None or taken < row["not_after"]
        assert (row["state"] == "accepted") == (taken is not None)


async def test_the_bucket_lets_a_burst_through_and_then_so_many_a_second(clock):
    bucket = Bucket(clock, per_s=2, burst=3)
    assert [bucket.try_take() for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s() == pytest.approx(0.5)
    clock.wall += timedelta(days=1)  # the wall clock means nothing to it
    assert not bucket.try_take()
    clock.advance(1)
    assert [bucket.try_take() for _ in range(3)] == [True, True, False]
