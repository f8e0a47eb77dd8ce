"""One box takes another one's place: nobody who waits is forgotten, and the old one can harm nothing."""

from datetime import timedelta

import pytest

from hall_core.errors import BoxReplaced
from hall_core.queueing import commands as c
from hall_core.queueing.ordering import in_order
from hall_core.queueing.states import TicketState
from tests.hall_core.hall_scene import MONDAY, Box, grant, hall_setup


def taken_over(box: Box) -> tuple[c.TakenOver, ...]:
    """What the controller knows of those who wait at a box."""
    names = set(c.TakenOver.model_fields)
    return tuple(
        c.TakenOver(**{name: getattr(t, name) for name in names})
        for t in box.queue.tickets.values()
        if t.state is TicketState.WAITING
    )


@pytest.fixture
def old() -> Box:
    old = Box.opened()
    for priority in (None, "elder", None):
        old.issue(priority=priority)
        old.wait(1)
    return old


@pytest.fixture
def new(old: Box) -> Box:
    """The box that comes in its place, with a zone of its own."""
    new = Box(now=old.now, incarnation="box-2", issued=100)
    new.wish(c.ConfigureHall(setup=hall_setup()))
    new.wish(c.OpenBusinessDay(day=MONDAY))
    new.wish(grant(1, "box-2"))
    return new


def test_those_who_waited_wait_with_their_numbers_in_their_order(old: Box, new: Box) -> None:
    new.wish(c.TakeOver(tickets=taken_over(old)))
    lines = [[t.label for t in in_order(b.queue, b.queue.waiting.values(), new.now)] for b in (old, new)]
    assert lines[0] == lines[1] == ["A002", "A001", "A003"]
    times = [{t.label: t.issued_at for t in b.queue.waiting.values()} for b in (old, new)]
    assert times[0] == times[1]


def test_new_numbers_come_from_the_new_zone(old: Box, new: Box) -> None:
    new.wish(c.TakeOver(tickets=taken_over(old)))
    assert new.issue().label == "A1001"


def test_a_ticket_is_taken_over_once(old: Box, new: Box) -> None:
    wish = c.TakeOver(tickets=taken_over(old))
    assert len(new.wish(wish)) == 3
    assert new.wish(wish) == []


def test_what_cannot_be_served_any_more_is_left_out(old: Box, new: Box) -> None:
    first, second, third = taken_over(old)
    yesterday = first.model_copy(update={"day": MONDAY - timedelta(days=1)})
    elsewhere = second.model_copy(update={"service": "weddings"})
    (fact,) = new.wish(c.TakeOver(tickets=(yesterday, elsewhere, third)))
    assert fact.label == "A003"


def test_a_replaced_box_gives_and_calls_nothing_and_ends_what_it_began(old: Box) -> None:
    old.open("1")
    in_hand = old.call_next("1")
    old.wish(c.RetireBox(successor="box-2"))
    for wish in (
        c.IssueTicket(ticket_id="x", token="x", service="social"),
        c.OpenCounter(counter="2"),
        c.CallNext(counter="1", finish_current=True),
        c.Recall(counter="1"),
        c.Call(counter="1", ticket="A001"),
    ):
        with pytest.raises(BoxReplaced):
            old.wish(wish)
    old.wish(c.Start(counter="1"))
    old.wish(c.Finish(counter="1"))
    assert old.ticket(in_hand).state is TicketState.FINISHED
    assert old.wish(c.RetireBox(successor="box-2")) == []
