"""What the holder of a link sees and may do."""

import random

import pytest

from controller.use_cases import citizen
from controller.use_cases.citizen import cancel, check_in, postpone, rate, view
from hall_core.errors import HallSaidNo, HallUnreachable, IllegalTransition, UnknownTicket
from hall_core.queueing import commands as c
from tests.controller.test_take_ticket import answering, take

T1 = "token-haitang-t1"


async def hall_with(centre, box, *names):
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    for name in names:
        box.issue(name)
    await centre.talk(box, box.facts())


async def finished(centre, box):
    await hall_with(centre, box, "t1")
    box.call()
    for command in (c.Start(counter="1"), c.Finish(counter="1")):
        box.do(command)
    await centre.talk(box, box.facts())


async def test_the_view_tells_place_and_counter(centre, box):
    await hall_with(centre, box, "t0", "t1")
    seen = await view(centre.context, T1)
    assert {k: seen[k] for k in ("label", "state", "ahead", "counter", "stale", "hall", "service")} == {
        "label": "A002",
        "state": "waiting",
        "ahead": 1,
        "counter": None,
        "stale": False,
        "hall": "haitang",
        "service": "household",
    }
    box.call()
    box.call()
    await centre.talk(box, box.facts())
    seen = await view(centre.context, T1)
    assert (seen["state"], seen["counter"], seen["counter_name"], seen["ahead"]) == (
        "called",
        "1",
        "1号窗口",
        None,
    )


async def test_after_a_minute_of_silence_the_view_says_so(centre, box, clock):
    await hall_with(centre, box, "t1")
    clock.advance(60)
    assert (await view(centre.context, T1))["stale"] is False
    clock.advance(1)
    assert (await view(centre.context, T1))["stale"] is True
    await centre.talk(box, box.report())
    assert (await view(centre.context, T1))["stale"] is False


async def test_an_unknown_link_is_unknown_and_not_repeated_in_full(centre, box):
    with pytest.raises(UnknownTicket) as caught:
        await view(centre.context, "guessed-token-of-somebody")
    assert "guessed-token" not in str(caught.value)


async def test_a_citizen_cancels_and_the_hall_has_done_it(centre, box):
    await hall_with(centre, box, "t1")
    async with answering(centre, box):
        assert (await cancel(centre.context, T1))["state"] == "cancelled"
        assert (await cancel(centre.context, T1))["state"] == "cancelled"
    assert box.queue.find("A001").state == "cancelled"
    assert [x.kind for x in box.journal].count("ticket-cancelled") == 1


async def test_a_ticket_in_service_cannot_be_cancelled_from_outside(centre, box):
    await hall_with(centre, box, "t1")
    box.call()
    box.do(c.Start(counter="1"))
    async with answering(centre, box):
        with pytest.raises(IllegalTransition) as caught:
            await cancel(centre.context, T1)
    assert caught.value.facts == {"label": "A001", "state": "serving", "action": "cancel"}


async def test_a_silent_hall_cannot_cancel(centre, box, monkeypatch):
    await hall_with(centre, box, "t1")
    monkeypatch.setattr(citizen, "HALL_S", 0.0)
    with pytest.raises(HallUnreachable):
        await cancel(centre.context, T1)
    await centre.hear(box.state("lost"))
    before = len(centre.rows("WISHES"))
    with pytest.raises(HallUnreachable):
        await cancel(centre.context, T1)
    assert len(centre.rows("WISHES")) == before


async def test_a_number_of_the_controllers_own_is_cancelled_by_the_controller(centre, box):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    token = (await take(centre)).ticket["token"]
    assert (await view(centre.context, token))["ahead"] is None
    assert (await cancel(centre.context, token))["state"] == "cancelled"


async def test_who_missed_the_call_stands_in_line_again_at_its_end(centre, box, clock):
    await hall_with(centre, box, "t1", "t2")
    box.call()
    box.do(c.NoShow(counter="1"))
    clock.advance(60)
    await centre.talk(box, box.facts())
    async with answering(centre, box):
        seen = await check_in(centre.context, T1)
    assert (seen["state"], seen["ahead"]) == ("waiting", 1)
    assert (await check_in(centre.context, T1))["state"] == "waiting"


async def test_who_postpones_lets_those_behind_pass(centre, box, clock):
    await hall_with(centre, box, "t1")
    for name in ("t2", "t3", "t4", "t5"):
        clock.advance(60)
        box.issue(name)
    await centre.talk(box, box.facts())
    async with answering(centre, box):
        assert (await postpone(centre.context, T1))["ahead"] == 3
        assert (await postpone(centre.context, "token-haitang-t4"))["ahead"] == 4
        with pytest.raises(HallSaidNo) as refused:
            await postpone(centre.context, "token-haitang-t4")
    assert refused.value.facts["reason"] == "nothing-to-postpone"
    assert refused.value.problem()["type"] == "nothing-to-postpone"


async def test_what_the_queue_cannot_do_is_said_plainly(centre, box):
    await hall_with(centre, box, "t1")
    box.call()
    await centre.talk(box, box.facts())
    with pytest.raises(IllegalTransition):
        await postpone(centre.context, T1)
    with pytest.raises(IllegalTransition):
        await check_in(centre.context, T1)


async def test_only_a_finished_visit_is_rated_and_only_once(centre, box):
    await hall_with(centre, box, "t1")
    with pytest.raises(IllegalTransition):
        await rate(centre.context, T1, score=5, comment="")
    box.call()
    box.do(c.Start(counter="1"))
    box.do(c.Finish(counter="1"))
    await centre.talk(box, box.facts())
    seen = await rate(centre.context, T1, score=5, comment="很快")
    assert seen["rating"] == {"score": 5, "comment": "很快", "reasons": []}
    assert await rate(centre.context, T1, score=5, comment="很快") == seen
    with pytest.raises(IllegalTransition):
        await rate(centre.context, T1, score=1, comment="")
    assert centre.rows("ALARMS") == []
    assert centre.one("RATINGS")["counter"] == "1"


async def test_a_bad_rating_is_an_alarm_at_once_and_holds_no_number(centre, box):
    await finished(centre, box)
    phone = f"13{random.randrange(10**9):09d}"
    with centre.context.hub.watch() as watcher:
        await rate(centre.context, T1, score=1, comment=f"打我电话{phone}")
        events = [(n.event, n.data["kind"]) for n in await watcher.next(0) if n.event == "alarm"]
    assert events == [("alarm", "bad-rating")]
    assert centre.one("RATINGS")["comment"] == f"打我电话{phone[:3]}****{phone[-4:]}"


async def test_an_evaluators_rating_is_stored_once_and_a_bad_one_is_an_alarm(centre, box):
    await finished(centre, box)
    box.do(c.RateVisit(counter="1", score=2))
    told = box.facts()
    for _ in range(2):
        await centre.talk(box, told)
    assert (centre.one("RATINGS")["score"], centre.one("RATINGS")["counter"]) == (2, "1")
    assert [a["kind"] for a in centre.rows("ALARMS")] == ["bad-rating"]
    with pytest.raises(IllegalTransition):
        await rate(centre.context, T1, score=5, comment="")
