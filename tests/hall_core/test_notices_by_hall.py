"""Who tells a citizen is settled with the fact itself, so that nobody is told twice."""

import pytest

from hall_core.errors import UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.notices import NEARLY, call_notice, places
from hall_core.queueing.ordering import ahead_of
from hall_core.queueing.wordings import LONGEST
from tests.hall_core.hall_scene import Box


@pytest.fixture
def box() -> Box:
    box = Box.opened()
    box.open("1")
    return box


def nearly(box: Box) -> list[str]:
    return [x.ticket_id for x in box.facts if isinstance(x, f.NoticeByHall) and x.notice == "nearly"]


def test_calls_say_who_tells_the_holder(box: Box) -> None:
    ours, theirs = box.issue(), box.issue()
    box.by_hall = frozenset({ours.ticket_id})
    called = box.wish(c.CallNext(counter="1"))[-1]
    again = box.wish(c.Recall(counter="1"))[-1]
    box.wish(c.NoShow(counter="1"))
    other = box.wish(c.Call(counter="1", ticket=theirs.ticket_id))[-1]
    assert [x.notice_by for x in (called, again, other)] == ["hall", "hall", None]


def test_who_comes_nearly_next_is_told_by_the_hall_before_the_line_moves(box: Box) -> None:
    tickets = [box.issue() for _ in range(NEARLY + 4)]
    box.by_hall = frozenset(t.ticket_id for t in tickets)
    facts = box.wish(c.CallNext(counter="1"))
    told = tickets[NEARLY + 1].ticket_id
    assert [type(x) for x in facts] == [f.NoticeByHall, f.TicketCalled]
    assert nearly(box) == [told]
    box.wish(c.Start(counter="1"))
    box.wish(c.Finish(counter="1"))
    assert nearly(box) == [told], "nobody is told twice"
    box.wish(c.CallNext(counter="1"))
    assert nearly(box) == [told, tickets[NEARLY + 2].ticket_id]


def test_who_was_nearly_next_before_the_link_went_down_is_not_told_again(box: Box) -> None:
    tickets = [box.issue() for _ in range(NEARLY + 3)]
    box.call_next("1")
    box.wish(c.Start(counter="1"))
    box.wish(c.Finish(counter="1"))
    box.by_hall = frozenset(t.ticket_id for t in tickets)
    box.wish(c.CallNext(counter="1"))
    assert nearly(box) == [tickets[NEARLY + 2].ticket_id]


def test_what_came_of_a_notice_is_kept_and_moves_nothing(box: Box) -> None:
    ticket = box.issue()
    before = box.queue.tickets
    said = c.RecordNotice(ticket=ticket.ticket_id, notice="called", call_no=1, outcome="accepted")
    (fact,) = box.wish(said)
    assert (fact.ticket_id, fact.notice, fact.call_no, fact.outcome) == (
        ticket.ticket_id,
        "called",
        1,
        "accepted",
    )
    assert box.queue.tickets == before
    with pytest.raises(UnknownTicket):
        box.wish(said.model_copy(update={"ticket": "gone"}))


def test_hall_and_controller_say_the_same_words_within_one_message(box: Box) -> None:
    box.issue()
    called = box.wish(c.CallNext(counter="1"))[-1]
    assert isinstance(called, f.TicketCalled)
    notice = call_notice(called, box.queue, "平房政务")
    assert notice.text == "【平房政务】您的号码A001请到1号窗口办理。"
    assert len(call_notice(called, box.queue, "平" * 200).text) <= LONGEST


def test_places_are_how_many_go_before(box: Box) -> None:
    for priority in (None, "elder", None, "elder", None):
        box.issue(priority=priority)
    found = places(box.queue, {"social"}, box.now)
    assert found == {t.ticket_id: ahead_of(box.queue, t, box.now) for t in box.queue.waiting.values()}


def test_who_was_told_and_is_passed_by_somebody_is_not_told_again(box: Box) -> None:
    tickets = [box.issue() for _ in range(NEARLY + 2)]
    box.by_hall = frozenset(t.ticket_id for t in tickets)
    box.wish(c.CallNext(counter="1"))
    told = tickets[NEARLY + 1].ticket_id
    assert nearly(box) == [told]
    box.issue(priority="elder")
    assert places(box.queue, {"social"}, box.now)[told] == NEARLY + 1
    box.wish(c.CallNext(counter="1", finish_current=True))
    assert nearly(box) == [told]
