"""Why one number was called before another, as citizens and staff are told."""

from datetime import date

import pytest
from sqlalchemy import select

from controller.store.tables import STREAM_DAYS
from hall_core.queueing import commands as c
from tests.controller.box import Box
from tests.controller.web import web_of

MONDAY = date(2026, 11, 23)


@pytest.fixture
async def open_hall(centre, box):
    await centre.meet(box)
    for counter in ("1", "3"):
        box.do(c.OpenCounter(counter=counter))
    return box


def label_of(box: Box, name: str) -> str:
    return box.queue.tickets[name].label


async def test_who_was_passed_learns_why_and_nothing_about_the_others(centre, open_hall, clock):
    box = open_hall
    box.issue("me")
    clock.advance(300)
    box.issue("other", priority="disabled", channel="wechat")
    box.call("3")
    clock.advance(60)
    await centre.talk(box)
    async with web_of(centre) as web:
        answer = (await web.client.get("/api/t/token-haitang-me/passed")).json()
    (who,) = answer["passed"]
    assert (answer["label"], answer["n"], answer["elsewhere"]) == (label_of(box, "me"), 1, 0)
    assert who == {
        "label": label_of(box, "other"),
        "code": "credit",
        "called_at": "2026-11-23T09:35:00+08:00",
        "text": f"{label_of(box, 'other')} 属于优先办理人群，按规则往前排。",
        "text_en": f"{label_of(box, 'other')} belongs to a priority class and is moved forward by the rules.",
    }
    said = str(answer)
    assert not any(word in said for word in ("disabled", "残", "wechat", "token", "other-"))


async def test_a_clerks_reason_is_for_staff_only(centre, open_hall, clock):
    box = open_hall
    box.issue("me")
    box.issue("chosen")
    box.do(c.Call(counter="1", ticket="chosen", reason="材料补交"))
    await centre.talk(box)
    async with web_of(centre) as web:
        mine = await web.client.get("/api/t/token-haitang-me/passed")
        query = {"one": label_of(box, "chosen"), "other": label_of(box, "me")}
        staff = await web.client.get("/api/halls/haitang/order", params=query, headers=web.bearer)
    assert mine.json()["passed"][0]["code"] == "special-call"
    assert "材料补交" not in mine.text
    assert staff.json()["answer"]["reason"] == "材料补交"


async def test_a_link_nobody_gave_tells_nothing(centre, open_hall):
    async with web_of(centre) as web:
        answer = await web.client.get("/api/t/stranger/passed")
    assert (answer.status_code, answer.json()["type"].split("/")[-1]) == (404, "unknown-ticket")


async def test_what_happens_later_changes_the_answer(centre, open_hall, clock):
    box = open_hall
    box.issue("me")
    await centre.talk(box)
    async with web_of(centre) as web:
        url = "/api/t/token-haitang-me/passed"
        assert (await web.client.get(url)).json()["n"] == 0
        clock.advance(60)
        box.issue("elder", priority="elder")
        box.call()
        await centre.talk(box)
        assert (await web.client.get(url)).json()["n"] == 1


async def test_staff_see_the_days_calls_with_their_times(centre, open_hall, clock):
    box = open_hall
    box.issue("first")
    clock.advance(300)
    box.issue("elder", priority="elder")
    box.call()
    clock.advance(60)
    box.call()
    await centre.talk(box)
    async with web_of(centre) as web:
        answer = (await web.client.get("/api/halls/haitang/order", headers=web.bearer)).json()
        outside = await web.client.get("/api/halls/haitang/order")
    assert outside.status_code == 401
    assert answer["day"] == "2026-11-23"
    assert [(x["label"], x["effective_at"][11:16], x["issued_at"][11:16]) for x in answer["calls"]] == [
        (label_of(box, "first"), "09:30", "09:30"),
        (label_of(box, "elder"), "09:20", "09:35"),
    ]
    assert answer["answer"] is None


async def test_yesterdays_calls_are_explained_from_yesterdays_facts(centre, open_hall, clock):
    box = open_hall
    box.issue("old-1")
    box.issue("old-2", priority="elder")
    box.call()
    clock.advance(24 * 3600)
    box.do(c.OpenBusinessDay(day=box.now.date()))
    box.issue("new-1")
    box.issue("new-2")
    box.call()
    await centre.talk(box)
    async with web_of(centre) as web:

        async def code(day: str) -> str:
            query = {"day": day, "one": "A001", "other": "A002"}
            answer = await web.client.get("/api/halls/haitang/order", params=query, headers=web.bearer)
            return answer.json()["answer"]["code"]

        assert await code("2026-11-23") == "credit"
        assert await code("2026-11-24") == "same-moment"


async def test_a_day_nobody_worked_has_no_calls_and_no_labels(centre, open_hall):
    async with web_of(centre) as web:
        query = {"day": "2026-11-01"}
        url = "/api/halls/haitang/order"
        empty = await web.client.get(url, params=query, headers=web.bearer)
        wrong = await web.client.get(url, params={**query, "one": "A1", "other": "A2"}, headers=web.bearer)
        bad = await web.client.get(url, params={"day": "monday"}, headers=web.bearer)
        nowhere = await web.client.get("/api/halls/nowhere/order", headers=web.bearer)
    assert (empty.json()["calls"], wrong.status_code, bad.status_code) == ([], 404, 422)
    assert nowhere.status_code == 404


async def test_a_replaced_box_and_its_successor_make_one_day(centre, open_hall, clock):
    box = open_hall
    box.issue("old-1")
    box.issue("old-2")
    box.call()
    await centre.talk(box)
    from controller.use_cases.replacing import replace_box

    centre.database.write_now(lambda tx: replace_box(tx, "haitang", clock))
    async with web_of(centre) as web:
        url = "/api/halls/haitang/order"
        query = {"one": "A001", "other": "A002"}
        before = await web.client.get(url, params=query, headers=web.bearer)
        assert before.json()["answer"]["code"] == "same-moment"
        clock.advance(60)
        second = Box(clock, life="two").open()
        await centre.meet(second)
        second.do(c.OpenCounter(counter="1"))
        second.issue("new-1")
        second.call()
        await centre.talk(second)
        answer = (await web.client.get(url, headers=web.bearer)).json()
    labels = [x["label"] for x in reversed(answer["calls"])]
    assert len(labels) == 2
    assert labels[0] == "A001"
    # The old box is plugged in once more and tells what nobody had heard: it comes before the new one's.
    box.do(c.CallNext(counter="3"))
    await centre.hear(box.birth())
    await centre.hear(box.facts())
    async with web_of(centre) as web:
        answer = (await web.client.get("/api/halls/haitang/order", headers=web.bearer)).json()
    assert [x["counter"] for x in reversed(answer["calls"])] == ["1", "3", "1"]
    days = centre.database.read_now(lambda tx: list(tx.execute(select(STREAM_DAYS.c.day)).scalars()))
    assert days == [MONDAY, MONDAY]
