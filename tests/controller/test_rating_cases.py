"""A bad rating reaches the manager at once, and is put right step by step."""

from datetime import timedelta

import pytest

from controller.store import halls as hall_store
from controller.store.database import UNSTORABLE
from controller.store.tables import RATING_CASE_STEPS
from controller.use_cases.citizen import rate
from controller.use_cases.managers import set_manager
from controller.use_cases.rating_cases import case_view, cases_view, take_step
from controller.use_cases.rating_rules import STATES, STEPS, RatingRules, after_step, steps_from
from hall_core.errors import BadRequest, CaseNotReady, IllegalTransition, UnknownCase
from hall_core.queueing import commands as c
from tests.controller.gateway import FakeGateway
from tests.controller.houses import until
from tests.controller.rating_scene import a_phone, alarms, overdue, rated, visited
from tests.controller.sending import sending, states
from tests.controller.web import web_of

LINK = "token-haitang-t1"
HOUR = 3600


@pytest.fixture
async def web(centre):
    async with web_of(centre) as made:
        await made.login()
        yield made


def step_kinds(case):
    return [step["kind"] for step in case["steps"]]


async def through(context, *steps, case=1):
    """Take these steps with words that fit."""
    said = {
        "assign": {"to": "王主任"},
        "answer": {"text": "已加开一个窗口"},
        "call-back": {"result": "satisfied"},
        "close": {},
    }
    for step in steps:
        await take_step(context, case, step, "admin:li", **said[step])


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
    assert (centre.rows("QUARANTINE"), box.acked) == ([], len(box.journal))


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


# step by step


def test_the_steps_have_one_order_and_no_way_round_the_call_back():
    reached = {"open"}
    while True:
        more = {after_step(state, step, "A001") for state in reached for step in steps_from(state)}
        if more <= reached:
            break
        reached |= more
    assert reached == set(STATES)
    assert steps_from("closed") == []
    assert [state for state in STATES if "close" in steps_from(state)] == ["called-back"]
    with pytest.raises(CaseNotReady) as refused:
        after_step("open", "close", "A001")
    assert refused.value.sentence() == "A001 的整改单「待交办」，现在不能「办结」"


async def test_a_case_goes_its_way_and_every_step_tells_by_whom_and_when(centre, box, clock):
    await rated(centre, box, "t1", 1)
    for hours, step in enumerate(STEPS):
        clock.advance(HOUR * (hours > 0))
        await through(centre.context, step)
    case = await case_view(centre.context, 1)
    assert step_kinds(case) == ["opened", "assigned", "answered", "called-back", "closed"]
    assert [step["by"] for step in case["steps"]] == ["evaluator"] + ["admin:li"] * 4
    assert case["steps"][1]["assignee"] == case["assigned_to"] == "王主任"
    assert (case["state"], case["may"], case["late"]) == ("closed", [], "")
    assert case["answered_at"] == case["steps"][2]["at"]
    assert case["closed_at"] == (clock.now()).isoformat()
    assert alarms(centre) == []


async def test_who_is_not_satisfied_gets_another_answer(centre, box, clock):
    await rated(centre, box, "t1", 1)
    context = centre.context
    await through(context, "assign", "answer")
    first = (await case_view(context, 1))["answered_at"]
    clock.advance(HOUR)
    await take_step(context, 1, "call-back", "admin:li", result="unreachable")
    await take_step(context, 1, "call-back", "admin:li", result="not", text="还是太慢")
    await take_step(context, 1, "assign", "admin:li", to="李局长")
    with pytest.raises(CaseNotReady):
        await through(context, "close")
    await take_step(context, 1, "answer", "admin:li", text="再加一个窗口")
    await through(context, "call-back", "close")
    case = await case_view(context, 1)
    assert (case["assigned_to"], case["answered_at"]) == ("李局长", first)
    assert [s["result"] for s in case["steps"] if s["kind"] == "called-back"] == [
        "unreachable",
        "not",
        "satisfied",
    ]


async def test_a_form_that_is_sent_twice_is_one_step(centre, box):
    await rated(centre, box, "t1", 1)
    for step in STEPS:
        await through(centre.context, step, step)
    assert len(centre.rows("RATING_CASE_STEPS")) == 5


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("assign", {"to": " "}),
        ("assign", {"to": "王" * 41}),
        ("answer", {"text": ""}),
        ("answer", {"text": "长" * 501}),
        ("call-back", {"result": "perhaps"}),
    ],
)
async def test_a_step_without_its_words_is_refused_and_changes_nothing(centre, box, step, said):
    await rated(centre, box, "t1", 1)
    order = list(STEPS)
    await through(centre.context, *order[: order.index(step)])
    before = centre.rows("RATING_CASES"), centre.rows("RATING_CASE_STEPS")
    with pytest.raises(BadRequest):
        await take_step(centre.context, 1, step, "admin:li", **said)
    assert (centre.rows("RATING_CASES"), centre.rows("RATING_CASE_STEPS")) == before


async def test_numbers_in_what_staff_write_are_masked(centre, box):
    phone = a_phone()
    await rated(centre, box, "t1", 1)
    await take_step(centre.context, 1, "assign", "admin:li", to="王主任", text=f"回访电话{phone}")
    assert phone not in str(centre.rows("RATING_CASE_STEPS"))
    assert f"{phone[:3]}****{phone[-4:]}" in centre.rows("RATING_CASE_STEPS")[1]["text"]


@pytest.mark.parametrize("what", ["update", "delete"])
async def test_the_database_itself_keeps_every_step(centre, box, what):
    await rated(centre, box, "t1", 1)
    change = (
        RATING_CASE_STEPS.update().values(by="somebody") if what == "update" else RATING_CASE_STEPS.delete()
    )
    with pytest.raises(UNSTORABLE):
        centre.database.write_now(lambda tx: tx.execute(change))
    assert centre.one("RATING_CASE_STEPS")["by"] == "evaluator"


