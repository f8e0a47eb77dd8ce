"""Appointments: the hall has its list ahead, a check-in makes the appointment a ticket at its time."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from hall_core.errors import (
    AppointmentNotNow,
    AppointmentUsed,
    BadRequest,
    UnknownAppointment,
    UnknownService,
)
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.queue import Ticket
from hall_core.queueing.setup import ServiceSetup
from hall_core.queueing.summary import state_hash
from hall_core.schedule.slots import SlotPlan
from tests.hall_core.hall_scene import MONDAY, Box, at, hall_setup

PLAN = SlotPlan(minutes=30, places=2, early_min=15, late_min=10)


@pytest.fixture
def box() -> Box:
    services = (
        ServiceSetup(id="social", name="社保", prefix="A", appointments=PLAN),
        ServiceSetup(id="residence", name="户籍", prefix="B"),
    )
    box = Box.opened(services=services)
    box.open("1")
    return box


def book(box: Box, name: str = "one", starts_at: datetime | None = None, **more: Any) -> c.BookAppointment:
    starts_at = starts_at or at(10)
    fields = {
        "appointment_id": f"appointment-{name}",
        "token": f"link-{name}",
        "code": f"{abs(hash(name)) % 10**6:06d}",
        "service": "social",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=30),
    }
    wish = c.BookAppointment(**(fields | more))
    box.wish(wish)
    return wish


def check_in(box: Box, wanted: str, **more: Any) -> Ticket:
    box.issued += 1
    made = {"ticket_id": f"ticket-{box.issued}", "token": f"token-{box.issued}"}
    (fact,) = box.wish(c.IssueTicket(appointment=wanted, **made, **more))
    return box.queue.tickets[fact.ticket_id]


@pytest.mark.parametrize("by", ["appointment_id", "token", "code"])
def test_who_checks_in_in_time_stands_in_line_at_the_time_of_the_slot(box: Box, by: str) -> None:
    wish = book(box)
    box.now = at(9, 50)
    ticket = check_in(box, getattr(wish, by))
    assert ticket.effective_at == at(10)
    assert (ticket.ticket_id, ticket.token) == (wish.appointment_id, wish.token), (
        "one link for the whole visit"
    )
    assert (ticket.label, ticket.service) == ("A001", "social")


def test_who_comes_before_the_slot_begins_lets_those_pass_who_came_before_it(box: Box) -> None:
    wish = book(box)
    box.now = at(9, 50)
    check_in(box, wish.code)
    box.now = at(9, 58)
    box.issue()
    box.now = at(10, 1)
    box.issue()
    assert [box.call_next(finish_current=True).label for _ in range(3)] == ["A002", "A001", "A003"]


def test_who_comes_a_little_late_keeps_the_slot_and_who_comes_later_stands_behind(box: Box) -> None:
    first, second = book(box, "one"), book(box, "two")
    box.now = at(10, 10)
    assert check_in(box, first.code).effective_at == at(10)
    box.now = at(10, 11)
    assert check_in(box, second.code).effective_at == at(10, 11)


def test_a_priority_moves_an_appointment_forward_too(box: Box) -> None:
    wish = book(box, priority="elder")
    box.now = at(9, 50)
    assert check_in(box, wish.code).effective_at == at(9, 45)


def test_nobody_checks_in_before_the_door_opens_for_them(box: Box) -> None:
    wish = book(box)
    box.now = at(9, 44)
    with pytest.raises(AppointmentNotNow) as refused:
        check_in(box, wish.code)
    assert refused.value.facts["opens"] == "11-23 09:45"
    with pytest.raises(AppointmentNotNow):
        check_in(box, book(box, "tomorrow", at(10) + timedelta(days=1)).token)
    assert box.queue.tickets == {}


def test_an_appointment_is_checked_in_once(box: Box) -> None:
    wish = book(box)
    box.now = at(10)
    check_in(box, wish.code, request_id="press-1")
    with pytest.raises(AppointmentUsed) as refused:
        check_in(box, wish.token, request_id="press-2")
    assert refused.value.facts == {"label": "A001"}
    again = c.IssueTicket(appointment=wish.code, ticket_id="x", token="x", request_id="press-1")
    assert box.wish(again) == [], "the same press gets the same number"


def test_a_code_of_another_day_is_not_known_today(box: Box) -> None:
    wish = book(box, starts_at=at(10) + timedelta(days=1))
    box.now = at(10)
    with pytest.raises(UnknownAppointment):
        check_in(box, wish.code)


def test_an_appointment_that_was_given_up_is_expected_no_longer(box: Box) -> None:
    wish = book(box)
    box.wish(c.DropAppointment(appointment_id=wish.appointment_id))
    box.now = at(10)
    with pytest.raises(UnknownAppointment):
        check_in(box, wish.code)
    with pytest.raises(UnknownAppointment):
        box.wish(c.DropAppointment(appointment_id=wish.appointment_id))


def test_a_new_time_replaces_the_old_one_until_the_check_in(box: Box) -> None:
    wish = book(box)
    book(box, starts_at=at(11))
    box.now = at(10)
    with pytest.raises(AppointmentNotNow):
        check_in(box, wish.code)
    box.now = at(11)
    assert check_in(box, wish.code).effective_at == at(11)
    with pytest.raises(AppointmentUsed):
        book(box, starts_at=at(12))
    with pytest.raises(AppointmentUsed):
        box.wish(c.DropAppointment(appointment_id=wish.appointment_id))


def test_what_makes_no_sense_is_not_booked(box: Box) -> None:
    with pytest.raises(UnknownService):
        book(box, service="weddings")
    with pytest.raises(BadRequest, match="priority"):
        book(box, priority="friend")
    with pytest.raises(BadRequest, match="ends_at"):
        book(box, ends_at=at(10))
    book(box, code="123456")
    with pytest.raises(BadRequest, match="code"):
        book(box, "two", code="123456")


def test_the_day_after_names_who_did_not_come_and_forgets_who_did(box: Box) -> None:
    came, missed = book(box, "came"), book(box, "missed")
    later = book(box, "later", at(10) + timedelta(days=3))
    box.now = at(10)
    box.open("3")
    check_in(box, came.code)
    box.call_next("3")
    box.wish(c.Start(counter="3"))
    box.wish(c.Finish(counter="3"))
    box.now = at(9) + timedelta(days=1)
    facts = box.wish(c.OpenBusinessDay(day=MONDAY + timedelta(days=1)))
    assert [x.appointment_id for x in facts if isinstance(x, f.AppointmentMissed)] == [missed.appointment_id]
    assert set(box.queue.appointments) == {later.appointment_id}


def test_the_two_sides_notice_when_their_lists_differ(box: Box) -> None:
    before = state_hash(box.queue)
    wish = book(box)
    assert state_hash(box.queue) != before
    box.now = at(10)
    check_in(box, wish.code)
    assert box.queue.appointments[wish.appointment_id].ticket_id == wish.appointment_id


def test_a_hall_that_gives_no_slots_any_more_still_keeps_its_word(box: Box) -> None:
    wish = book(box)
    box.wish(c.ConfigureHall(setup=hall_setup()))
    box.now = at(9, 50)
    assert check_in(box, wish.code).effective_at == at(10)
