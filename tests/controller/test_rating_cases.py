"""A bad rating is put right step by step, within its deadlines."""

from datetime import timedelta

import pytest

from controller.store import halls as hall_store
from controller.store.database import UNSTORABLE
from controller.store.tables import RATING_CASE_STEPS
from controller.use_cases.managers import set_manager
from controller.use_cases.rating_cases import case_view, cases_view, take_step
from controller.use_cases.rating_rules import STATES, STEPS, RatingRules, after_step, steps_from
from hall_core.errors import BadRequest, CaseNotReady, UnknownCase
from hall_core.queueing import commands as c
from tests.controller.gateway import FakeGateway
from tests.controller.rating_scene import a_phone, alarms, overdue, rated, visited
from tests.controller.sending import sending, states
from tests.controller.web import web_of

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


async def test_whoever_waits_for_an_answer_goes_before_who_has_one(centre, box, clock):
    await rated(centre, box, "t1", 1)
    clock.advance(HOUR)
    await rated(centre, box, "t2", 2)
    await through(centre.context, "assign", "answer")
    seen = await cases_view(centre.context, hall=None, state="unfinished", urgent_first=True)
    assert [case["label"] for case in seen] == ["A002", "A001"]


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
