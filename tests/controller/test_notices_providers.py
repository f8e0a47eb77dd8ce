"""Several gateways, their limits, and receipts in every order."""

import asyncio
import random
from datetime import timedelta

import pytest

from controller.store import receipts as receipt_store
from controller.store.database import STORAGE_DOWN, Database
from controller.use_cases.bucket import Bucket
from controller.use_cases.ports import Fate, Receipt
from controller.use_cases.providers import FAILURES, Breaker, NumberLimits, Provider
from controller.use_cases.take_ticket import TicketRequest, take_ticket
from hall_core.errors import PhoneInvalid
from tests.controller.gateway import FakeGateway, provider
from tests.controller.sending import hall_with, sending, states

OPENID = "oQuiethall_" + "x" * 17


@pytest.fixture
def gateway(clock):
    return FakeGateway(clock.now)


@pytest.fixture
def second(clock):
    return FakeGateway(clock.now)


@pytest.fixture
def phone():
    return f"13{random.randrange(10**9):09d}"


async def issue(centre, box, phone, *names):
    for name in names:
        box.issue(name, phone_sealed=centre.context.phones.seal(phone, name))
    await centre.talk(box, box.facts())


def row(centre, name="t1.confirmation.0"):
    (found,) = [r for r in centre.rows("NOTICES") if r["client_ref"] == name]
    return found


async def until_open(settle, clock, given):
    """Time passes until the gateway is left alone."""
    for _ in range(100):
        await settle()
        if not given.breaker.closed:
            return
        clock.advance(1)
    raise AssertionError("the breaker never opened")


# -- first and second --------------------------------------------------------------------------------------


async def test_the_second_gateway_gets_nothing_while_the_first_works(
    centre, box, gateway, second, phone, clock
):
    await hall_with(centre, box, phone, *[f"t{n}" for n in range(5)])
    both = provider(clock, gateway), provider(clock, second, "second")
    async with sending(centre, *both) as settle:
        await settle()
    assert (len(gateway.taken), len(second.taken)) == (5, 0)


async def test_when_the_first_fails_new_notices_go_to_the_second_and_those_it_was_given_stay(
    centre, box, gateway, second, phone, clock
):
    gateway.plan = ["down"] * 1000
    names = [f"t{n}" for n in range(FAILURES)]
    await hall_with(centre, box, phone, *names)
    both = provider(clock, gateway), provider(clock, second, "second")
    async with sending(centre, *both) as settle:
        await until_open(settle, clock, both[0])
        await issue(centre, box, phone, "new1", "new2")
        await settle()
    assert set(second.taken) == {"new1.confirmation.0", "new2.confirmation.0"}
    found = {r["ticket_id"]: (r["provider"], r["state"]) for r in centre.rows("NOTICES")}
    assert {found[name] for name in names} == {("first", "pending")}
    assert found["new1"] == ("second", "accepted")


async def test_a_first_gateway_that_works_again_gets_its_notices_and_the_new_ones(
    centre, box, gateway, second, phone, clock
):
    gateway.plan = ["down"] * 1000
    await hall_with(centre, box, phone, *[f"t{n}" for n in range(FAILURES)])
    both = provider(clock, gateway), provider(clock, second, "second")
    async with sending(centre, *both) as settle:
        await until_open(settle, clock, both[0])
        gateway.plan = []
        for _ in range(20):
            clock.advance(6)
            await settle()
        await issue(centre, box, phone, "new")
        await settle()
    assert set(states(centre).values()) == {"accepted"}
    assert len(gateway.taken) == FAILURES + 1
    assert second.sends == []


async def test_an_unknown_notice_is_never_given_to_the_second(centre, box, gateway, second, phone, clock):
    gateway.plan, gateway.blind = ["gone"] * 1000, True
    await hall_with(centre, box, phone, *[f"t{n}" for n in range(FAILURES)])
    both = provider(clock, gateway), provider(clock, second, "second")
    async with sending(centre, *both) as settle:
        for _ in range(30):
            clock.advance(60)
            await settle()
    assert second.sends == []
    assert set(states(centre).values()) == {"unknown"}
    assert len(gateway.sends) == FAILURES


async def test_while_a_gateway_fails_staff_see_an_alarm(centre, box, gateway, phone, clock):
    gateway.plan = ["down"] * 1000
    await hall_with(centre, box, phone, *[f"t{n}" for n in range(FAILURES)])
    given = provider(clock, gateway)
    async with sending(centre, given) as settle:
        await until_open(settle, clock, given)
        gateway.plan = []
        (alarm,) = [a for a in centre.rows("ALARMS") if a["kind"] == "gateway-down"]
        assert alarm["closed_at"] is None
        for _ in range(10):
            clock.advance(6)
            await settle()
    (alarm,) = [a for a in centre.rows("ALARMS") if a["kind"] == "gateway-down"]
    assert alarm["closed_at"] is not None


