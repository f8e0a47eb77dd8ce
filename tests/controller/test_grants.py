"""Zones: named to one box, disjoint, ahead of time, never taken back."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.use_cases.granting import HORIZON_DAYS, missing_zones
from hall_core.clock import FixedClock
from hall_core.errors import NoGrant
from hall_core.queueing import commands as c
from tests.controller.box import Box, hall_setup


def zones(centre) -> dict[str, list[tuple[int, date, date]]]:
    found: dict[str, list[tuple[int, date, date]]] = {}
    for row in sorted(centre.rows("GRANTS"), key=lambda row: row["first_day"]):
        place = (row["zone"], row["first_day"], row["last_day"])
        found.setdefault(row["incarnation"], []).append(place)
    return found


def held_until(box: Box) -> date:
    return max(g.last_day for g in box.queue.grants if g.incarnation == box.incarnation)


async def test_the_first_box_gets_zone_0_at_least_14_days_ahead(centre, box):
    await centre.meet(box)
    assert [g.zone for g in box.queue.grants] == [0]
    assert held_until(box) >= box.now.date() + timedelta(days=HORIZON_DAYS)
    assert box.issue("t1").label == "A001"


async def test_a_box_that_comes_again_is_granted_nothing_twice(centre, box):
    await centre.meet(box)
    await centre.talk(box, box.birth())
    assert len(centre.rows("GRANTS")) == 1


async def test_grants_are_renewed_while_the_box_stays_connected(centre, box, clock):
    await centre.meet(box)
    until = held_until(box)
    for _ in range(40):
        clock.advance(24 * 3600)
        await centre.talk(box, box.report())
        assert held_until(box) >= box.now.date() + timedelta(days=HORIZON_DAYS)
    assert held_until(box) > until


async def test_a_box_that_was_away_for_weeks_gets_numbers_for_today(centre, box, clock):
    await centre.meet(box)
    clock.advance(60 * 24 * 3600)
    await centre.talk(box, box.birth())
    box.do(c.OpenBusinessDay(day=box.now.date()))
    assert box.issue("t1").label == "A001"


async def test_a_new_box_whose_clock_made_up_a_day_gets_no_numbers_for_it_until_it_begins_anew(centre, clock):
    lost = Box(clock, life="lost")
    lost.do(c.ConfigureHall(setup=hall_setup()))
    lost.do(c.OpenBusinessDay(day=date(2040, 5, 5), trusted=False))
    await centre.meet(lost)
    with pytest.raises(NoGrant):
        lost.issue("t1")
    assert centre.rows("GRANTS") == []
    assert [row["kind"] for row in centre.rows("ALARMS") if not row["closed_at"]] == ["clock-ahead"]
    again = await centre.meet(Box(clock, life="again").open())
    assert (again.issue("t1").day, again.queue.find("t1").label) == (again.now.date(), "A001")
    assert [row["kind"] for row in centre.rows("ALARMS") if not row["closed_at"]] == []


async def test_a_day_ahead_that_somebody_answers_for_is_followed(centre, clock):
    ahead = Box(clock, life="ahead")
    ahead.do(c.ConfigureHall(setup=hall_setup()))
    ahead.do(c.OpenBusinessDay(day=date(2040, 5, 5), trusted=True))
    await centre.meet(ahead)
    assert ahead.issue("t1").day == date(2040, 5, 5)


async def test_a_centre_that_does_not_know_the_time_follows_a_new_box(centre, clock):
    clock.wall, clock.synchronised = clock.wall - timedelta(days=900), False
    box = Box(FixedClock(clock.wall + timedelta(days=900)), life="right")
    box.do(c.ConfigureHall(setup=hall_setup()))
    box.do(c.OpenBusinessDay(day=box.now.date(), trusted=False))
    await centre.meet(box)
    assert box.issue("t1").day == box.now.date()


async def test_a_replacement_box_gets_the_next_zone_for_days_already_granted(centre, box, clock):
    await centre.meet(box)
    clock.advance(5 * 24 * 3600)
    second = await centre.meet(Box(clock, life="two").open())
    assert second.issue("t1").label == "A1001"
    granted = zones(centre)
    last = granted[box.incarnation][-1][2]
    assert [(zone, first) for zone, first, _ in granted[second.incarnation]] == [
        (1, second.now.date()),
        (0, last + timedelta(days=1)),
    ]
    third = await centre.meet(Box(clock, life="three").open())
    assert third.issue("t2").label == "A2001"


async def test_a_replacement_box_hears_none_of_the_wishes_to_the_one_before(centre, box, clock):
    await centre.meet(box)
    second = await centre.meet(Box(clock, life="two").open())
    assert {g.incarnation for g in second.queue.grants} == {second.incarnation}
    assert second.wish_stream != box.wish_stream


async def test_the_old_box_coming_back_is_an_alarm_and_keeps_its_own_zone(centre, box, clock):
    await centre.meet(box)
    second = await centre.meet(Box(clock, life="two").open())
    second.issue("t1")
    await centre.talk(second, second.facts())
    box.issue("t1-old")
    await centre.talk(box, box.birth(), box.facts())
    assert {row["label"] for row in centre.rows("TICKETS")} == {"A001", "A1001"}
    assert [row["kind"] for row in centre.rows("ALARMS")] == ["old-box-returned"]
    assert centre.live.by_id("haitang").stream == second.stream


async def test_numbers_a_box_granted_itself_are_adopted(centre, box, clock):
    today = box.now.date()
    own = c.GrantZone(
        grant_id="self",
        incarnation=box.incarnation,
        zone=0,
        first_day=today,
        last_day=today + timedelta(days=20),
    )
    box.do(own)
    assert box.issue("t1").label == "A001"
    await centre.talk(box, box.state(), box.birth(), box.facts(after=0))
    adopted = {row["grant_id"]: row["adopted"] for row in centre.rows("GRANTS")}
    assert adopted["self"] is True
    second = await centre.meet(Box(clock, life="two").open())
    assert second.issue("t2").label == "A1001"


LIVES = st.lists(
    st.tuples(st.sampled_from(["one", "two", "three", "four"]), st.integers(0, 25)), min_size=1, max_size=25
)


@given(LIVES)
def test_no_two_boxes_ever_hold_one_zone_on_one_day(lives):
    today, rows = date(2026, 11, 23), []
    for box, later in lives:
        today += timedelta(days=later)
        for zone in missing_zones(rows, box, today):
            row = {"incarnation": box, "line": "*", "zone": zone.zone}
            rows.append({**row, "first_day": zone.first_day, "last_day": zone.last_day})
        horizon = [today + timedelta(days=i) for i in range(HORIZON_DAYS + 1)]
        own = [r for r in rows if r["incarnation"] == box]
        assert all(any(r["first_day"] <= day <= r["last_day"] for r in own) for day in horizon)
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            together = one["first_day"] <= other["last_day"] and other["first_day"] <= one["last_day"]
            assert not (together and one["zone"] == other["zone"])
