"""What each command leads to when it is allowed: the facts, in order, and the queue after them."""

from datetime import timedelta

import pytest

from hall_core.errors import BadRequest
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.setup import CounterSetup
from hall_core.queueing.states import (
    COUNTER_TRANSITIONS,
    OPEN_STATES,
    TRANSITIONS,
    CounterState,
    TicketState,
)
from tests.hall_core.hall_scene import MONDAY, Box, at, grant, hall_setup


@pytest.fixture
def box() -> Box:
    """Counters 1 and 3 open."""
    box = Box.opened()
    box.open("1", "3")
    return box


def kinds(facts: list[f.Fact]) -> list[str]:
    return [fact.kind for fact in facts]


def test_a_visit_goes_from_waiting_over_called_and_serving_to_finished(box: Box) -> None:
    ticket = box.issue(channel="web", phone_sealed="sealed", phone_tail="34")
    assert (ticket.label, ticket.state, ticket.day) == ("A001", TicketState.WAITING, MONDAY)
    assert (ticket.channel, ticket.phone_sealed, ticket.phone_tail) == ("web", "sealed", "34")
    box.wait(2)
    assert kinds(box.wish(c.CallNext(counter="1"))) == ["ticket-called"]
    assert box.queue.in_hand("1") == box.ticket(ticket)
    assert (box.ticket(ticket).state, box.ticket(ticket).call_no) == (TicketState.CALLED, 1)
    assert box.ticket(ticket).called_at == at(9, 2)
    box.wait(1)
    assert kinds(box.wish(c.Start(counter="1"))) == ["service-started"]
    box.wait(5)
    assert kinds(box.wish(c.Finish(counter="1"))) == ["ticket-finished"]
    done = box.ticket(ticket)
    assert (done.state, done.started_at, done.ended_at) == (TicketState.FINISHED, at(9, 3), at(9, 8))
    assert box.queue.in_hand("1") is None
    assert box.queue.samples["social"] == (300,)


def test_a_recall_raises_the_call_number_and_comes_first_on_the_board(box: Box) -> None:
    first, second = box.issue(), box.issue()
    box.call_next("1")
    box.call_next("3")
    assert [call.label for call in box.queue.calls] == ["A002", "A001"]
    box.wait(1)
    assert kinds(box.wish(c.Recall(counter="1"))) == ["ticket-recalled"]
    assert [(call.label, call.call_no) for call in box.queue.calls] == [("A001", 2), ("A002", 1)]
    assert box.ticket(first).called_at == at(9, 1)
    assert box.ticket(second).call_no == 1


def test_the_board_keeps_the_last_ten_calls(box: Box) -> None:
    for _ in range(12):
        box.issue()
        box.call_next("1", finish_current=True)
    assert [call.label for call in box.queue.calls] == [f"A{n:03d}" for n in range(12, 2, -1)]


def test_one_key_finishes_the_ticket_in_hand_and_calls_the_next(box: Box) -> None:
    first, second = box.issue(), box.issue()
    box.call_next("1")
    facts = box.wish(c.CallNext(counter="1", finish_current=True, request_id="key-1"))
    assert kinds(facts) == ["service-started", "ticket-finished", "ticket-called"]
    assert box.ticket(first).state is TicketState.FINISHED
    assert box.queue.requests["key-1"].ticket_id == second.ticket_id
    box.wish(c.Start(counter="1"))
    assert kinds(box.wish(c.CallNext(counter="1", finish_current=True))) == ["ticket-finished"]
    assert box.queue.in_hand("1") is None


def test_a_no_show_leaves_the_board_and_can_be_called_again(box: Box) -> None:
    ticket = box.issue()
    box.call_next("1")
    box.wish(c.NoShow(counter="1"))
    assert box.ticket(ticket).state is TicketState.NO_SHOW
    assert (box.queue.calls, box.queue.in_hand("1")) == ((), None)
    facts = box.wish(c.Call(counter="3", ticket="A001", reason="回来了"))
    assert (facts[0].call_no, facts[0].reason) == (2, "回来了")
    assert box.queue.in_hand("3") == box.ticket(ticket)


