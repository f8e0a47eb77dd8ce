"""Labels and zones: what is printed on paper can never be taken back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import NoGrant, ZoneExhausted
from hall_core.queueing import commands as c
from hall_core.queueing.evolve import replay
from hall_core.queueing.numbering import ZONE_SIZE, label_of, next_number, zone_key
from hall_core.queueing.queue import Grant, Queue
from tests.hall_core.hall_scene import BOX, MONDAY, Box, grant


def queue_with(*grants: Grant, **numbers: int) -> Queue:
    return Queue(day=MONDAY, grants=grants, numbers={k.replace("_", "/"): v for k, v in numbers.items()})


def zone_of(zone: int, **changes: object) -> Grant:
    fields = {"incarnation": BOX, "line": "*", "first_day": MONDAY, "last_day": MONDAY} | changes
    return Grant(grant_id=f"g{zone}", zone=zone, **fields)


def number(queue: Queue, **changes: object) -> int:
    return next_number(queue, **({"line": "A", "day": MONDAY, "incarnation": BOX} | changes))


@pytest.mark.parametrize(("value", "label"), [(1, "A001"), (18, "A018"), (999, "A999"), (1001, "A1001")])
def test_a_label_is_the_prefix_and_at_least_three_digits(value: int, label: str) -> None:
    assert label_of("A", value) == label


def test_zone_0_ends_with_999_and_zone_1_begins_with_1001() -> None:
    assert number(queue_with(zone_of(0))) == 1
    assert number(queue_with(zone_of(0), A_0=998)) == 999
    with pytest.raises(ZoneExhausted):
        number(queue_with(zone_of(0), A_0=999))
    assert number(queue_with(zone_of(1))) == 1001
    assert number(queue_with(zone_of(1), A_1=1998)) == 1999
    with pytest.raises(ZoneExhausted):
        number(queue_with(zone_of(1), A_1=1999))


def test_a_second_zone_follows_the_first() -> None:
    both = (zone_of(0), zone_of(3))
    assert number(queue_with(*both, A_0=999)) == 3001
    assert number(queue_with(*both, A_0=999, A_3=3001)) == 3002


def test_lines_are_counted_apart() -> None:
    queue = queue_with(zone_of(0), A_0=7)
    assert number(queue, line="A") == 8
    assert number(queue, line="B") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"incarnation": "another-box"},
        {"line": "B"},
        {"first_day": MONDAY + timedelta(days=1), "last_day": MONDAY + timedelta(days=9)},
        {"first_day": MONDAY - timedelta(days=9), "last_day": MONDAY - timedelta(days=1)},
    ],
)
def test_a_grant_for_another_box_line_or_day_gives_nothing(changes: dict[str, object]) -> None:
    with pytest.raises(NoGrant) as caught:
        number(queue_with(zone_of(0, **changes)))
    assert caught.value.facts == {"line": "A", "day": "2026-11-23"}


def test_a_grant_holds_on_its_first_and_on_its_last_day() -> None:
    queue = queue_with(zone_of(0, last_day=MONDAY + timedelta(days=2)))
    assert [number(queue, day=MONDAY + timedelta(days=n)) for n in range(3)] == [1, 1, 1]


@given(zone=st.integers(0, 98), given_before=st.integers(0, 998))
def test_a_number_always_counts_for_the_zone_it_came_from(zone: int, given_before: int) -> None:
    used = {zone_key("A", zone): zone * ZONE_SIZE + given_before}
    value = next_number(Queue(grants=(zone_of(zone),), numbers=used), line="A", day=MONDAY, incarnation=BOX)
    assert value == zone * ZONE_SIZE + given_before + 1
    assert value // ZONE_SIZE == zone


def test_the_ticket_after_a999_is_a1001_once_the_box_holds_zone_1() -> None:
    box = Box.opened()
    labels = [box.issue().label for _ in range(999)]
    assert (labels[0], labels[-1], len(set(labels))) == ("A001", "A999", 999)
    with pytest.raises(ZoneExhausted):
        box.issue()
    assert box.issue("residence").label == "B001", "the other line goes on"
    box.wish(grant(1))
    assert box.issue().label == "A1001"


def test_a_replacement_box_with_the_old_journal_goes_on_in_its_own_zone() -> None:
    box = Box.opened()
    box.issue()
    box.incarnation = "box-2"
    with pytest.raises(NoGrant):
        box.issue()
    box.wish(grant(1, "box-2"))
    assert box.issue().label == "A1001"


def test_the_same_grant_again_is_held_once() -> None:
    box = Box.opened()
    box.wish(grant())
    assert len(box.queue.grants) == 1


def test_a_late_fact_of_an_earlier_day_takes_no_number_of_today() -> None:
    box = Box.opened()
    box.issue()
    late = box.facts[-1].model_copy(
        update={"day": MONDAY - timedelta(days=1), "number": 500, "ticket_id": "late", "label": "A500"}
    )
    queue = replay(box.queue, [late])
    assert queue.find("A500") is None
    assert queue.find("late").number == 500
    box.queue = queue
    assert box.issue().label == "A002"


def test_a_grant_wish_has_a_zone_of_three_digits_at_most() -> None:
    with pytest.raises(ValueError, match="less than or equal to 98"):
        grant(99)
    assert isinstance(grant(98), c.GrantZone)
