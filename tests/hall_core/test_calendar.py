"""Days that are not like the others win over the week: closed, like another day, with hours or services of their own."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hall_core.errors import BadRequest, HallClosed, ServiceClosed
from hall_core.queueing import commands as c
from hall_core.queueing.opening import hall_open, hours_today, opens_next, service_minutes
from hall_core.queueing.setup import CounterSetup, ServiceSetup
from hall_core.queueing.summary import services_summary, state_hash
from hall_core.schedule.calendar import SpecialDay
from hall_core.schedule.hours import Hours
from tests.hall_core.hall_scene import MONDAY, Box, at

SATURDAY = MONDAY + timedelta(days=5)
AFTERNOONS = Hours(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("13:30-17:00",)))


@pytest.fixture
def box() -> Box:
    """Nine to five on workdays; residence matters in the afternoon only."""
    services = (
        ServiceSetup(id="social", name="社保", prefix="A"),
        ServiceSetup(id="residence", name="户籍", prefix="B", hours=AFTERNOONS),
    )
    return Box.opened(hours=Hours(), services=services)


def special(box: Box, day: Any = MONDAY, **what: Any) -> None:
    box.wish(c.SetCalendar(days=(SpecialDay(day=day, name="特别日", **what),)))


def test_a_holiday_on_a_monday_is_closed(box: Box) -> None:
    box.issue()
    special(box, closed=True)
    assert not hall_open(box.queue, at(10))
    with pytest.raises(HallClosed):
        box.issue()
    assert [s["open"] for s in services_summary(box.queue, at(14))] == [False, False]
    assert opens_next(box.queue, at(10)) == at(9, day=MONDAY + timedelta(days=1))


def test_a_make_up_saturday_works_like_a_friday(box: Box) -> None:
    assert not hall_open(box.queue, at(10, day=SATURDAY))
    special(box, SATURDAY, like="fri")
    assert hours_today(box.queue, at(8, day=SATURDAY)) == ("09:00-17:00",)
    assert service_minutes(box.queue, box.queue.setup.services[1], SATURDAY) == [(13 * 60 + 30, 17 * 60)]


def test_overtime_keeps_everybody_on_duty_longer(box: Box) -> None:
    special(box, spans=("09:00-20:00",))
    assert hall_open(box.queue, at(19, 59))
    assert not hall_open(box.queue, at(20))
    assert service_minutes(box.queue, box.queue.setup.services[1], MONDAY) == [(540, 1200)]


def test_a_duty_roster_opens_some_services_only(box: Box) -> None:
    special(box, SATURDAY, like="mon", spans=("09:00-12:00",), services=("social",))
    social, residence = box.queue.setup.services
    assert service_minutes(box.queue, social, SATURDAY) == [(540, 720)]
    assert service_minutes(box.queue, residence, SATURDAY) == []
    box.now = at(10, day=SATURDAY)
    box.wish(c.OpenBusinessDay(day=SATURDAY))
    box.issue()
    with pytest.raises(ServiceClosed):
        box.issue("residence")


def test_who_waits_at_closing_time_is_called_all_the_same(box: Box) -> None:
    box.now = at(16, 59)
    waiting = box.issue()
    box.open("1")
    box.now = at(18)
    with pytest.raises(HallClosed):
        box.issue()
    assert box.call_next().ticket_id == waiting.ticket_id


def test_at_lunch_no_numbers_are_given_and_who_waits_is_called_all_the_same(box: Box) -> None:
    noon = Hours(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-12:00", "13:30-17:00")))
    box = Box.opened(hours=noon, services=box.queue.setup.services)
    box.now = at(11, 59)
    waiting = box.issue()
    box.open("1")
    box.now = at(12, 30)
    with pytest.raises(HallClosed):
        box.issue()
    assert opens_next(box.queue, at(12, 30)) == at(13, 30)
    assert box.call_next().ticket_id == waiting.ticket_id
    box.now = at(13, 30)
    assert box.issue().label == "A002"


def test_a_new_calendar_replaces_the_old_one(box: Box) -> None:
    before = state_hash(box.queue)
    special(box, closed=True)
    assert state_hash(box.queue) != before
    box.wish(c.SetCalendar(days=()))
    assert hall_open(box.queue, at(10))


def test_a_day_stands_once_in_a_calendar(box: Box) -> None:
    day = SpecialDay(day=MONDAY, name="元旦", closed=True)
    with pytest.raises(BadRequest, match="twice"):
        box.wish(c.SetCalendar(days=(day, day)))


@pytest.mark.parametrize(
    "what",
    [
        {},
        {"closed": True, "like": "mon"},
        {"closed": True, "spans": ()},
        {"spans": ("12:00-09:00",)},
        {"like": "someday"},
    ],
)
def test_a_special_day_says_something_and_no_contradiction(what: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SpecialDay(day=MONDAY, name="特别日", **what)


def test_the_next_opening_skips_holidays_and_lunch(box: Box) -> None:
    days = tuple(SpecialDay(day=MONDAY + timedelta(days=i), name="春节", closed=True) for i in range(1, 5))
    box.wish(c.SetCalendar(days=days))
    assert opens_next(box.queue, at(18)) == at(9, day=MONDAY + timedelta(days=7))
    assert opens_next(box.queue, at(8)) == at(9)
    assert opens_next(box.queue, at(10)) == at(13, 30), "the service of the afternoon"


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (at(8), at(9)),
        (at(12, 30), at(13, 30)),
        (at(17), at(10, day=MONDAY + timedelta(days=1))),
        (at(17, day=MONDAY + timedelta(days=4)), at(9, day=MONDAY + timedelta(days=7))),
    ],
)
def test_the_next_opening_needs_hall_and_service(now: datetime, opens: datetime) -> None:
    hours = Hours(mon=("09:00-12:00", "13:30-17:00"), tue=("09:00-17:00",))
    only = ServiceSetup(id="social", name="社保", prefix="A", hours=Hours(tue=("10:00-12:00",)))
    counters = (CounterSetup(id="1", name="1号窗口", services=("social",)),)
    box = Box.opened(hours=hours, services=(only,), counters=counters)
    assert opens_next(box.queue, now) == opens


def test_a_hall_that_is_never_open_has_no_next_opening() -> None:
    never = Hours(mon=(), tue=(), wed=(), thu=(), fri=())
    box = Box.opened(hours=never)
    assert opens_next(box.queue, at(8)) is None