async def test_an_unknown_case_is_not_found(centre):
    for work in (case_view(centre.context, 7), take_step(centre.context, 7, "assign", "admin:li", to="王")):
        with pytest.raises(UnknownCase):
            await work


# deadlines


async def test_a_late_answer_is_an_alarm_until_it_is_given(centre, box, clock):
    await rated(centre, box, "t1", 1)
    await through(centre.context, "assign")
    clock.advance(24 * HOUR - 1)
    await overdue(centre)
    assert alarms(centre) == []
    clock.advance(1)
    for _ in range(2):
        await overdue(centre)
    assert alarms(centre) == [("rating-overdue", "haitang", "case-1-1")]
    case = await case_view(centre.context, 1)
    assert (step_kinds(case), case["late"]) == (["opened", "assigned", "overdue"], "answer")
    await through(centre.context, "answer")
    assert alarms(centre) == []


async def test_a_case_that_stays_open_too_long_goes_to_the_hall_above(centre, box, clock):
    centre.enrol("district", "district-agent")
    centre.database.write_now(lambda tx: hall_store.change_hall(tx, "haitang", parent="district"))
    above, own = a_phone(), a_phone()
    gateway = FakeGateway(clock.now)
    await visited(centre, box, "t1")
    for hall, phone in (("district", above), ("haitang", own)):
        await set_manager(centre.context, hall, phone, "admin:li")
    box.do(c.RateVisit(counter="1", score=1))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
        for hours in (24, 96):
            clock.advance(hours * HOUR)
            await overdue(centre)
            await settle()
    told = [(p.kind, p.to.removeprefix("+86")) for p in gateway.parcels]
    assert told == [("bad-rating", own), ("rating-overdue", own), ("rating-overdue", above)]
    assert set(alarms(centre)[1:]) == {
        ("rating-overdue", "haitang", "case-1-1"),
        ("rating-overdue", "district", "case-1-2"),
    }
    assert (await case_view(centre.context, 1))["late"] == "close"
    await through(centre.context, "assign", "answer", "call-back", "close")
    assert alarms(centre) == []


async def test_a_quiet_round_writes_nothing_and_a_closed_case_is_never_late(centre, box, clock):
    await rated(centre, box, "t1", 1)
    await through(centre.context, *STEPS)
    clock.advance(500 * HOUR)
    before = centre.rows("RATING_CASE_STEPS")
    await overdue(centre)
    assert (centre.rows("RATING_CASE_STEPS"), alarms(centre)) == (before, [])


def test_a_case_is_never_due_to_be_closed_before_it_is_due_to_be_answered(clock):
    dues = RatingRules(timedelta(hours=48), timedelta(hours=2)).dues(clock.now())
    assert dues["close_due"] == dues["answer_due"]


# the interface


async def test_administrators_take_the_steps_and_programs_only_read_them(web, centre, box):
    await rated(centre, box, "t1", 1, "slow")
    (row,) = (await web.client.get("/api/rating-cases?state=open&hall=haitang", headers=web.bearer)).json()
    assert (row["id"], row["reasons"], row["state"], row["counter"]) == (1, ["slow"], "open", "1")
    refused = await web.client.post("/api/rating-cases/1/assign", json={"to": "王主任"}, headers=web.bearer)
    assert refused.status_code == 403
    steps = {
        "assign": {"to": "王主任"},
        "answer": {"text": "已处理"},
        "call-back": {"result": "satisfied"},
        "close": {"text": "完"},
    }
    early = await web.client.post("/api/rating-cases/1/close", json={})
    assert (early.status_code, early.json()["type"]) == (409, "case-not-ready")
    for name, body in steps.items():
        answer = await web.client.post(f"/api/rating-cases/1/{name}", json=body)
        assert answer.status_code == 200, answer.text
    assert answer.json()["steps"][-1]["by"] == "admin:chief"
    assert (await web.client.get("/api/rating-cases?state=unfinished")).json() == []
    assert (await web.client.get("/api/rating-cases/9")).json()["type"] == "unknown-case"
    assert (await web.client.get("/api/rating-cases/99999999999999999999")).status_code == 422


async def test_the_most_urgent_case_comes_first_where_people_look(centre, box, clock):
    await rated(centre, box, "t1", 1)
    clock.advance(HOUR)
    await rated(centre, box, "t2", 2)
    await through(centre.context, *STEPS)
    clock.advance(HOUR)
    await rated(centre, box, "t3", 2)
    seen = await cases_view(centre.context, hall=None, state="unfinished", urgent_first=True)
    assert [case["label"] for case in seen] == ["A002", "A003"]


@pytest.mark.postgres
async def test_cases_and_their_kept_steps_on_postgresql(postgres, tmp_path, clock, box):
    from tests.controller.centre import Centre

    centre = Centre(postgres, tmp_path, clock)
    centre.enrol()
    try:
        await set_manager(centre.context, "haitang", a_phone(), "admin:li")
        await rated(centre, box, "t1", 1, "slow")
        clock.advance(24 * HOUR)
        await overdue(centre)
        await through(centre.context, *STEPS)
        case = await case_view(centre.context, 1)
        assert step_kinds(case) == ["opened", "overdue", "assigned", "answered", "called-back", "closed"]
        assert sorted(states(centre)) == ["manager-haitang.bad-rating.1", "manager-haitang.rating-overdue.2"]
        with pytest.raises(UNSTORABLE):
            centre.database.write_now(lambda tx: tx.execute(RATING_CASE_STEPS.delete()))
    finally:
        centre.close()