async def test_notices_of_a_gateway_that_was_taken_away_are_put_away(
    centre, box, gateway, second, phone, clock
):
    gateway.plan = ["busy"] * 100
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
    clock.advance(5)
    async with sending(centre, provider(clock, second, "other")) as settle:
        await settle()
    assert (row(centre)["state"], row(centre)["reason"]) == ("suppressed", "no-gateway")
    assert second.sends == []


async def test_a_breaker_tries_one_notice_and_waits_longer_each_time(clock):
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.allows()
        breaker.end(breaker.begin(), worked=False)
    pauses = []
    for _ in range(7):
        assert not breaker.allows()
        pauses.append(breaker.wait_s())
        clock.advance(breaker.wait_s())
        assert breaker.allows()
        mark = breaker.begin()
        assert not breaker.allows()  # one at a time
        breaker.end(mark, worked=False)
    assert pauses == [5, 10, 20, 40, 80, 120, 120]
    clock.advance(120)
    breaker.end(breaker.begin(), worked=None)  # it never left: still to be tried
    assert breaker.allows()
    breaker.end(breaker.begin(), worked=True)
    assert breaker.closed


def test_what_was_under_way_together_fails_once_and_then_fewer_go_at_once(clock):
    breaker = Breaker(clock, at_once=16)
    flying = [[breaker.begin() for _ in range(16)]]
    assert not breaker.allows()
    for mark in flying.pop():
        breaker.end(mark, worked=False)
    at_once = []
    while breaker.closed:
        marks = []
        while breaker.allows():
            marks.append(breaker.begin())
        at_once.append(len(marks))
        for mark in marks:
            breaker.end(mark, worked=False)
    assert at_once == [4, 1, 1, 1]


# -- limits ------------------------------------------------------------------------------------------------


async def test_one_number_gets_only_so_many_and_the_others_are_not_held_up(centre, box, gateway, phone):
    other = f"13{random.randrange(10**9):09d}"
    await hall_with(centre, box, phone, *[f"t{n}" for n in range(6)])
    await issue(centre, box, other, "o1")
    async with sending(centre, gateway, limits=NumberLimits(4, 40)) as settle:
        await settle()
    reasons = [r["reason"] for r in centre.rows("NOTICES")]
    assert reasons == [""] * 4 + ["quota"] * 2 + [""]
    assert [to for to, _ in gateway.taken.values()].count(f"+86{phone}") == 4


async def test_the_day_s_limit_counts_over_a_restart_and_ends_after_a_day(centre, box, gateway, phone, clock):
    limits = NumberLimits(100, 2)
    await hall_with(centre, box, phone, "t1", "t2")
    async with sending(centre, gateway, limits=limits) as settle:
        await settle()
    await issue(centre, box, phone, "t3")
    async with sending(centre, gateway, limits=limits) as settle:
        await settle()
        clock.advance(86_401)
        await issue(centre, box, phone, "t4")
        await settle()
    assert row(centre, "t3.confirmation.0")["reason"] == "quota"
    assert row(centre, "t4.confirmation.0")["state"] == "accepted"


