"""Calendars: the national days, over them what an administrator says; halls are wished the difference once."""

from datetime import UTC, date, datetime

import pytest

from controller.use_cases.calendars import CalendarKeeper
from controller.use_cases.national_days import make_up_days_known, national_days
from hall_core.queueing import commands as c
from tests.controller.box import Box
from tests.controller.web import web_of


@pytest.fixture
def box(box):
    """A hall that keeps the national days."""
    box.do(c.ConfigureHall(setup=box.queue.setup.model_copy(update={"holidays": "CN"})))
    return box


@pytest.fixture
async def web(centre, box):
    await centre.meet(box)
    await centre.talk(box, box.report())
    async with web_of(centre) as made:
        answer = await made.login()
        assert answer.status_code == 303
        yield made


@pytest.fixture
def keeper(centre):
    return CalendarKeeper(centre.context)


async def round_(centre, keeper, box):
    await keeper.look()
    await centre.talk(box, box.report())


def named(days):
    return {special.day: special for special in days}


def test_national_days_are_closed_and_make_up_days_are_worked():
    days = named(national_days("CN", 2026))
    assert days[date(2026, 10, 1)].closed
    assert days[date(2026, 10, 1)].name == "国庆节"
    # 10 October is worked for Wednesday, 7 October; 20 September for Tuesday, the 6th.
    assert days[date(2026, 10, 10)].like == "wed"
    assert days[date(2026, 9, 20)].like == "tue"
    assert not any(special.like for special in national_days("CN", 2027))


def test_what_is_not_announced_yet_is_not_known():
    assert make_up_days_known("CN", 2026)
    assert not make_up_days_known("CN", 2040)
    assert make_up_days_known("DE", 2040)


async def test_a_hall_is_told_the_national_days_of_more_than_a_year(centre, keeper, box):
    await centre.meet(box)
    await centre.talk(box, box.report())
    await round_(centre, keeper, box)
    assert box.queue.calendar["2027-01-01"].closed
    assert "2026-10-01" not in box.queue.calendar, "what is over is over"
    facts = len(box.journal)
    await round_(centre, keeper, box)
    assert len(box.journal) == facts, "said once"


async def test_a_hall_that_keeps_no_holidays_is_told_nothing(centre, keeper, box):
    box.do(c.ConfigureHall(setup=box.queue.setup.model_copy(update={"holidays": "none"})))
    await centre.meet(box)
    await centre.talk(box, box.report())
    await round_(centre, keeper, box)
    assert box.queue.calendar == {}


async def test_an_administrators_day_wins_and_the_halls_own_wins_over_that_for_all(web, centre, keeper, box):
    day = "2027-01-01"
    put = {"name": "延时服务", "spans": ["09:00-20:00"]}
    assert (await web.client.put(f"/api/calendar/*/{day}", json=put)).status_code == 204
    await round_(centre, keeper, box)
    assert box.queue.calendar[day].spans == ("09:00-20:00",)
    own = {"name": "停电", "closed": True}
    assert (await web.client.put(f"/api/calendar/haitang/{day}", json=own)).status_code == 204
    await round_(centre, keeper, box)
    assert box.queue.calendar[day].name == "停电"
    assert (await web.client.put(f"/api/calendar/haitang/{day}", json={"ordinary": True})).status_code == 204
    await round_(centre, keeper, box)
    assert day not in box.queue.calendar
    for scope in ("haitang", "*"):
        assert (await web.client.delete(f"/api/calendar/{scope}/{day}")).status_code == 204
    await round_(centre, keeper, box)
    assert box.queue.calendar[day].name == "元旦"


async def test_the_calendar_tells_where_each_day_comes_from(web):
    own = {"name": "停电", "closed": True}
    await web.client.put("/api/calendar/haitang/2027-03-01", json=own)
    await web.client.put("/api/calendar/*/2027-03-02", json=own)
    answer = await web.client.get("/api/calendar", params={"hall": "haitang", "year": 2027})
    sources = {row["day"]: row["source"] for row in answer.json()}
    assert (sources["2027-03-01"], sources["2027-03-02"], sources["2027-01-01"]) == (
        "hall",
        "all",
        "national",
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "slug"),
    [
        ("/api/calendar/haitang/2027-03-01", {"name": "x"}, 422, "bad-request"),
        (
            "/api/calendar/haitang/2027-03-01",
            {"name": "x", "closed": True, "like": "mon"},
            422,
            "bad-request",
        ),
        ("/api/calendar/haitang/2027-03-01", {"name": "x", "spans": ["20:00-09:00"]}, 422, "bad-request"),
        ("/api/calendar/haitang/2027-13-01", {"name": "x", "closed": True}, 422, "bad-request"),
        ("/api/calendar/nowhere/2027-03-01", {"name": "x", "closed": True}, 404, "unknown-hall"),
    ],
)
async def test_a_day_that_makes_no_sense_is_refused(web, centre, path, body, status, slug):
    answer = await web.client.put(path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, slug)
    assert centre.rows("CALENDAR") == []


async def test_a_program_reads_the_calendar_and_does_not_write_it(web):
    web.client.cookies.clear()
    body = {"name": "停电", "closed": True}
    answer = await web.client.put("/api/calendar/*/2027-03-01", json=body, headers=web.bearer)
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    seen = await web.client.get("/api/calendar", params={"hall": "haitang", "year": 2027}, headers=web.bearer)
    assert seen.status_code == 200


async def test_a_new_box_is_told_the_calendar(centre, keeper, clock, box):
    await centre.meet(box)
    await centre.talk(box, box.report())
    await round_(centre, keeper, box)
    second = Box(clock, life="two").open()
    second.do(c.ConfigureHall(setup=second.queue.setup.model_copy(update={"holidays": "CN"})))
    await centre.talk(second, second.state(), second.birth())
    await centre.talk(second, second.report())
    await round_(centre, keeper, second)
    assert second.queue.calendar["2027-01-01"].closed


async def test_an_alarm_stands_until_next_years_make_up_days_are_known(web, centre, keeper, box, clock):
    def open_alarms():
        return [a for a in centre.rows("ALARMS") if a["kind"] == "calendar-missing" and not a["closed_at"]]

    await keeper.look()
    (alarm,) = open_alarms()
    assert "2027" in alarm["text"]
    saturday = "2027-01-30"
    await web.client.put(f"/api/calendar/*/{saturday}", json={"name": "春节调休", "like": "mon"})
    await keeper.look()
    assert open_alarms() == []


async def test_in_spring_nobody_is_bothered_about_next_year(centre, keeper, box, clock):
    clock.wall = datetime(2027, 3, 1, 2, tzinfo=UTC)
    await centre.meet(box)
    await keeper.look()
    assert [a for a in centre.rows("ALARMS") if a["kind"] == "calendar-missing"] == []


async def test_a_closed_day_has_no_slots_and_gives_no_numbers_online(web, centre, keeper, box, clock):
    today = clock.now().astimezone(box.now.tzinfo).date().isoformat()
    await web.client.put(f"/api/calendar/*/{today}", json={"name": "停电", "closed": True})
    await round_(centre, keeper, box)
    body = {"service": "household", "channel": "web"}
    answer = await web.client.post("/api/halls/haitang/tickets", json=body, headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["type"]) == (409, "hall-closed")
