"""Whoever missed a call, or needs five minutes more, stands after the next three, once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import IllegalTransition, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.evolve import replay
from hall_core.queueing.ordering import line_for
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.restate import restate
from tests.hall_core.hall_scene import Box


def opened(waiting: int) -> tuple[Box, Ticket]:
    """Somebody is called while so many others wait."""
    box = Box.opened()
    box.open("1")
    me = box.issue()
    for _ in range(waiting):
        box.wait(1)
        box.issue()
    box.call_next("1")
    return box, me


def line(box: Box) -> list[str]:
    return [ticket.label for ticket in line_for(box.queue, "1", box.now)]


def missed(box: Box, me: Ticket) -> None:
    box.wish(c.NoShow(counter="1"))
    box.wait(2)
    box.wish(c.Return(counter="1", ticket=me.ticket_id))


@pytest.mark.parametrize("waiting", range(6))
def test_the_next_three_go_first_and_not_one_more(waiting: int) -> None:
    box, me = opened(waiting)
    missed(box, me)
    assert line(box).index(me.label) == min(3, waiting)


@pytest.mark.parametrize("waiting", range(6))
def test_who_is_called_and_on_the_way_gives_the_counter_free(waiting: int) -> None:
    box, me = opened(waiting)
    facts = box.wish(c.ComeLater(ticket=me.ticket_id))
    assert [type(fact) for fact in facts] == [f.TicketNoShow, f.TicketReturned]
    assert box.queue.in_hand("1") is None
    assert box.queue.calls == ()
    assert line(box).index(me.label) == min(3, waiting)


@pytest.mark.parametrize("first", ["missed", "later"])
def test_a_second_time_they_stand_at_the_end(first: str) -> None:
    box, me = opened(6)
    if first == "missed":
        missed(box, me)
    else:
        box.wish(c.ComeLater(ticket=me.ticket_id))
    while box.call_next("1", finish_current=True).label != me.label:
        pass
    with pytest.raises(IllegalTransition):
        box.wish(c.ComeLater(ticket=me.ticket_id))
    missed(box, me)
    assert line(box)[-1] == me.label


def test_nobody_comes_later_who_is_not_called() -> None:
    box, me = opened(2)
    box.wish(c.Start(counter="1"))
    for ticket in (me.ticket_id, "A002"):
        with pytest.raises(IllegalTransition):
            box.wish(c.ComeLater(ticket=ticket))
    with pytest.raises(UnknownTicket):
        box.wish(c.ComeLater(ticket="nobody"))


def test_who_comes_after_the_return_stands_behind() -> None:
    box, me = opened(1)
    missed(box, me)
    last = box.issue()
    assert line(box) == ["A002", me.label, last.label]


def test_a_clerk_who_calls_the_missed_number_again_uses_up_nothing() -> None:
    box, me = opened(5)
    box.wish(c.NoShow(counter="1"))
    box.wish(c.Call(counter="1", ticket=me.ticket_id, reason="来了"))
    missed(box, me)
    assert line(box).index(me.label) == 3


@pytest.mark.parametrize("then", ["waits", "is called", "is served", "missed again"])
def test_a_new_incarnation_knows_that_it_was_used(then: str) -> None:
    box, me = opened(0)
    missed(box, me)
    if then != "waits":
        box.call_next("1")
    if then == "is served":
        box.wish(c.Start(counter="1"))
    if then == "missed again":
        box.wish(c.NoShow(counter="1"))
    again = replay(Queue(), restate(box.queue, box.now)).tickets[me.ticket_id]
    now = box.ticket(me)
    assert (again.rescued, again.state, again.call_no) == (True, now.state, now.call_no)
    assert (again.effective_at, again.called_at) == (now.effective_at, now.called_at)


@given(gaps=st.lists(st.integers(0, 30), min_size=1, max_size=8), late=st.integers(0, 60))
def test_nobody_but_the_next_three_is_passed_by_nobody_new(gaps: list[int], late: int) -> None:
    box = Box.opened()
    box.open("1")
    me = box.issue()
    for minutes in gaps:
        box.now += timedelta(minutes=minutes)
        box.issue()
    box.call_next("1")
    box.wish(c.NoShow(counter="1"))
    box.now += timedelta(minutes=late)
    before = line(box)
    box.wish(c.Return(counter="1", ticket=me.ticket_id))
    after = line(box)
    assert [label for label in after if label != me.label] == before, "the others keep their order"
    assert after.index(me.label) >= min(3, len(before)), "three go first, where there are three"