async def test_a_number_is_not_in_its_digest(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
    found = row(centre)
    assert found["to_key"]
    assert phone not in str(found)


async def test_no_more_than_the_bucket_gives_and_who_is_throttled_waits(centre, box, gateway, phone, clock):
    names = [f"t{n}" for n in range(6)]
    await hall_with(centre, box, phone, *names)
    slow = Provider("first", gateway, Bucket(clock, per_s=1, burst=2), Breaker(clock))
    async with sending(centre, slow) as settle:
        await settle()
        assert len(gateway.sends) == 2
        gateway.plan = ["busy"]
        clock.advance(1)
        await settle()
        assert len(gateway.sends) == 3
        clock.advance(1)  # held for a second, then one token a second
        await settle()
        assert len(gateway.sends) == 3
        for _ in range(6):
            clock.advance(2)
            await settle()
    assert len(gateway.taken) == 6


async def test_a_claim_that_cannot_be_stored_takes_no_room_at_the_gateway(
    centre, box, gateway, phone, clock, monkeypatch
):
    await hall_with(centre, box, phone, "t1")
    one = Provider("first", gateway, Bucket(clock, per_s=10, burst=10), Breaker(clock, at_once=1))
    write, full = Database.write, [True]

    async def once_full(self, work):
        def undone(tx):
            done = work(tx)
            if not one.free() and full.pop():
                raise STORAGE_DOWN("COMMIT", {}, Exception("database or disk is full"))
            return done

        return await write(self, undone if full else work)

    monkeypatch.setattr(Database, "write", once_full)
    async with sending(centre, one) as settle:
        await settle()
    assert (full, gateway.sends) == ([], ["t1.confirmation.0"])
    assert states(centre) == {"t1.confirmation.0": "accepted"}


# -- receipts ----------------------------------------------------------------------------------------------


async def test_a_receipt_tells_that_it_arrived_or_that_it_never_will(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1", "t2")
    async with sending(centre, gateway) as settle:
        await settle()
        await gateway.tell(Receipt(Fate.DELIVERED, row(centre)["provider_id"]))
        await gateway.tell(
            Receipt(Fate.FAILED, row(centre, "t2.confirmation.0")["provider_id"], reason="MK:0001")
        )
    assert states(centre) == {"t1.confirmation.0": "delivered", "t2.confirmation.0": "failed"}
    assert row(centre, "t2.confirmation.0")["reason"] == "MK:0001"


@pytest.mark.parametrize("seed", range(10))
async def test_receipts_in_any_order_and_number_say_the_same(centre, box, gateway, phone, seed):
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
        provider_id = row(centre)["provider_id"]
        told = [
            Receipt(fate, provider_id) for fate in (Fate.FAILED, Fate.DELIVERED, Fate.DELIVERED, Fate.FAILED)
        ]
        random.Random(seed).shuffle(told)
        for receipt in told:
            await gateway.tell(receipt)
        await gateway.tell(Receipt(Fate.DELIVERED, "somebody-elses"))
    assert states(centre) == {"t1.confirmation.0": "delivered"}


async def test_a_receipt_that_is_faster_than_the_answer_counts(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await asyncio.sleep(0)
        await gateway.tell(Receipt(Fate.FAILED, "provider-1", reason="EXPIRED"))
        await gateway.tell(Receipt(Fate.DELIVERED, "provider-1"))
        await gateway.tell(Receipt(Fate.FAILED, "provider-1", reason="EXPIRED"))
        await settle()
    assert states(centre) == {"t1.confirmation.0": "delivered"}
    assert centre.rows("RECEIPTS") == []


async def test_receipts_of_other_peoples_messages_are_forgotten(centre, box, gateway, phone, clock):
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
        await gateway.tell(Receipt(Fate.DELIVERED, "somebody-elses"))
    assert len(centre.rows("RECEIPTS")) == 1
    later = clock.now() + timedelta(seconds=1)
    assert centre.database.write_now(lambda tx: receipt_store.forget_early(tx, later)) == 1


@pytest.mark.parametrize("fate", [Fate.ACCEPTED, Fate.DELIVERED, Fate.FAILED])
async def test_a_late_word_resolves_an_unknown_notice_where_nobody_can_be_asked(
    centre, box, gateway, phone, clock, fate
):
    gateway.plan, gateway.can_ask = ["lost"], False
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
        clock.advance(3600)
        await settle()
        assert states(centre) == {"t1.confirmation.0": "unknown"}
        await gateway.tell(Receipt(fate, "late-7", "t1.confirmation.0"))
        await settle()
    assert states(centre) == {"t1.confirmation.0": fate.value}
    assert len(gateway.sends) == 1


async def test_what_nobody_ever_tells_of_ends_after_a_day(centre, box, gateway, phone, clock):
    gateway.plan, gateway.can_ask = ["lost"], False
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
        clock.advance(86_400 + 1)
        await settle()
    assert (row(centre)["state"], row(centre)["reason"]) == ("suppressed", "never-resolved")


async def test_nobody_can_claim_to_have_delivered_what_was_never_handed_over(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway, limits=NumberLimits(0, 0)) as settle:
        await settle()
        await gateway.tell(Receipt(Fate.DELIVERED, "x", "t1.confirmation.0"))
    assert (row(centre)["state"], row(centre)["reason"]) == ("suppressed", "quota")


# -- WeChat ------------------------------------------------------------------------------------------------


async def test_who_took_the_number_in_wechat_is_told_there(centre, box, gateway, second, clock, phone):
    await hall_with(centre, box, phone, "t1")
    sealed = centre.context.phones.seal_openid(OPENID, "w1")
    box.issue("w1", phone_sealed=sealed)
    await centre.talk(box, box.facts())
    ways = provider(clock, gateway), provider(clock, second, "wechat", way="wechat")
    async with sending(centre, *ways) as settle:
        await settle()
    assert [p.to for p in second.parcels] == [OPENID]
    assert [p.to for p in gateway.parcels] == [f"+86{phone}"]


async def test_without_a_way_to_wechat_its_notices_say_so(centre, box, gateway):
    await centre.meet(box)
    box.issue("w1", phone_sealed=centre.context.phones.seal_openid(OPENID, "w1"))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert centre.one("NOTICES")["reason"] == "no-gateway"


async def test_an_openid_survives_a_number_of_the_controller_s_own(centre, box, clock):
    asked = TicketRequest(service="household", channel="wechat", openid=OPENID)
    await centre.meet(box)
    centre.live.by_id("haitang").online = False
    given = await take_ticket(centre.context, "haitang", asked, owner="app", key="k1")
    ticket = centre.one("TICKETS")
    assert given.ticket["series"] == "offline"
    assert centre.context.phones.unseal(ticket["phone_sealed"], ticket["ticket_id"]) == OPENID
    assert OPENID not in str(centre.rows("TICKETS")) + str(centre.rows("REQUESTS"))


@pytest.mark.parametrize("openid", ["", "short", "x" * 65, "o pen id" * 4, "微" * 28])
def test_what_is_no_openid_is_not_sealed(centre, openid):
    with pytest.raises(PhoneInvalid):
        centre.context.phones.seal_openid(openid, "t1")
