"""Ratings are stored once each with their reasons; a bad one reaches the manager at once."""

from datetime import timedelta

import pytest

from controller.use_cases.citizen import rate
from controller.use_cases.managers import set_manager
from controller.use_cases.rating_cases import case_view
from hall_core.errors import BadRequest, IllegalTransition
from hall_core.queueing import commands as c
from tests.controller.gateway import FakeGateway
from tests.controller.houses import until
from tests.controller.rating_scene import a_phone, alarms, rated, visited
from tests.controller.sending import sending, states
from tests.controller.web import web_of

LINK = "token-haitang-t1"
HOUR = 3600


@pytest.fixture
async def web(centre):
    async with web_of(centre) as made:
        await made.login()
        yield made


# what is bad opens a case


async def test_a_bad_rating_opens_a_case_with_deadlines_and_others_do_not(centre, box, clock):
    for name, score in (("t1", 2), ("t2", 3), ("t3", 1)):
        await rated(centre, box, name, score)
    first, second = centre.rows("RATING_CASES")
    assert (first["label"], first["score"], second["label"], second["state"]) == ("A001", 2, "A003", "open")
    assert first["answer_due"] == clock.now() + timedelta(hours=24)
    assert first["close_due"] == clock.now() + timedelta(hours=120)
    assert alarms(centre) == [("bad-rating", "haitang", "t1"), ("bad-rating", "haitang", "t3")]


async def test_reasons_are_stored_as_codes_with_the_rating_or_after_it(centre, box):
    await rated(centre, box, "t1", 1, "slow", "other")
    await rated(centre, box, "t2", 2)
    box.do(c.ExplainRating(counter="1", ticket="t2", reasons=("sent-away", "waited")))
    await centre.talk(box, box.facts())
    assert [row["reasons"] for row in centre.rows("RATINGS")] == ["slow,other", "waited,sent-away"]
    assert (await case_view(centre.context, 2))["reasons"] == ["waited", "sent-away"]


async def test_what_came_over_the_link_first_stands_with_its_own_reasons(centre, box):
    await visited(centre, box, "t1")
    await rate(centre.context, LINK, score=2, comment="", reasons=["attitude"])
    box.do(c.RateVisit(counter="1", score=1, reasons=("slow",)))
    await centre.talk(box, box.facts())
    rating = centre.one("RATINGS")
    assert (rating["score"], rating["reasons"], rating["channel"]) == (2, "attitude", "web")
    assert len(centre.rows("RATING_CASES")) == 1
    # no fact was set aside: both sides have stored what the evaluator sent
    assert alarms(centre, open_only=False) == [("bad-rating", "haitang", "t1")]
    assert centre.rows("FACTS")[-1]["kind"] == "ticket-rated"


async def test_an_evaluators_late_reasons_are_not_put_into_the_citizens_mouth(centre, box):
    await visited(centre, box, "t1")
    await rate(centre.context, LINK, score=2, comment="")
    box.do(c.RateVisit(counter="1", score=1))
    box.do(c.ExplainRating(counter="1", ticket="t1", reasons=("slow",)))
    await centre.talk(box, box.facts())
    assert centre.one("RATINGS")["reasons"] == ""


async def test_what_the_evaluator_took_first_is_not_rated_again_over_the_link(centre, box):
    await rated(centre, box, "t1", 5)
    with pytest.raises(IllegalTransition):
        await rate(centre.context, LINK, score=1, comment="", reasons=["slow"])
    assert (centre.one("RATINGS")["score"], centre.rows("RATING_CASES")) == (5, [])


@pytest.mark.parametrize(("score", "reasons"), [(3, ["slow"]), (1, ["weather"])])
async def test_reasons_of_a_good_rating_or_of_no_list_are_refused(centre, box, score, reasons):
    await visited(centre, box, "t1")
    with pytest.raises(BadRequest):
        await rate(centre.context, LINK, score=score, comment="", reasons=reasons)
    assert centre.rows("RATINGS") == []


