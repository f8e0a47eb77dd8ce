"""Slots of a day: whole, inside the opening hours, and bookable in time."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hall_core.schedule.calendar import minutes_of
from hall_core.schedule.hours import Hours
from hall_core.schedule.slots import SlotPlan, bookable, slots_on
from tests.hall_core.hall_scene import MONDAY, SHANGHAI, at

SUNDAY = MONDAY + timedelta(days=6)
LUNCH = Hours(mon=("09:00-12:00", "13:30-17:00"))


def test_slots_leave_lunch_out() -> None:
    slots = slots_on(SlotPlan(minutes=60), MONDAY, SHANGHAI, minutes_of(LUNCH, {}, MONDAY))
    assert [f"{s.starts_at:%H:%M}" for s in slots] == ["09:00", "10:00", "11:00", "13:30", "14:30", "15:30"]


def test_a_service_that_opens_later_has_fewer_slots() -> None:
    late = ("social", Hours(mon=("10:00-11:30",)))
    slots = slots_on(SlotPlan(minutes=30), MONDAY, SHANGHAI, minutes_of(LUNCH, {}, MONDAY, late))
    assert [f"{s.starts_at:%H:%M}" for s in slots] == ["10:00", "10:30", "11:00"]


def test_a_day_off_has_none() -> None:
    assert slots_on(SlotPlan(), SUNDAY, SHANGHAI, minutes_of(LUNCH, {}, SUNDAY)) == []


def test_a_slot_closes_before_it_begins_and_opens_some_days_ahead() -> None:
    plan = SlotPlan(lead_min=30, days_ahead=2)
    slot = slots_on(plan, MONDAY, SHANGHAI, minutes_of(LUNCH, {}, MONDAY))[2]
    assert f"{slot.starts_at:%H:%M}" == "10:00"
    assert bookable(plan, slot, at(9, 30))
    assert not bookable(plan, slot, at(9, 31))
    assert bookable(plan, slot, at(0, 5) - timedelta(days=2))
    assert not bookable(plan, slot, at(23, 55) - timedelta(days=3))


def test_a_slot_at_nine_is_at_nine_on_the_day_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    slots = slots_on(SlotPlan(minutes=30), date(2026, 10, 25), berlin, [(540, 600)])
    assert [s.starts_at.isoformat() for s in slots] == [
        "2026-10-25T09:00:00+01:00",
        "2026-10-25T09:30:00+01:00",
    ]


@given(minutes=st.integers(5, 240), day=st.integers(0, 6))
def test_slots_follow_each_other_without_overlap_and_lie_in_the_hours(minutes: int, day: int) -> None:
    hours = Hours(mon=("08:15-11:50", "13:00-17:35"), sat=("09:00-12:00",))
    when = MONDAY + timedelta(days=day)
    slots = slots_on(SlotPlan(minutes=minutes), when, SHANGHAI, minutes_of(hours, {}, when))
    for one, two in pairwise(slots):
        assert one.ends_at <= two.starts_at
    for slot in slots:
        assert hours.open_at(slot.starts_at)
        assert hours.open_at(slot.ends_at - timedelta(minutes=1))
        assert slot.ends_at - slot.starts_at == timedelta(minutes=minutes)
