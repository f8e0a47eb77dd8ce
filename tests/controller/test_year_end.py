"""The weeks in which next year's working days are not announced yet, and what was promised meanwhile."""

from datetime import UTC, datetime

import pytest

from controller.use_cases.calendars import CalendarKeeper
from hall_core.queueing import commands as c
from hall_core.queueing.setup import HallSetup
from hall_core.schedule.slots import SlotPlan
from tests.controller.box import Box, hall_setup
from tests.controller.promise_scene import BOOK, a_phone, link
from tests.controller.web import web_of

FIRST_MONDAY, NEW_YEAR, SUNDAY = "2027-01-04", "2027-01-01", "2027-01-03"


@pytest.fixture
def box(clock):
    """A hall that books two weeks ahead, on the 28th of December; its file says nothing about hours and holidays."""
    clock.wall = datetime(2026, 12, 28, 1, 30, tzinfo=UTC)
    household, tax = hall_setup().services
    household = household.model_copy(update={"appointments": SlotPlan(minutes=30, places=5, days_ahead=14)})
    said = hall_setup().model_dump(exclude={"holidays", "hours", "services"})
    made = Box(clock).open()
    made.do(c.ConfigureHall(setup=HallSetup(**said, services=(household, tax))))
    return made


@pytest.fixture
def keeper(centre):
    return CalendarKeeper(centre.context)


@pytest.fixture
async def web(centre, keeper, box):
    await centre.meet(box)
    await settled(centre, keeper, box)
    async with web_of(centre) as made:
        await made.login()
        yield made


async def settled(centre, keeper, box):
    """What is set is known to the hall, and looked at."""
    for _ in range(2):
        await keeper.look()
        await centre.talk(box, box.report())


async def slots(web, day):
    asked = {"service": "household", "day": day}
    answer = await web.client.get("/api/halls/haitang/slots", params=asked, headers=web.bearer)
    assert answer.status_code == 200, answer.text
    return [slot["starts_at"] for slot in answer.json()]


async def booked(web, starts_at, key):
    body = {"service": "household", "starts_at": starts_at, "phone": a_phone()}
    answer = await web.client.post(BOOK, json=body, headers={**web.bearer, "Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return answer.json()


def alarms(centre, kind):
    rows = [row for row in centre.rows("ALARMS") if row["kind"] == kind and not row["closed_at"]]
    return [(row["hall"], row["subject"], row["text"]) for row in rows]


def test_a_hall_keeps_the_chinese_holidays_unless_its_file_says_otherwise(box):
    assert box.queue.setup.holidays == "CN"


async def test_fixed_holidays_are_closed_before_the_make_up_days_are_known_and_an_alarm_says_so(web, centre):
    assert await slots(web, NEW_YEAR) == []
    assert await slots(web, SUNDAY) == []
    assert len(await slots(web, FIRST_MONDAY)) > 0
    ((_, country, text),) = alarms(centre, "calendar-missing")
    assert (country, "2027" in text) == ("CN", True)


async def test_a_make_up_sunday_that_is_entered_can_be_booked(web, centre, keeper, box):
    put = await web.client.put(f"/api/calendar/*/{SUNDAY}", json={"name": "元旦调休", "like": "fri"})
    assert put.status_code == 204, put.text
    await settled(centre, keeper, box)
    assert (await slots(web, SUNDAY))[0] == f"{SUNDAY}T09:00:00+08:00"
    assert alarms(centre, "calendar-missing") == []


async def test_appointments_on_a_day_that_is_closed_later_are_an_alarm_until_they_have_another_time(
    web, centre, keeper, box
):
    first, second, *_ = await slots(web, FIRST_MONDAY)
    kept, moved, cancelled = [await booked(web, at, f"k{n}") for n, at in enumerate((second, first, first))]
    await settled(centre, keeper, box)
    assert alarms(centre, "appointments-closed") == []
    closed = {"name": "元旦调休", "spans": ["09:30-17:00"]}
    await web.client.put(f"/api/calendar/haitang/{FIRST_MONDAY}", json=closed)
    await settled(centre, keeper, box)
    ((hall, day, text),) = alarms(centre, "appointments-closed")
    assert (hall, day) == ("haitang", FIRST_MONDAY)
    assert "01月04日 有 2 个预约" in text
    other = {"starts_at": (await slots(web, "2027-01-05"))[0]}
    assert (await web.client.post(link(moved, "/reschedule"), json=other)).status_code == 200
    await settled(centre, keeper, box)
    assert len(alarms(centre, "appointments-closed")) == 1
    assert (await web.client.post(link(cancelled, "/cancel"))).status_code == 200
    await settled(centre, keeper, box)
    assert alarms(centre, "appointments-closed") == []
    assert kept["starts_at"] == second


async def test_who_booked_for_a_closed_day_is_told_once_if_it_stays_closed(web, centre, keeper, box, clock):
    first, second, *_ = await slots(web, FIRST_MONDAY)
    kept, lost = [await booked(web, at, f"k{n}") for n, at in enumerate((second, first))]
    closed = {"name": "元旦调休", "spans": ["09:30-17:00"]}
    await web.client.put(f"/api/calendar/haitang/{FIRST_MONDAY}", json=closed)
    await settled(centre, keeper, box)

    def told():
        return [(r["ticket_id"], r["text"]) for r in centre.rows("NOTICES") if r["kind"] == "day-closed"]

    assert told() == [], "whoever has set it may take it back"
    clock.advance(601)
    for _ in range(2):
        await settled(centre, keeper, box)
    ((ticket, text),) = told()
    assert ticket == lost["appointment_id"]
    assert "01月04日09:00" in text
    assert len(text) <= 70
    assert kept["appointment_id"] != ticket


async def test_a_day_that_opens_again_ends_the_alarm(web, centre, keeper, box):
    await booked(web, (await slots(web, FIRST_MONDAY))[0], "k1")
    path = f"/api/calendar/*/{FIRST_MONDAY}"
    await web.client.put(path, json={"name": "停电", "closed": True})
    await settled(centre, keeper, box)
    assert len(alarms(centre, "appointments-closed")) == 1
    await web.client.delete(path)
    await settled(centre, keeper, box)
    assert alarms(centre, "appointments-closed") == []
