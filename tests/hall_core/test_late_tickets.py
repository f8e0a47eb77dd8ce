"""Numbers the controller gave while the hall was away come in at the heal."""

from datetime import timedelta

import pytest

from hall_core.errors import BadRequest, HallClosed, IllegalTransition
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from tests.hall_core.hall_scene import Box


def admit(box: Box, number: int, minutes_ago: float = 10, **more) -> c.AdmitTicket:
    fields = {
        "request_id": f"admit-{number}",
        "ticket_id": f"late-{number}",
        "token": f"late-token-{number}",
        "number": number,
        "service": "social",
        "issued_at": box.now - timedelta(minutes=minutes_ago),
    }
    return c.AdmitTicket(**(fields | more))


def called(box: Box, counter: str = "1") -> str:
    box.wish(c.CallNext(counter=counter, finish_current=True))
    return box.queue.in_hand(counter).label


def test_a_late_number_keeps_its_label_and_its_time() -> None:
    box = Box.opened()
    (fact,) = box.wish(admit(box, 1))
    ticket = box.queue.tickets["late-1"]
    assert (fact.label, ticket.late) == ("W001", True)
    assert ticket.effective_at == box.now - timedelta(minutes=10)
    assert box.wish(admit(box, 1)) == [], "asked again it is the same request"


def test_of_two_calls_at_most_one_goes_to_somebody_who_came_in_late() -> None:
    box = Box.opened()
    box.open("1")
    for _ in range(3):
        box.issue()
    for number in (1, 2, 3):
        box.wish(admit(box, number))
    order = [called(box) for _ in range(6)]
    assert order == ["W001", "A001", "W002", "A002", "W003", "A003"]


def test_with_nobody_else_waiting_late_numbers_follow_each_other() -> None:
    box = Box.opened()
    box.open("1")
    box.wish(admit(box, 1))
    box.wish(admit(box, 2))
    assert [called(box), called(box)] == ["W001", "W002"]


def test_the_number_the_citizen_was_shown_wins_over_the_halls_own() -> None:
    box = Box.opened()
    own = box.issue(request_id="online-1")
    facts = box.wish(admit(box, 1, replaces="online-1"))
    assert [x.kind for x in facts] == ["ticket-cancelled", "ticket-issued"]
    live = [t.label for t in box.queue.waiting.values()]
    assert live == ["W001"]
    assert box.ticket(own).state == "cancelled"


def test_a_number_that_was_called_already_wins_and_the_late_one_is_refused() -> None:
    box = Box.opened()
    box.open("1")
    box.issue(request_id="online-1")
    called(box)
    before = box.queue
    with pytest.raises(IllegalTransition):
        box.wish(admit(box, 1, replaces="online-1"))
    assert box.queue == before


def test_yesterdays_late_number_is_not_taken_in() -> None:
    box = Box.opened()
    with pytest.raises(HallClosed):
        box.wish(admit(box, 1, minutes_ago=24 * 60))


def test_one_label_is_taken_in_once() -> None:
    box = Box.opened()
    box.wish(admit(box, 1))
    with pytest.raises(BadRequest):
        box.wish(admit(box, 1, request_id="other", ticket_id="other"))


def test_a_clock_ahead_of_the_halls_gives_no_place_in_the_future() -> None:
    box = Box.opened()
    (fact,) = box.wish(admit(box, 1, minutes_ago=-5))
    assert isinstance(fact, f.TicketIssued)
    assert fact.effective_at == box.now
