"""Opening hours and the business day."""

from datetime import UTC, date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.clock import FixedClock, SystemClock
from hall_core.schedule.business_day import business_day
from hall_core.schedule.hours import Hours
from tests.hall_core.hall_scene import MONDAY, at

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(stored=DAYS, clock=DAYS, trusted=st.booleans())
def test_a_business_day_never_goes_back(stored: date, clock: date, trusted: bool) -> None:
    assert business_day(stored, clock, trusted=trusted) >= stored


@given(stored=DAYS, clock=DAYS)
def test_a_trusted_clock_is_followed_forward(stored: date, clock: date) -> None:
    assert business_day(stored, clock, trusted=True) == max(stored, clock)


@given(stored=DAYS, clock=DAYS)
def test_a_doubtful_clock_moves_the_day_by_one_at_most(stored: date, clock: date) -> None:
    day = business_day(stored, clock, trusted=False)
    assert stored <= day <= stored + timedelta(days=1)
    assert day == stored or clock > stored


@given(clock=DAYS, trusted=st.booleans())
def test_a_box_without_a_day_takes_the_clocks(clock: date, trusted: bool) -> None:
    assert business_day(None, clock, trusted=trusted) == clock


def test_a_hall_is_open_from_the_start_of_a_span_until_before_its_end() -> None:
    hours = Hours(mon=("09:00-12:00", "13:30-17:00"))
    moments = {(8, 59): False, (9, 0): True, (11, 59): True, (12, 0): False, (13, 30): True, (17, 0): False}
    for (hour, minute), is_open in moments.items():
        assert hours.open_at(at(hour, minute)) is is_open
    assert hours.today(at(9)) == ("09:00-12:00", "13:30-17:00")


def test_by_default_a_hall_is_open_nine_to_five_and_closed_at_weekends() -> None:
    week = [at(10, 0, MONDAY + timedelta(days=n)) for n in range(7)]
    assert [Hours().open_at(day) for day in week] == [True] * 5 + [False] * 2
    assert [Hours().open_at(day.replace(hour=17)) for day in week] == [False] * 7


@given(day=DAYS, minute=st.integers(0, 24 * 60 - 1))
def test_a_hall_that_is_always_open_is_open_at_every_moment(day: date, minute: int) -> None:
    assert Hours.always().open_at(at(0, 0, day) + timedelta(minutes=minute))


@pytest.mark.parametrize("span", ["12:00-09:00", "09:00-09:00", "09:00-24:01", "24:00-24:00"])
def test_a_span_must_run_forward_within_its_day(span: str) -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Hours(mon=(span,))


@pytest.mark.parametrize("span", ["9:00-17:00", "09:00", "09:60-17:00", "25:00-26:00", "09:00-17:00\n", ""])
def test_a_span_has_two_times_of_two_digits(span: str) -> None:
    with pytest.raises(ValueError, match="should match pattern"):
        Hours(mon=(span,))


def test_the_system_clock_is_aware_and_says_whether_it_is_synchronised() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
    said = [SystemClock(synchronised=lambda says=says: says).trusted() for says in (True, False)]
    assert said == [True, False]


def test_a_fixed_clock_moves_both_its_times_when_told_to(clock: FixedClock) -> None:
    wall, mono = clock.now(), clock.monotonic()
    clock.advance(90)
    assert (clock.now() - wall, clock.monotonic() - mono) == (timedelta(seconds=90), 90)
    assert clock.trusted()
