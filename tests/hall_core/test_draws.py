"""A draw's order: everybody once, whenever they came, as committed to, and provable."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hall_core.schedule.draws import commitment, drawn, findings
from hall_core.schedule.slots import Slot, SlotPlan, bookable, opening_of, returns_at
from tests.hall_core.hall_scene import SHANGHAI

SEEDS = st.binary(min_size=32, max_size=32)
NAMES = st.lists(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=1, max_size=26), unique=True)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


@given(SEEDS, NAMES)
def test_everybody_stands_in_the_order_once(seed: bytes, names: list[str]) -> None:
    assert sorted(drawn(seed, names)) == sorted(names)


@given(SEEDS, NAMES, st.randoms(use_true_random=False))
def test_who_came_first_makes_no_difference(seed: bytes, names: list[str], shuffle: random.Random) -> None:
    other = list(names)
    shuffle.shuffle(other)
    assert drawn(seed, names) == drawn(seed, other)


@given(SEEDS, NAMES)
def test_what_was_promised_is_in_order(seed: bytes, names: list[str]) -> None:
    said = findings(commitment(seed), seed.hex(), names, drawn(seed, names))
    assert [good for good, _ in said] == [True, True, True]


@given(SEEDS, SEEDS, NAMES)
def test_another_seed_breaks_the_commitment(seed: bytes, other: bytes, names: list[str]) -> None:
    kept, once, follows = findings(commitment(seed), other.hex(), names, drawn(other, names))
    assert (kept[0], once[0], follows[0]) == (seed == other, True, True)


@given(SEEDS, st.lists(st.text("ABC", min_size=1, max_size=5), unique=True, min_size=2), st.data())
def test_somebody_moved_added_or_left_out_is_found(
    seed: bytes, names: list[str], data: st.DataObject
) -> None:
    order = drawn(seed, names)
    place = data.draw(st.integers(1, len(order) - 1))
    moved = [order[place], *order[:place], *order[place + 1 :]]
    for wrong in (moved, order[1:], [*order, "X"]):
        *_, (follows, _) = findings(commitment(seed), seed.hex(), names, wrong)
        assert not follows
    _, (once, _), _ = findings(commitment(seed), seed.hex(), [*names, names[0]], order)
    assert not once


def test_what_is_no_seed_is_not_the_one_committed_to() -> None:
    for seed in ("", "no seed", "00" * 31):
        (kept, _), *_ = findings(commitment(bytes(31)), seed, ["A"], ["A"])
        assert not kept


def test_the_method_is_the_one_that_is_documented() -> None:
    """Fixed for ever: who has checked a draw once must get the same again."""
    seed = bytes(range(32))
    assert commitment(seed) == "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    assert drawn(seed, ["A", "B", "C", "D"]) == ["D", "C", "A", "B"]


def test_a_new_day_opens_at_its_hour_when_it_is_drawn_and_at_midnight_otherwise() -> None:
    day = date(2026, 11, 30)
    slot = Slot(
        datetime(2026, 11, 30, 9, tzinfo=SHANGHAI),
        datetime(2026, 11, 30, 10, tzinfo=SHANGHAI),
    )
    midnight = datetime(2026, 11, 23, tzinfo=SHANGHAI)
    plain, fair = SlotPlan(days_ahead=7), SlotPlan(days_ahead=7, draw_min=5, draw_at="08:00")
    assert opening_of(plain, day, SHANGHAI) == midnight
    assert opening_of(fair, day, SHANGHAI) == midnight + timedelta(hours=8)
    assert bookable(plain, slot, midnight)
    assert not bookable(plain, slot, midnight - timedelta(seconds=1))
    assert bookable(fair, slot, midnight + timedelta(hours=8))
    assert not bookable(fair, slot, midnight + timedelta(hours=8, seconds=-1))


@pytest.mark.parametrize("wrong", ["8:00", "24:00", "08:60", "morning"])
def test_a_time_that_is_none_is_not_taken(wrong: str) -> None:
    with pytest.raises(ValidationError):
        SlotPlan(draw_min=5, draw_at=wrong)


@given(share=st.floats(0, 1), lead=st.integers(0, 120), ahead=st.integers(-60, 20_000))
def test_a_place_returns_within_the_time_and_before_it_can_no_longer_be_booked(
    share: float, lead: int, ahead: int
) -> None:
    wait = timedelta(minutes=3), timedelta(minutes=20)
    starts_at = NOW + timedelta(minutes=ahead)
    deadline = starts_at - timedelta(minutes=lead)
    at = returns_at(SlotPlan(lead_min=lead), starts_at, NOW, wait, share)
    assert NOW <= at <= max(deadline, NOW)
    if deadline >= NOW + wait[1]:
        assert NOW + wait[0] <= at <= NOW + wait[1]