def test_a_missed_ticket_returns_behind_who_waits_and_a_held_one_to_its_place(box: Box) -> None:
    missed, held, other = box.issue(), box.issue(), box.issue()
    box.call_next("1")
    box.wish(c.NoShow(counter="1"))
    box.call_next("1")
    box.wish(c.Hold(counter="1", reason="缺材料"))
    assert box.ticket(held).state is TicketState.HELD
    box.wait(4)
    box.wish(c.Return(counter="1", ticket=missed.label))
    box.wish(c.Return(counter="3", ticket=held.ticket_id))
    assert box.ticket(other).effective_at < box.ticket(missed).effective_at < at(9, 4)
    assert box.ticket(held).effective_at == at(9)
    assert [box.call_next("1", finish_current=True).label for _ in range(3)] == ["A002", "A003", "A001"]
    assert box.ticket(other).state is TicketState.FINISHED


def test_a_called_ticket_may_go_back_into_the_line(box: Box) -> None:
    ticket = box.issue()
    box.call_next("1")
    box.wish(c.Return(counter="1"))
    assert box.ticket(ticket).state is TicketState.WAITING
    assert (box.queue.calls, box.queue.in_hand("1")) == ((), None)


def test_a_transfer_to_a_service_keeps_label_and_time(box: Box) -> None:
    ticket = box.issue()
    box.call_next("1")
    box.wish(c.Start(counter="1"))
    box.wait(3)
    box.wish(c.Transfer(counter="1", to_service="residence"))
    moved = box.ticket(ticket)
    assert (moved.label, moved.service, moved.state) == ("A001", "residence", TicketState.WAITING)
    assert (moved.effective_at, moved.started_at, moved.line) == (at(9), None, "A")
    assert box.queue.calls == ()
    assert box.call_next("3") == box.ticket(ticket)


def test_a_ticket_sent_to_one_counter_waits_for_it_while_it_is_in_service(box: Box) -> None:
    box.open("2")
    ticket = box.issue()
    box.call_next("1")
    box.wish(c.Transfer(counter="1", to_counter="2"))
    later = box.issue()
    assert box.call_next("3") == box.ticket(later), "counter 3 leaves it to counter 2"
    assert box.call_next("2") == box.ticket(ticket)
    assert box.ticket(ticket).for_counter is None


def test_a_ticket_sent_to_a_counter_that_closes_is_anybodys_again(box: Box) -> None:
    box.open("2")
    ticket = box.issue()
    box.wish(c.Transfer(counter="1", ticket=ticket.label, to_counter="2"))
    box.wish(c.PauseCounter(counter="2"))
    with pytest.raises(Exception, match="Nobody is waiting"):
        box.call_next("3")
    box.wish(c.CloseCounter(counter="2"))
    assert box.call_next("3") == box.ticket(ticket)


def test_a_citizen_gives_up_and_staff_void_a_ticket_in_hand(box: Box) -> None:
    waiting, called, serving = box.issue(), box.issue(), box.issue()
    box.wish(c.CancelTicket(ticket=waiting.ticket_id, reason="不等了"))
    assert (box.ticket(waiting).state, box.ticket(waiting).ended_at) == (TicketState.CANCELLED, at(9))
    box.call_next("1")
    box.wish(c.CancelTicket(ticket=called.label))
    assert (box.queue.in_hand("1"), box.queue.calls) == (None, ())
    box.call_next("3")
    box.wish(c.Start(counter="3"))
    assert kinds(box.wish(c.CancelTicket(counter="3", reason="误取"))) == ["ticket-cancelled"]
    assert box.ticket(serving).state is TicketState.CANCELLED


def test_a_counter_opens_pauses_resumes_and_closes() -> None:
    box = Box.opened()
    box.wish(c.OpenCounter(counter="3", services=("residence",), clerk="王"))
    assert box.queue.counters["3"].services == ("residence",)
    assert box.queue.counters["3"].clerk == "王"
    box.wish(c.PauseCounter(counter="3", reason="午休"))
    assert (box.queue.counters["3"].state, box.queue.counters["3"].reason) == (CounterState.PAUSED, "午休")
    box.wish(c.ResumeCounter(counter="3"))
    assert (box.queue.counters["3"].state, box.queue.counters["3"].reason) == (CounterState.OPEN, None)
    box.wish(c.PauseCounter(counter="3"))
    box.wish(c.CloseCounter(counter="3"))
    assert (box.queue.counters["3"].state, box.queue.counters["3"].clerk) == (CounterState.CLOSED, None)


