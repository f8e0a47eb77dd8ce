"""Waiting time: a range that can be kept, or nothing."""

from hypothesis import given
from hypothesis import strategies as st

from hall_core.queueing import commands as c
from hall_core.queueing.estimates import ENOUGH, SAMPLES, service_range, service_seconds
from tests.hall_core.hall_scene import Box


def serve(box: Box, minutes: float, counter: str = "1") -> None:
    box.issue()
    box.call_next(counter)
    box.wish(c.Start(counter=counter))
    box.wait(minutes)
    box.wish(c.Finish(counter=counter))


def quoted(box: Box, service: str = "social") -> tuple[int, int] | None:
    return service_range(box.queue, service, box.now)


def test_no_range_is_quoted_while_no_counter_serves_the_service() -> None:
    box = Box.opened()
    assert quoted(box) is None
    box.open("2")
    assert quoted(box) is None
    box.open("1")
    assert quoted(box) is not None
    box.wish(c.PauseCounter(counter="1"))
    assert quoted(box) is None


def test_an_idle_counter_and_nobody_ahead_means_at_once() -> None:
    box = Box.opened()
    box.open("1")
    assert box.issue().range_min == (0, 1)


def test_the_range_grows_with_the_people_ahead_and_shrinks_with_counters() -> None:
    box = Box.opened()
    box.open("1")
    for _ in range(4):
        box.issue()
    alone = quoted(box)
    assert alone[0] < 32 < alone[1], "four people of eight minutes each"
    box.open("3")
    both = quoted(box)
    assert both[0] < 16 < both[1] < alone[1]


def test_people_of_other_services_at_a_shared_counter_count_too() -> None:
    box = Box.opened()
    box.open("3")
    for _ in range(5):
        box.issue("residence")
    assert box.issue().ahead == 0
    low, high = quoted(box)
    assert low < 20 < high, "five people of four minutes each"


def test_few_measured_times_lean_on_the_set_up_and_enough_replace_it() -> None:
    box = Box.opened()
    box.open("1")
    assert service_seconds(box.queue, "social") == 480
    serve(box, 3)
    assert service_seconds(box.queue, "social") == (180 + 4 * 480) / 5
    for _ in range(ENOUGH - 1):
        serve(box, 3)
    assert service_seconds(box.queue, "social") == 180


def test_only_the_last_service_times_count() -> None:
    box = Box.opened()
    box.open("1")
    for minutes in [60] * 3 + [2] * SAMPLES:
        serve(box, minutes)
    assert box.queue.samples["social"] == (120,) * SAMPLES


def test_a_service_that_is_gone_from_the_set_up_counts_eight_minutes() -> None:
    assert service_seconds(Box.opened().queue, "fishing") == 480


@given(ahead=st.integers(0, 60), counters=st.sampled_from([("1",), ("3",), ("1", "3")]))
def test_a_range_runs_forward_and_never_promises_less_than_a_minute(
    ahead: int, counters: tuple[str, ...]
) -> None:
    box = Box.opened()
    box.open(*counters)
    for _ in range(ahead):
        box.issue()
    low, high = quoted(box)
    assert 0 <= low <= high
    assert high >= 1
