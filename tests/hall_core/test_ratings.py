"""One rating per visit, right after it, at the counter where it was."""

import pytest

from hall_core.errors import IllegalTransition
from hall_core.queueing import commands as c
from tests.hall_core.hall_scene import Box


def visit(box: Box) -> str:
    ticket = box.issue()
    box.call_next("1")
    box.wish(c.Start(counter="1"))
    return ticket.ticket_id


def rate(score: int = 5) -> c.RateVisit:
    return c.RateVisit(counter="1", score=score)


def test_the_citizen_at_the_counter_rates_and_so_does_the_one_who_just_left() -> None:
    box = Box.opened()
    box.open("1")
    first = visit(box)
    assert box.wish(rate(4))[0].ticket_id == first
    box.wish(c.Finish(counter="1"))
    second = visit(box)
    box.wish(c.Finish(counter="1"))
    assert box.wish(rate(1))[0].ticket_id == second
    assert [box.queue.tickets[t].rating for t in (first, second)] == [4, 1]


def test_a_visit_is_rated_once() -> None:
    box = Box.opened()
    box.open("1")
    visit(box)
    box.wish(c.Finish(counter="1"))
    box.wish(rate())
    before = box.queue
    with pytest.raises(IllegalTransition) as refused:
        box.wish(rate(1))
    assert refused.value.sentence("zh") == "A001 当前状态为「已评价」，不能执行「评价」"
    assert box.queue == before


def test_nobody_rates_a_counter_where_nobody_was_served() -> None:
    box = Box.opened()
    box.open("1")
    with pytest.raises(IllegalTransition):
        box.wish(rate())


def test_somebody_who_was_only_called_does_not_rate_for_the_one_before_twice() -> None:
    box = Box.opened()
    box.open("1")
    first = visit(box)
    box.wish(c.Finish(counter="1"))
    box.issue()
    box.call_next("1")
    assert box.wish(rate())[0].ticket_id == first
