"""A pager is with one person at a time, and free again when their visit ends."""

import pytest

from hall_core.errors import IllegalTransition, PagerInUse, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing.facts import PagerGiven
from hall_core.queueing.states import TicketState
from tests.hall_core.hall_scene import Box


@pytest.fixture
def box() -> Box:
    box = Box.opened()
    box.open("1")
    return box


def give(box: Box, ticket: str, pager: int | None) -> None:
    box.wish(c.GivePager(ticket=ticket, pager=pager))


def test_a_pager_comes_with_the_number_or_later_by_id_or_label(box: Box) -> None:
    first, second = box.issue(pager=7), box.issue()
    give(box, second.label, 8)
    assert [box.queue.tickets[t.ticket_id].pager for t in (first, second)] == [7, 8]
    assert isinstance(box.facts[-1], PagerGiven)


def test_a_pager_in_use_is_given_to_nobody_else_and_the_refusal_names_who_has_it(box: Box) -> None:
    first, second = box.issue(pager=7), box.issue()
    before = box.queue
    for wish in (lambda: give(box, second.ticket_id, 7), lambda: box.issue(pager=7)):
        with pytest.raises(PagerInUse) as refused:
            wish()
        assert refused.value.facts == {"pager": 7, "label": first.label}
    assert box.queue == before
    give(box, first.ticket_id, 7)  # the same person may be given it again


@pytest.mark.parametrize("end", ["finish", "cancel", "hand back"])
def test_a_pager_is_free_again_when_the_visit_ends_or_it_is_handed_back(box: Box, end: str) -> None:
    first = box.issue(pager=7)
    if end == "finish":
        box.call_next("1")
        box.wish(c.Start(counter="1"))
        box.wish(c.Finish(counter="1"))
    elif end == "cancel":
        box.wish(c.CancelTicket(ticket=first.ticket_id))
    else:
        give(box, first.ticket_id, None)
    assert box.issue(pager=7).pager == 7


def test_who_missed_the_call_still_has_the_pager(box: Box) -> None:
    first = box.issue(pager=7)
    box.call_next("1")
    box.wish(c.NoShow(counter="1"))
    with pytest.raises(PagerInUse):
        box.issue(pager=7)
    assert box.queue.tickets[first.ticket_id].pager == 7


def test_after_the_visit_or_without_a_ticket_no_pager_is_given(box: Box) -> None:
    first = box.issue()
    box.wish(c.CancelTicket(ticket=first.ticket_id))
    with pytest.raises(IllegalTransition) as refused:
        give(box, first.ticket_id, 7)
    assert refused.value.facts["state"] == TicketState.CANCELLED
    assert "发放寻呼机" in refused.value.sentence()
    with pytest.raises(UnknownTicket):
        give(box, "A999", 7)
