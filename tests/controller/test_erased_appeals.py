"""Why somebody missed an appointment is kept as long as their number, and no longer."""

from datetime import timedelta

import pytest

from controller.use_cases.erasure import PhoneEraser
from controller.use_cases.forgetting import forget_person
from tests.controller.centre import Centre
from tests.controller.promise_scene import REASON, a_phone, alarms, booking_hall, link, missed, seen
from tests.controller.web import web_of

KEEP = 30
ANSWER = "请提前取消"


@pytest.fixture
async def web(centre, box):
    await booking_hall(centre, box)
    async with web_of(centre) as made:
        yield made


async def appealed(web, centre, box, clock, phone=None, *, verdict=None):
    made = await missed(web, centre, box, clock, phone or a_phone())
    said = await web.client.post(link(made, "/appeal"), json={"text": REASON})
    assert said.status_code == 200, said.text
    if verdict:
        await web.login()
        number = centre.rows("APPEALS")[-1]["id"]
        done = await web.client.post(f"/api/appeals/{number}/{verdict}", json={"answer": ANSWER})
        assert done.status_code == 200, done.text
    return made


def in_the_files(tmp_path) -> bool:
    files = [tmp_path / f"controller.db{end}" for end in ("", "-wal")]
    return any(REASON.encode() in file.read_bytes() for file in files if file.exists())


async def test_words_of_an_appeal_go_with_the_number_and_the_decision_stays(
    web, centre, box, clock, tmp_path
):
    await appealed(web, centre, box, clock, verdict="refuse")
    day = centre.rows("APPOINTMENTS")[-1]["day"]
    eraser = PhoneEraser(centre.context, KEEP)
    clock.advance((KEEP - 1) * 86_400)
    assert clock.now().date() == day + timedelta(days=KEEP)
    assert (await eraser.once())["appeals"] == 0
    assert centre.one("APPEALS")["text"] == REASON
    assert in_the_files(tmp_path)
    clock.advance(86_400)
    assert (await eraser.once())["appeals"] == 1
    row = centre.one("APPEALS")
    assert (row["text"], row["answer"], row["state"], row["decided_by"]) == ("", "", "refused", "admin:chief")
    assert not in_the_files(tmp_path)
    assert (await eraser.once())["appeals"] == 0


async def test_an_appeal_nobody_decided_lapses_with_its_alarm(web, centre, box, clock):
    made = await appealed(web, centre, box, clock)
    assert len(alarms(centre, "appeal")) == 1
    clock.advance((KEEP + 1) * 86_400)
    assert (await PhoneEraser(centre.context, KEEP).once())["appeals"] == 1
    assert alarms(centre, "appeal") == []
    assert centre.one("APPEALS")["state"] == "lapsed"
    (listed,) = (await web.client.get("/api/appeals?state=lapsed", headers=web.bearer)).json()
    assert listed["text"] == ""
    await web.login()
    late = await web.client.post(f"/api/appeals/{listed['id']}/grant", json={"answer": ANSWER})
    assert late.json()["type"] == "appeal-decided"
    for page, words in (("/appeals", ("逾期未处理", "已按期清除")), (f"/t/{made['token']}", ("已按期清除",))):
        text = (await web.client.get(page)).text
        assert [word for word in words if word not in text] == [], page
    assert (await seen(web, made))["state"] == "missed"


async def test_who_asks_to_be_forgotten_is_forgotten_with_what_they_said(web, centre, box, clock):
    phone = a_phone()
    await appealed(web, centre, box, clock, phone)
    await appealed(web, centre, box, clock)
    forget_person(centre.database, centre.context.phones, phone, clock.now())
    assert sorted(row["text"] for row in centre.rows("APPEALS")) == ["", REASON]
    assert len(alarms(centre, "appeal")) == 1


async def test_on_postgresql_it_is_the_same(postgres, box, clock, tmp_path):
    centre = Centre(postgres, tmp_path, clock)
    centre.enrol()
    await booking_hall(centre, box)
    async with web_of(centre) as web:
        await appealed(web, centre, box, clock)
    clock.advance((KEEP + 1) * 86_400)
    assert (await PhoneEraser(centre.context, KEEP).once())["appeals"] == 1
    row = centre.one("APPEALS")
    assert (row["text"], row["state"]) == ("", "lapsed")
    centre.close()
