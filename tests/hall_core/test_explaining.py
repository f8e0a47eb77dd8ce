"""Why one number was called before another: the answer names what really decided."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import BadRequest, Refused, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing.explaining import CODES, Because, passed, why
from hall_core.queueing.journeys import DayBook
from hall_core.queueing.queue import Ticket
from hall_core.queueing.restate import restate
from hall_ui import words
from tests.hall_core.hall_scene import MONDAY, Box, at


@pytest.fixture
def box() -> Box:
    box = Box.opened()
    box.open("1", "2", "3")
    return box


def book(box: Box) -> DayBook:
    made = DayBook(MONDAY)
    made.tell(box.facts)
    return made


def answer(box: Box, one: str, other: str) -> tuple[str, str, str]:
    """(called first, called later, why)."""
    found = why(book(box), one, other)
    assert found is not None
    return found.first.label, found.second.label, found.code


def passers(box: Box, ticket: Ticket) -> list[tuple[str, str]]:
    return [(b.first.label, b.code) for b in passed(book(box), ticket.ticket_id).reasons]


def called(box: Box, counter: str = "1") -> str:
    ticket = box.call_next(counter, finish_current=True)
    assert ticket is not None
    return ticket.label


def admitted(box: Box, number: int, taken_at) -> Ticket:
    ticket_id = f"late-{number}"
    wish = c.AdmitTicket(
        ticket_id=ticket_id, token=f"token-{ticket_id}", service="social", number=number, issued_at=taken_at
    )
    box.wish(wish)
    return box.queue.tickets[ticket_id]


def test_who_came_first_is_called_first_and_passes_nobody(box: Box) -> None:
    first = box.issue()
    box.wait(1)
    second = box.issue()
    assert [called(box), called(box)] == ["A001", "A002"]
    assert answer(box, "A001", "A002") == ("A001", "A002", "earlier")
    assert answer(box, "A002", "A001") == ("A001", "A002", "earlier"), (
        "the question has it the wrong way round"
    )
    assert passers(box, first) == passers(box, second) == []


def test_two_of_one_moment_go_by_number(box: Box) -> None:
    box.issue()
    box.issue()
    called(box)
    assert answer(box, "a001 ", "A002") == ("A001", "A002", "same-moment")


def test_who_had_not_come_yet_was_not_passed(box: Box) -> None:
    box.issue()
    called(box)
    box.wait(1)
    box.issue()
    assert answer(box, "A001", "A002") == ("A001", "A002", "came-later")


def test_a_priority_class_goes_first_by_its_credit(box: Box) -> None:
    me = box.issue()
    box.wait(10)
    box.issue(priority="elder")
    assert called(box) == "A002"
    assert answer(box, "A002", "A001") == ("A002", "A001", "credit")
    assert passers(box, me) == [("A002", "credit")]


def test_whoever_waited_past_the_goal_goes_before_a_credit(box: Box) -> None:
    box.issue()
    box.wait(20)
    urgent = box.issue(priority="urgent")
    box.wait(10)
    assert called(box) == "A001"
    assert answer(box, "A001", "A002") == ("A001", "A002", "past-goal")
    assert passers(box, urgent) == []


def booked(box: Box, name: str, hour: int, minute: int) -> Ticket:
    times = {"starts_at": at(hour, minute), "ends_at": at(hour + 1, minute)}
    box.wish(
        c.BookAppointment(appointment_id=name, token=f"t-{name}", code=name[-6:], service="social", **times)
    )
    box.wish(c.IssueTicket(ticket_id="x", token="x", service="social", appointment=name))
    return box.queue.tickets[name]


def test_an_appointment_counts_from_its_slot(box: Box) -> None:
    box.now = at(9, 5)
    me = box.issue()
    box.now = at(9, 8)
    guest = booked(box, "appointment-100001", 9, 0)
    assert called(box) == guest.label
    assert passers(box, me) == [(guest.label, "appointment")]


def test_before_its_slot_an_appointment_lets_others_go_first(box: Box) -> None:
    guest = booked(box, "appointment-100002", 9, 10)
    box.wait(5)
    box.issue()
    assert called(box) == "A002"
    assert passers(box, guest) == [("A002", "other-appointment")]


def test_a_number_of_an_outage_keeps_its_time_but_takes_every_second_call_only(box: Box) -> None:
    box.wait(20)
    me = box.issue()
    box.wait(1)
    for number in (1, 2):
        admitted(box, number, at(9, number))
    assert [called(box) for _ in range(3)] == ["W001", "A001", "W002"]
    assert passers(box, me) == [("W001", "late-merged")]
    assert answer(box, "A001", "W002") == ("A001", "W002", "late-alternates")


def test_a_number_that_came_into_the_line_after_the_call_was_not_there(box: Box) -> None:
    box.wait(20)
    box.issue()
    called(box)
    box.wait(5)
    admitted(box, 1, at(9, 1))
    called(box)
    assert answer(box, "A001", "W001") == ("A001", "W001", "entered-later")


def test_a_clerks_special_call_is_named_with_its_reason(box: Box) -> None:
    me = box.issue()
    box.wait(1)
    chosen = box.issue()
    box.wish(c.Call(counter="1", ticket=chosen.ticket_id, reason="材料补交"))
    assert passers(box, me) == [("A002", "special-call")]
    found = why(book(box), "A002", "A001")
    assert found is not None
    assert found.call.reason == "材料补交"


def missed(box: Box, ticket: Ticket, counter: str = "1") -> None:
    assert called(box, counter) == ticket.label
    box.wait(1)
    box.wish(c.NoShow(counter=counter))


def test_who_did_not_come_is_passed_and_after_the_return_waits_anew(box: Box) -> None:
    me = box.issue()
    box.wait(1)
    box.issue()
    box.issue()
    missed(box, me)
    assert called(box) == "A002"
    assert answer(box, "A002", "A001") == ("A002", "A001", "other-missed")
    box.wait(1)
    box.wish(c.Return(counter="1", ticket=me.ticket_id))
    assert called(box) == "A003"
    assert answer(box, "A003", "A001") == ("A003", "A001", "other-returned")
    assert passers(box, me) == [("A003", "other-returned"), ("A002", "other-missed")]


def test_who_let_others_pass_is_told_so(box: Box) -> None:
    me = box.issue()
    for _ in range(2):
        box.wait(1)
        box.issue()
    box.wish(c.PostponeTicket(ticket=me.ticket_id))
    called(box)
    assert passers(box, me) == [("A002", "other-postponed")]


def test_who_was_set_aside_is_passed_and_keeps_its_place(box: Box) -> None:
    held = box.issue()
    called(box)
    box.wish(c.Hold(counter="1"))
    box.wait(1)
    me = box.issue()
    box.issue()
    box.wish(c.Return(counter="1", ticket=held.ticket_id))
    assert called(box) == held.label
    assert passers(box, me) == [("A001", "kept-place")]
    box.wish(c.Hold(counter="1"))
    assert called(box) == "A002"
    assert answer(box, "A002", "A001") == ("A002", "A001", "other-held")


def test_who_was_sent_on_keeps_its_time_in_the_other_line(box: Box) -> None:
    sent = box.issue("residence")
    called(box, "2")
    box.wait(2)
    me = box.issue("social")
    box.wish(c.Transfer(counter="2", to_service="social"))
    assert called(box) == sent.label
    assert passers(box, me) == [("B001", "transferred")]


def test_a_counter_that_does_not_serve_this_passes_nobody(box: Box) -> None:
    me = box.issue("social")
    box.wait(1)
    box.issue("residence")
    assert called(box, "2") == "B001"
    assert answer(box, "B001", "A001") == ("B001", "A001", "other-service")
    found = passed(book(box), me.ticket_id)
    assert (found.reasons, found.elsewhere) == ((), 1)


def test_who_is_sent_to_one_counter_waits_for_it(box: Box) -> None:
    me = box.issue("social")
    called(box)
    box.wish(c.Transfer(counter="1", to_counter="3"))
    box.wait(1)
    box.issue("social")
    assert called(box, "1") == "A002"
    assert passers(box, me) == [("A002", "other-sent")]


def test_who_was_taken_over_from_another_box_keeps_its_time(box: Box) -> None:
    box.now = at(9, 30)
    me = box.issue()
    taken = c.TakenOver(
        ticket_id="old", token="old", label="A101", line="A", number=101, day=MONDAY, service="social",
        issued_at=at(9, 10), effective_at=at(9, 10),
    )  # fmt: skip
    box.wait(1)
    box.wish(c.TakeOver(tickets=(taken,)))
    assert called(box) == "A101"
    assert passers(box, me) == [("A101", "taken-over")]


def test_who_gave_up_has_left(box: Box) -> None:
    me = box.issue()
    box.wait(1)
    box.issue()
    box.wish(c.CancelTicket(ticket=me.ticket_id, reason="取消"))
    called(box)
    assert answer(box, "A002", "A001") == ("A002", "A001", "left")


def test_while_neither_is_called_there_is_nothing_to_explain(box: Box) -> None:
    box.issue()
    box.issue()
    assert why(book(box), "A001", "A002") is None


def test_labels_that_are_not_of_the_day_are_refused(box: Box) -> None:
    box.issue()
    with pytest.raises(UnknownTicket):
        why(book(box), "A001", "A900")
    with pytest.raises(BadRequest):
        why(book(box), "A001", "a001")
    with pytest.raises(UnknownTicket):
        passed(book(box), "nobody")


def test_a_new_incarnation_that_repeats_the_day_changes_no_answer(box: Box) -> None:
    me = box.issue()
    box.wait(10)
    box.issue(priority="elder")
    called(box)
    told = book(box)
    calls = [(call.ticket_id, call.at) for call in told.calls]
    told.tell(restate(box.queue, box.now))
    assert [(call.ticket_id, call.at) for call in told.calls] == calls
    (reason,) = passed(told, me.ticket_id).reasons
    assert isinstance(reason, Because)
    assert reason.code == "credit"


def _step(box: Box, step: str, number: int) -> None:
    """One thing that may happen in a hall; what its rules refuse does not happen."""
    waiting = sorted(box.queue.waiting.values(), key=lambda t: t.label)
    try:
        if step.startswith("issue"):
            _, service, priority = step.split(":")
            box.issue(service, priority=priority or None)
        elif step.startswith("next"):
            box.call_next(step[-1], finish_current=True)
        elif step == "late":
            admitted(box, number + 1, at(9, number % 10))
        elif step == "postpone" and waiting:
            box.wish(c.PostponeTicket(ticket=waiting[0].ticket_id))
        elif step in ("missed", "held"):
            box.wish(c.NoShow(counter="1") if step == "missed" else c.Hold(counter="1"))
        elif step == "sent":
            box.wish(c.Transfer(counter="1", to_service="residence"))
        elif step == "back":
            aside = [t for t in box.queue.tickets.values() if t.state.value in ("held", "no-show")]
            box.wish(c.Return(counter="1", ticket=aside[0].ticket_id if aside else "nobody"))
    except Refused:
        pass


STEPS = [
    "issue:social:", "issue:social:elder", "issue:residence:urgent", "issue:residence:", "next1", "next2", "next3",
    "late", "postpone", "missed", "held", "sent", "back",
]  # fmt: skip


def _moved(journey, kind: str) -> bool:
    return any(place.because == kind for place in journey.places)


#: what a reason says must be so
CLAIMS = {
    "earlier": lambda b: b.first.issued_at <= b.second.issued_at,
    "same-moment": lambda b: b.first.issued_at == b.second.issued_at,
    "credit": lambda b: b.first.priority is not None,
    "past-goal": lambda b: b.call.at - b.first.issued_at >= timedelta(minutes=b.call.goal_min),
    "late-merged": lambda b: b.first.late and b.call.before.effective_at < b.first.entered_at,
    "late-alternates": lambda b: b.second.late and not b.first.late,
    "other-missed": lambda b: b.there.state.value == "no-show",
    "other-held": lambda b: b.there.state.value == "held",
    "other-returned": lambda b: _moved(b.second, "ticket-returned") and _moved(b.second, "ticket-no-show"),
    "other-postponed": lambda b: _moved(b.second, "ticket-postponed"),
    "transferred": lambda b: _moved(b.first, "ticket-transferred"),
    "kept-place": lambda b: _moved(b.first, "ticket-held"),
    "other-service": lambda b: b.there.service not in b.call.services,
    "came-later": lambda b: b.there is None and b.second.issued_at >= b.call.at,
    "entered-later": lambda b: b.there is None,
}


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 12)), min_size=4, max_size=30))
def test_whatever_happens_a_reason_says_nothing_that_is_not_so(walk: list[tuple[str, int]]) -> None:
    """And no call by the rules is blamed on a clerk: there is no special call in these walks."""
    box = Box.opened(goal_min=25)
    box.open("1", "2", "3")
    box.now = at(9, 10)
    for number, (step, minutes) in enumerate(walk):
        box.wait(minutes)
        _step(box, step, number)
    told = book(box)
    for one in told.journeys.values():
        reasons = list(passed(told, one.ticket_id).reasons)
        reasons += [
            r for o in told.journeys.values() if o is not one for r in [why(told, one.label, o.label)] if r
        ]
        for because in reasons:
            assert CLAIMS[because.code](because), (because.code, because.first.label, because.second.label)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_reason_has_words(lang: str) -> None:
    assert set(CODES) <= set(words(lang)["order"])
