"""Who speaks next on a bus."""

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.bus import Urgency
from device_drivers.bus.turns import PASSED_BY, Turns, Waiting

DEAD = 13


def queue() -> Turns[str]:
    return Turns(lambda unit: unit == DEAD)


def order_of(turns: Turns[str]) -> list[str]:
    taken = []
    while (waiting := turns.take()) is not None:
        taken.append(waiting.order)
    return taken


def test_a_call_goes_before_a_clear_before_a_poll_and_an_echo_before_all() -> None:
    turns = queue()
    for urgency in (Urgency.POLL, Urgency.CLEAR, Urgency.CALL, Urgency.ECHO):
        turns.join(Waiting(1, urgency, urgency.name))
    assert order_of(turns) == ["ECHO", "CALL", "CLEAR", "POLL"]


def test_of_equal_urgency_who_came_first_goes_first() -> None:
    turns = queue()
    for name in "abc":
        turns.join(Waiting(1, Urgency.CALL, name))
    assert order_of(turns) == ["a", "b", "c"]


def test_a_dead_unit_gives_way_even_with_a_call() -> None:
    turns = queue()
    turns.join(Waiting(DEAD, Urgency.CALL, "dead"))
    turns.join(Waiting(1, Urgency.POLL, "alive"))
    assert order_of(turns) == ["alive", "dead"]


def test_a_dead_unit_is_not_passed_by_for_ever_and_never_goes_before_a_call() -> None:
    turns = queue()
    turns.join(Waiting(DEAD, Urgency.CALL, "dead"))
    taken = []
    for number in range(PASSED_BY + 2):
        turns.join(Waiting(1, Urgency.POLL, f"poll {number}"))
        turns.join(Waiting(2, Urgency.CALL, f"call {number}"))
        taken.append([turn.order for _ in range(2) if (turn := turns.take()) is not None])
    halfway = PASSED_BY // 2
    assert taken[halfway] == [f"call {halfway}", "dead"]
    assert all(call.startswith("call") for call, _ in taken)


def test_who_was_taken_too_early_goes_behind_all_that_live() -> None:
    turns = queue()
    turns.join(Waiting(DEAD, Urgency.POLL, "dead"))
    dead = turns.take()
    assert dead is not None
    assert not turns.living
    dead.passed_by = PASSED_BY
    turns.back(dead)
    turns.join(Waiting(1, Urgency.POLL, "alive"))
    assert (turns.living, turns.pressing) == (True, False)
    assert order_of(turns) == ["alive", "dead"]


def test_a_new_picture_takes_the_place_and_urgency_of_the_one_it_supersedes() -> None:
    turns, strip = queue(), object()
    old = Waiting(1, Urgency.CALL, "old", strip)
    assert turns.join(old) is None
    turns.join(Waiting(2, Urgency.CALL, "neighbour", object()))
    assert turns.join(Waiting(1, Urgency.CLEAR, "new", strip)) is old
    assert order_of(turns) == ["new", "neighbour"]


def test_orders_that_are_no_pictures_supersede_nothing() -> None:
    turns = queue()
    turns.join(Waiting(1, Urgency.POLL, "a"))
    assert turns.join(Waiting(1, Urgency.POLL, "b")) is None
    assert order_of(turns) == ["a", "b"]


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(Urgency), st.booleans()), max_size=30))
def test_at_most_one_picture_per_device_waits_and_it_is_the_newest(
    joins: list[tuple[int, Urgency, bool]],
) -> None:
    turns, owners = queue(), {unit: object() for unit in range(1, 5)}
    newest: dict[int, str] = {}
    for number, (unit, urgency, is_picture) in enumerate(joins):
        turns.join(Waiting(unit, urgency, f"{unit}:{number}", owners[unit] if is_picture else None))
        if is_picture:
            newest[unit] = f"{unit}:{number}"
    left = order_of(turns)
    pictures = [f"{unit}:{n}" for n, (unit, _, is_picture) in enumerate(joins) if is_picture]
    assert sorted(set(left) & set(pictures)) == sorted(newest.values())
    assert len(left) == len(newest) + sum(not is_picture for _, _, is_picture in joins)


def test_who_leaves_is_not_served() -> None:
    turns = queue()
    waiting = Waiting(1, Urgency.POLL, "gone")
    turns.join(waiting)
    turns.leave(waiting)
    turns.leave(waiting)
    assert turns.take() is None