def test_a_new_day_lets_waiting_tickets_lapse_and_numbers_begin_again(box: Box) -> None:
    waiting, in_hand = box.issue(), box.issue("residence")
    box.call_next("3")
    box.wish(c.Return(counter="3"))
    box.wish(c.Call(counter="3", ticket=in_hand.label))
    facts = box.wish(c.OpenBusinessDay(day=MONDAY + timedelta(days=1), request_id="day"))
    assert kinds(facts) == ["ticket-lapsed", "business-day-opened"]
    assert waiting.ticket_id not in box.queue.tickets
    assert box.queue.in_hand("3").label == "B001", "who is at a counter stays there"
    assert (dict(box.queue.labels), dict(box.queue.numbers)) == ({}, {})
    box.wait(24 * 60)
    assert (box.issue().label, box.issue("residence").label) == ("A001", "B001")
    assert box.queue.find("B001").day == MONDAY + timedelta(days=1), "a label names today's ticket"
    box.wish(c.CallNext(counter="3", finish_current=True))
    assert [x.kind for x in box.facts[-3:]] == ["service-started", "ticket-finished", "ticket-called"]


def test_a_day_that_is_open_already_is_not_opened_again(box: Box) -> None:
    box.issue()
    assert box.wish(c.OpenBusinessDay(day=MONDAY)) == []
    assert box.issue().label == "A002"


def test_a_day_forgets_grants_that_have_ended_and_keeps_the_others(box: Box) -> None:
    box.wish(grant(1, grant_id="today-only", last_day=MONDAY))
    box.wish(c.OpenBusinessDay(day=MONDAY + timedelta(days=1)))
    assert [g.grant_id for g in box.queue.grants] == ["grant-box-1-0"]


def test_a_new_set_up_reaches_closed_counters_at_once_and_open_ones_when_they_open_again(box: Box) -> None:
    assert box.queue.counters["2"].state == "closed"
    setup = hall_setup(
        counters=(
            CounterSetup(id="1", name="1号窗口", services=("residence",)),
            CounterSetup(id="2", name="2号窗口", services=("social",)),
            CounterSetup(id="3", name="3号窗口", services=("social",)),
            CounterSetup(id="4", name="4号窗口", services=("social",)),
        )
    )
    assert kinds(box.wish(c.ConfigureHall(setup=setup))) == ["hall-configured"]
    assert box.queue.counters["1"].services == ("social",), "an open counter keeps what it serves"
    assert box.queue.counters["2"].services == ("social",)


def test_a_set_up_that_would_strand_people_or_a_clerk_is_refused(box: Box) -> None:
    box.issue()
    without_counter = hall_setup(counters=(CounterSetup(id="9", name="9号窗口", services=("social",)),))
    with pytest.raises(BadRequest):
        box.wish(c.ConfigureHall(setup=without_counter))
    others = tuple(s for s in hall_setup().services if s.id != "social")
    without_service = hall_setup(
        services=others,
        counters=tuple(CounterSetup(id=i, name=i, services=(others[0].id,)) for i in ("1", "2", "3")),
    )
    with pytest.raises(BadRequest):
        box.wish(c.ConfigureHall(setup=without_service))


def test_ended_tickets_have_no_way_on_and_every_other_state_has() -> None:
    ended = {TicketState.FINISHED, TicketState.CANCELLED, TicketState.LAPSED}
    assert set(TicketState) - ended == OPEN_STATES
    assert set(TRANSITIONS) == set(TicketState)
    assert set(COUNTER_TRANSITIONS) == set(CounterState)


def test_the_table_of_tickets_is_the_agreed_one() -> None:
    table = {
        s.value: {k.model_fields["kind"].default: t.value for k, t in row.items()}
        for s, row in TRANSITIONS.items()
    }
    again = {
        "ticket-called": "called",
        "ticket-returned": "waiting",
        "ticket-cancelled": "cancelled",
        "ticket-lapsed": "lapsed",
    }
    assert table == {
        "waiting": {
            "ticket-called": "called",
            "ticket-postponed": "waiting",
            "ticket-transferred": "waiting",
            "ticket-cancelled": "cancelled",
            "ticket-lapsed": "lapsed",
        },
        "called": {
            "ticket-recalled": "called",
            "service-started": "serving",
            "ticket-no-show": "no-show",
            "ticket-held": "held",
            "ticket-returned": "waiting",
            "ticket-transferred": "waiting",
            "ticket-cancelled": "cancelled",
        },
        "serving": {
            "ticket-finished": "finished",
            "ticket-moved-on": "waiting",
            "ticket-held": "held",
            "ticket-transferred": "waiting",
            "ticket-cancelled": "cancelled",
        },
        "held": again,
        "no-show": again,
        "finished": {},
        "cancelled": {},
        "lapsed": {},
    }
