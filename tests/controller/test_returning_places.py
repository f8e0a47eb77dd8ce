"""A place that was given up comes back later, nobody knows when, and to nobody in particular."""

from datetime import datetime, timedelta

import pytest

from hall_core.schedule.slots import SlotPlan
from tests.controller.draw_scene import (
    TO_OPENING,
    WINDOW,
    a_phone,
    announced,
    draw_hall,
    enter,
    fair,
    look,
)
from tests.controller.test_appointments import booked, link, slots
from tests.controller.web import web_of

PLAN = SlotPlan(minutes=30, places=1, days_ahead=3)


@pytest.fixture
async def web(centre, box):
    await draw_hall(centre, box, PLAN)
    async with web_of(centre) as made:
        yield made


async def left(web, clock, nth=10):
    return (await slots(web, clock, days=1)).json()[nth]["left"]


async def given_up(web, clock):
    made = await booked(web, clock, days=1, nth=10)
    await web.client.post(link(made, "/cancel"))
    return made


async def test_a_place_returns_after_the_time_that_was_drawn_for_it(web, centre, clock):
    await given_up(web, clock)
    clock.advance(10 * 60 - 1)
    await look(centre)
    assert await left(web, clock) == 0
    clock.advance(1)
    await look(centre)
    assert await left(web, clock) == 1


@pytest.mark.parametrize(("chance", "minutes"), [(0.0, 3), (1.0, 20)])
async def test_three_to_twenty_minutes(web, centre, clock, chance, minutes):
    fair(centre, chance=lambda: chance)
    await given_up(web, clock)
    row = centre.one("FREED_PLACES")
    assert row["returns_at"] == clock.now() + timedelta(minutes=minutes)


async def test_a_restart_keeps_the_time(web, centre, clock):
    await given_up(web, clock)
    later = centre.again()
    try:
        clock.advance(10 * 60 - 1)
        await look(later)
        assert len(later.rows("FREED_PLACES")) == 1
        clock.advance(1)
        await look(later)
        assert later.rows("FREED_PLACES") == []
        assert later.one("SLOTS_TAKEN")["taken"] == 0
    finally:
        later.close()


async def test_a_place_returns_before_it_can_no_longer_be_booked(web, centre, clock):
    made = await booked(web, clock, nth=10)
    starts_at = datetime.fromisoformat(made["starts_at"])
    clock.advance((starts_at - clock.now()).total_seconds() - 34 * 60)
    await web.client.post(link(made, "/cancel"))
    assert centre.one("FREED_PLACES")["returns_at"] == starts_at - timedelta(minutes=30)


async def test_a_place_that_was_moved_away_from_returns_in_the_same_way(web, centre, clock):
    made = await booked(web, clock, days=1, nth=10)
    other = (await slots(web, clock, days=2)).json()[0]
    await web.client.post(link(made, "/reschedule"), json={"starts_at": other["starts_at"]})
    assert await left(web, clock) == 0
    assert len(centre.rows("FREED_PLACES")) == 1


async def test_who_gives_up_twice_frees_one_place(web, centre, clock):
    made = await given_up(web, clock)
    await web.client.post(link(made, "/cancel"))
    assert len(centre.rows("FREED_PLACES")) == 1
    clock.advance(3600)
    await look(centre)
    await look(centre)
    assert centre.one("SLOTS_TAKEN")["taken"] == 0


async def test_no_wait_is_wanted_and_there_is_none(web, centre, clock):
    fair(centre, shortest=timedelta(0), longest=timedelta(0))
    await given_up(web, clock)
    assert await left(web, clock) == 1


async def test_who_waits_on_the_list_gets_it_before_everybody(centre, box, clock):
    await draw_hall(centre, box, PLAN.model_copy(update={"draw_min": 5, "draw_at": "10:00"}))
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    for _ in range(3):
        await enter(centre, draw, 0, phone=a_phone())
    clock.advance(WINDOW)
    await look(centre)
    first, second, third = sorted(centre.rows("DRAW_ENTRIES"), key=lambda row: row["rank"])
    async with web_of(centre) as web:
        await web.client.post(link(first, "/cancel"))
        clock.advance(10 * 60)
        await look(centre)
        states = [(await web.client.get(link(row))).json()["state"] for row in (first, second, third)]
    assert states == ["cancelled", "booked", "waiting-list"]
    assert centre.one("SLOTS_TAKEN")["taken"] == 1
