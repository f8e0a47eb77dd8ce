"""A citizen lets others pass: three of those behind go first, and nobody further back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import IllegalTransition, NothingToPostpone, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing.ordering import in_order
from hall_core.queueing.queue import Ticket
from tests.hall_core.hall_scene import Box


def line(box: Box) -> list[str]:
    return [t.label for t in in_order(box.queue, box.queue.waiting.values(), box.now)]


def come(box: Box, people: int) -> list[Ticket]:
    """One a minute."""
    tickets = []
    for _ in range(people):
        tickets.append(box.issue())
        box.wait(1)
    return tickets


def test_three_pass() -> None:
    box = Box.opened()
    tickets = come(box, 6)
    box.wish(c.PostponeTicket(ticket=tickets[0].label))
    assert line(box) == ["A002", "A003", "A004", "A001", "A005", "A006"]


def test_where_fewer_wait_behind_those_pass() -> None:
    box = Box.opened()
    tickets = [box.issue() for _ in range(2)]
    box.wish(c.PostponeTicket(ticket=tickets[0].ticket_id))
    assert line(box) == ["A002", "A001"]


def test_with_nobody_behind_there_is_nothing_to_postpone() -> None:
    box = Box.opened()
    first, last = box.issue(), box.issue()
    with pytest.raises(NothingToPostpone):
        box.wish(c.PostponeTicket(ticket=last.label))
    box.issue("residence")
    with pytest.raises(NothingToPostpone):
        box.wish(c.PostponeTicket(ticket=last.label))
    box.wish(c.PostponeTicket(ticket=first.label))


def test_one_may_ask_twice_and_not_once_called() -> None:
    box = Box.opened()
    first, *_ = come(box, 9)
    for _ in range(2):
        box.wish(c.PostponeTicket(ticket=first.label))
    with pytest.raises(IllegalTransition):
        box.wish(c.PostponeTicket(ticket=first.label))
    box.open("1")
    called = box.call_next()
    with pytest.raises(IllegalTransition):
        box.wish(c.PostponeTicket(ticket=called.label))
    with pytest.raises(UnknownTicket):
        box.wish(c.PostponeTicket(ticket="A999"))


CLASSES = st.sampled_from([None, None, "elder", "urgent"])


@given(
    line_up=st.lists(st.tuples(CLASSES, st.integers(0, 20)), min_size=2, max_size=9),
    who=st.integers(0, 8),
    wait=st.integers(0, 60),
)
def test_at_least_one_and_whenever_possible_just_three_pass(line_up, who: int, wait: int) -> None:
    box = Box.opened()
    for priority, minutes in line_up:
        box.issue(priority=priority)
        box.wait(minutes)
    box.now += timedelta(minutes=wait)
    before = line(box)
    label = before[who % len(before)]
    behind = before[before.index(label) + 1 :]
    if not behind:
        with pytest.raises(NothingToPostpone):
            box.wish(c.PostponeTicket(ticket=label))
        return
    box.wish(c.PostponeTicket(ticket=label))
    after = line(box)
    assert set(behind[:3]) <= set(after[: after.index(label)]), "all three stand before the one who waits"
    others = [x for x in after if x != label]
    assert others == [x for x in before if x != label], "the others keep their order"
