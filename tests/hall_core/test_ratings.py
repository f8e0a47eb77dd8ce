"""One rating per visit, right after it, at the counter where it was."""

import pytest

from hall_core.errors import BadRequest, IllegalTransition, UnknownTicket
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


def finished(box: Box) -> str:
    box.open("1")
    ticket_id = visit(box)
    box.wish(c.Finish(counter="1"))
    return ticket_id


def explain(ticket: str, *reasons: str, counter: str = "1") -> c.ExplainRating:
    return c.ExplainRating(counter=counter, ticket=ticket, reasons=reasons)


def test_a_bad_rating_is_explained_once_afterwards_in_the_order_of_the_list() -> None:
    box = Box.opened()
    ticket = finished(box)
    box.wish(rate(2))
    (told,) = box.wish(explain(ticket, "other", "slow", "slow"))
    assert (told.kind, told.ticket_id, told.reasons) == ("ticket-rating-explained", ticket, ("slow", "other"))
    with pytest.raises(IllegalTransition):
        box.wish(explain(ticket, "unclear"))


def test_a_rating_that_brought_its_reasons_is_explained() -> None:
    box = Box.opened()
    ticket = finished(box)
    (told,) = box.wish(c.RateVisit(counter="1", score=1, reasons=("attitude",)))
    assert told.reasons == ("attitude",)
    with pytest.raises(IllegalTransition):
        box.wish(explain(ticket, "slow"))


@pytest.mark.parametrize("score", [3, 4, 5])
def test_only_the_two_lowest_levels_have_reasons(score: int) -> None:
    box = Box.opened()
    ticket = finished(box)
    with pytest.raises(BadRequest):
        box.wish(c.RateVisit(counter="1", score=score, reasons=("slow",)))
    box.wish(rate(score))
    with pytest.raises(IllegalTransition):
        box.wish(explain(ticket, "slow"))


def test_a_reason_that_is_not_of_the_list_and_another_counters_visit_are_refused() -> None:
    box = Box.opened()
    ticket = finished(box)
    box.wish(rate(1))
    before = box.queue
    with pytest.raises(BadRequest):
        box.wish(explain(ticket, "weather"))
    with pytest.raises(UnknownTicket):
        box.wish(explain(ticket, "slow", counter="2"))
    assert box.queue == before


def test_a_holder_rates_at_a_terminal_what_is_over_and_nothing_else() -> None:
    box = Box.opened()
    box.open("1")
    ticket = visit(box)
    with pytest.raises(IllegalTransition):
        box.wish(c.RateTicket(ticket=ticket, score=1))
    box.wish(c.Finish(counter="1"))
    with pytest.raises(UnknownTicket):
        box.wish(c.RateTicket(ticket="A001", score=1))  # a label is no proof
    (told,) = box.wish(c.RateTicket(ticket=ticket, score=1, reasons=("sent-away",)))
    assert (told.kind, told.counter, told.channel) == ("ticket-rated", "1", "terminal")
    with pytest.raises(IllegalTransition):
        box.wish(rate(5))  # the evaluator comes too late