async def test_a_hall_that_was_away_for_the_night_still_tells_of_yesterdays_ratings(centre, box, clock):
    await visited(centre, box, "t1")
    said_at = clock.now()
    box.do(c.RateVisit(counter="1", score=1))
    clock.advance(24 * HOUR)
    box.do(c.OpenBusinessDay(day=box.now.date()))
    await centre.talk(box, box.facts())
    assert centre.one("RATINGS")["at"] == said_at
    assert centre.one("RATING_CASES")["opened_at"] == clock.now()


async def test_the_same_facts_again_open_no_second_case_and_ring_nobody_again(centre, box):
    await visited(centre, box, "t1")
    await set_manager(centre.context, "haitang", a_phone(), "admin:li")
    box.do(c.RateVisit(counter="1", score=1))
    told = box.facts()
    for _ in range(2):
        await centre.talk(box, told)
    assert [len(centre.rows(t)) for t in ("RATINGS", "RATING_CASES", "RATING_CASE_STEPS", "NOTICES")] == [
        1
    ] * 4


# the manager's telephone


async def test_a_bad_rating_is_at_the_managers_telephone_and_page_before_the_clock_moves(centre, box, clock):
    phone, gateway = a_phone(), FakeGateway(clock.now)
    await visited(centre, box, "t1", phone=a_phone())
    await set_manager(centre.context, "haitang", phone, "admin:li")
    before = clock.now()
    async with sending(centre, gateway):
        with centre.context.hub.watch() as watcher:
            box.do(c.RateVisit(counter="1", score=1))
            await centre.talk(box, box.facts())
            await until(lambda: any(p.kind == "bad-rating" for p in gateway.parcels))
            told = [n.data["kind"] for n in await watcher.next(0) if n.event == "alarm"]
    (parcel,) = [p for p in gateway.parcels if p.kind == "bad-rating"]
    assert (parcel.to, told) == (f"+86{phone}", ["bad-rating"])
    assert parcel.text == "【滨江政务】海棠街道便民服务中心收到差评：A001，1号窗口，请在11月24日09:30前答复。"
    assert gateway.times[parcel.client_ref] == before
    assert not any(p.to == parcel.to for p in gateway.parcels if p.kind != "bad-rating")


async def test_the_ticket_may_be_in_any_state(centre, box, clock):
    """The citizen rates while still at the counter, and is then sent on."""
    gateway = FakeGateway(clock.now)
    await set_manager(centre.context, "haitang", a_phone(), "admin:li")
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    box.issue("t1")
    box.call()
    box.do(c.Start(counter="1"))
    box.do(c.RateVisit(counter="1", score=1))
    box.do(c.Transfer(counter="1", to_service="tax"))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert states(centre) == {"manager-haitang.bad-rating.1": "accepted"}


async def test_nobody_is_told_in_a_hall_without_a_number_nor_for_another_hall(centre, box):
    centre.enrol("other", "other-agent")
    await set_manager(centre.context, "other", a_phone(), "admin:li")
    await rated(centre, box, "t1", 1)
    assert centre.rows("NOTICES") == []
    assert len(centre.rows("RATING_CASES")) == 1


async def test_a_managers_number_is_shown_masked_and_stored_sealed(web, centre):
    path, phone = "/api/halls/haitang/manager-phone", a_phone()
    assert (await web.client.get(path)).json() == {"hall": "haitang", "phone": None}
    kept = await web.client.put(path, json={"phone": phone})
    assert kept.json() == {"hall": "haitang", "phone": f"{phone[:3]}****{phone[-4:]}"}
    assert phone not in str(centre.rows("HALL_MANAGERS"))
    bad = await web.client.put(path, json={"phone": phone[:-1] + "x"})
    assert (bad.status_code, phone[:-1] in bad.text) == (422, False)
    assert (await web.client.delete(path)).status_code == 204
    assert (await web.client.get(path)).json()["phone"] is None
    assert (await web.client.get("/api/halls/nowhere/manager-phone")).status_code == 404
    for call in (web.client.get(path, headers=web.bearer), web.client.delete(path, headers=web.bearer)):
        assert (await call).status_code == 403
