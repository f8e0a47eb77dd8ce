"""One trip, several counters: one number, its places held, the order that ends the visit soonest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import (
    AppointmentAlone,
    BadRequest,
    IllegalTransition,
    ServiceClosed,
    ServiceTwice,
    TooManyServices,
    UnknownService,
)
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.estimates import expected, service_seconds
from hall_core.queueing.evolve import replay
from hall_core.queueing.explaining import passed
from hall_core.queueing.journeys import DayBook
from hall_core.queueing.ordering import in_order, waiting_for
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.restate import restate
from hall_core.queueing.setup import CounterSetup, ServiceSetup
from hall_core.queueing.states import TicketState
from hall_core.queueing.summary import ticket_summary
from hall_core.queueing.trips import MOST_SERVICES, best_order
from hall_core.schedule.hours import Hours
from tests.hall_core.hall_scene import MONDAY, Box, at, hall_setup

SERVICES = ("social", "residence", "housing", "tax", "health", "traffic")
NIGHT_ONLY = Hours(mon=("20:00-24:00",), tue=(), wed=(), thu=(), fri=())


def wide_setup(**changes: object) -> dict[str, object]:
    """Six services with a counter each, which take from three to eighteen minutes."""
    services = tuple(
        ServiceSetup(id=name, name=name, prefix="ABCDEF"[n], minutes=3 * (n + 1))
        for n, name in enumerate(SERVICES)
    )
    counters = tuple(
        CounterSetup(id=str(n + 1), name=f"{n + 1}号窗口", services=(name,))
        for n, name in enumerate(SERVICES)
    )
    return {"services": services, "counters": counters} | changes


def wide_box() -> Box:
    box = Box.opened(**wide_setup())
    box.open("1", "2", "3", "4", "5", "6")
    return box


@pytest.fixture
def box() -> Box:
    box = Box.opened()
    box.open("1", "2")
    return box


def serve(box: Box, counter: str, *, minutes: float = 1) -> list[f.Fact]:
    """The next one is called, comes, and is done."""
    box.call_next(counter)
    box.wish(c.Start(counter=counter))
    box.wait(minutes)
    return box.wish(c.Finish(counter=counter))


def line(box: Box, service: str) -> list[str]:
    return [t.label for t in in_order(box.queue, waiting_for(box.queue, service), box.now)]


# -------------------------------------------------------------------------------- one number, several services


def test_one_number_goes_from_counter_to_counter_with_its_label(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    assert (ticket.label, ticket.service, ticket.visits) == ("A001", "social", ("residence",))
    (moved,) = serve(box, "1", minutes=5)
    assert (moved.kind, moved.done, moved.service) == ("ticket-moved-on", "social", "residence")
    now = box.ticket(ticket)
    assert (now.label, now.state, now.service, now.visits) == ("A001", "waiting", "residence", ())
    assert [(p.service, p.counter) for p in now.parts] == [("social", "1")]
    assert box.queue.in_hand("1") is None
    (done,) = serve(box, "2")
    assert (done.kind, box.ticket(ticket).state) == ("ticket-finished", "finished")
    assert [(x.kind, x.call_no) for x in box.facts if x.kind == "ticket-called"] == [
        ("ticket-called", 1),
        ("ticket-called", 2),
    ], "calls are counted through the whole visit: each call is a notice of its own"


def test_while_at_one_counter_it_is_called_to_no_other(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    box.call_next("1")
    assert box.queue.waiting == {}
    with pytest.raises(IllegalTransition):
        box.wish(c.Call(counter="2", ticket=ticket.label))


def test_the_place_in_the_next_line_was_held(box: Box) -> None:
    before = box.issue("residence")
    box.wait(1)
    ticket = box.issue("social", more_services=("residence",))
    box.wait(1)
    after = [box.issue("residence") for _ in range(3)]
    serve(box, "1", minutes=10)
    assert line(box, "residence") == [before.label, ticket.label, *(t.label for t in after)]


def test_a_counter_that_serves_the_next_service_too_calls_it_again_at_once() -> None:
    box = Box.opened()
    box.open("3")
    ticket = box.issue("social", more_services=("residence",))
    box.wait(1)
    box.issue("social")
    box.call_next("3")
    box.wait(4)
    facts = box.wish(c.CallNext(counter="3", finish_current=True))
    assert [x.kind for x in facts] == ["service-started", "ticket-moved-on", "ticket-called"]
    assert box.queue.in_hand("3").label == ticket.label


def test_each_part_counts_for_its_own_service_and_the_visit_is_rated_once(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    serve(box, "1", minutes=6)
    assert box.queue.samples == {"social": (360,)}
    assert box.queue.counters["1"].last_id == ticket.ticket_id
    serve(box, "2", minutes=2)
    assert box.queue.samples == {"social": (360,), "residence": (120,)}
    box.wish(c.RateVisit(counter="1", score=5))
    assert box.facts[-1].ticket_id == ticket.ticket_id
    with pytest.raises(IllegalTransition):
        box.wish(c.RateVisit(counter="2", score=1))


def test_the_holder_and_the_clerk_see_what_is_done_and_what_comes(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    assert ticket_summary(box.queue, ticket, box.now)["visits"] == ["residence"]
    serve(box, "1", minutes=5)
    seen = ticket_summary(box.queue, box.ticket(ticket), box.now)
    assert (seen["service"], seen["visits"]) == ("residence", [])
    assert [(p["service"], p["counter"]) for p in seen["parts"]] == [("social", "1")]


# -------------------------------------------------------------------------------- which one first


def test_the_shorter_line_comes_first_and_gives_the_number_its_letter(box: Box) -> None:
    for _ in range(4):
        box.issue("social")
    ticket = box.issue("social", more_services=("residence",))
    assert (ticket.label, ticket.service, ticket.visits) == ("B001", "residence", ("social",))


def test_a_service_that_nobody_serves_now_comes_last(box: Box) -> None:
    for _ in range(4):
        box.issue("social")
    box.wish(c.CloseCounter(counter="2"))
    assert box.issue("residence", more_services=("social",)).visits == ("residence",)


def test_the_order_is_settled_anew_at_each_end() -> None:
    box = wide_box()
    for _ in range(3):
        box.issue("residence")
    ticket = box.issue("social", more_services=("residence", "housing"))
    assert (ticket.service, ticket.visits) == ("social", ("housing", "residence"))
    box.wait(1)
    for _ in range(3):
        serve(box, "2", minutes=0)
    box.wish(c.CloseCounter(counter="3"))
    serve(box, "1")
    assert box.ticket(ticket).service == "residence", "its line went quicker, and nobody serves the other"


def test_who_is_called_out_of_order_to_another_of_the_services_has_had_that_one(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    box.wish(c.Call(counter="2", ticket=ticket.label))
    box.wish(c.Start(counter="2"))
    (moved,) = box.wish(c.Finish(counter="2"))
    assert (moved.done, moved.service) == ("residence", "social")
    assert (box.ticket(ticket).service, box.ticket(ticket).visits) == ("social", ())


# -------------------------------------------------------------------------------- what else may happen on the way


def test_who_misses_a_call_and_returns_waits_anew_and_loses_no_service(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    box.call_next("1")
    box.wish(c.NoShow(counter="1"))
    box.wait(3)
    other = box.issue("social")
    box.wait(1)
    box.wish(c.Return(counter="1", ticket=ticket.label))
    assert line(box, "social") == [other.label, ticket.label]
    assert box.ticket(ticket).visits == ("residence",)


def test_who_is_set_aside_keeps_place_and_services(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    box.wait(1)
    box.issue("social")
    box.call_next("1")
    box.wish(c.Hold(counter="1"))
    box.wish(c.Return(counter="1", ticket=ticket.label))
    assert line(box, "social")[0] == ticket.label
    assert box.ticket(ticket).visits == ("residence",)


def test_a_transfer_changes_the_present_service_only_and_loses_none(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    box.wish(c.Transfer(counter="1", ticket=ticket.label, to_service="residence"))
    moved = box.ticket(ticket)
    assert (moved.service, moved.visits) == ("residence", ("social",)), "brought forward"
    box.wish(c.Transfer(counter="2", ticket=ticket.label, to_counter="2"))
    assert box.ticket(ticket).visits == ("social",)


def test_given_up_and_lapsed_it_is_over_in_all_lines(box: Box) -> None:
    first = box.issue("social", more_services=("residence",))
    box.wish(c.CancelTicket(ticket=first.ticket_id))
    second = box.issue("social", more_services=("residence",))
    serve(box, "1")
    box.wish(c.OpenBusinessDay(day=MONDAY + timedelta(days=1)))
    assert box.queue.waiting == {}
    kinds = [x.kind for x in box.facts if getattr(x, "ticket_id", "") == second.ticket_id]
    assert kinds[-1] == "ticket-lapsed"


def test_a_lost_box_begins_again_in_the_middle_of_a_trip() -> None:
    box = wide_box()
    ticket = box.issue("social", more_services=("residence", "housing"))
    serve(box, "1")
    again = replay(Queue(), restate(box.queue, box.now)).tickets[ticket.ticket_id]
    before = box.ticket(ticket)
    assert (again.service, again.visits, again.parts) == (before.service, before.visits, before.parts)
    new = Box.opened(**wide_setup())
    taken = c.TakenOver(**{name: getattr(before, name) for name in c.TakenOver.model_fields})
    new.wish(c.TakeOver(tickets=(taken,)))
    assert new.ticket(ticket).visits == before.visits
    assert new.ticket(ticket).parts == before.parts


def test_a_number_given_during_an_outage_has_its_services_too(box: Box) -> None:
    late = {"ticket_id": "late", "token": "t", "number": 1, "issued_at": box.now}
    box.wish(c.AdmitTicket(**late, service="social", more_services=("residence",)))
    assert box.queue.tickets["late"].visits == ("residence",)


def test_a_slip_whose_record_is_gone_has_its_services_too(box: Box) -> None:
    slip = {"ticket_id": "slip", "token": "t", "line": "A", "number": 7, "day": MONDAY, "issued_at": box.now}
    box.wish(c.ReRegister(**slip, service="social", more_services=("residence", "gone")))
    assert box.queue.tickets["slip"].visits == ("residence",)


def test_it_is_explained_that_the_place_was_held(box: Box) -> None:
    ticket = box.issue("social", more_services=("residence",))
    box.wait(1)
    other = box.issue("residence")
    serve(box, "1", minutes=5)
    box.call_next("2")
    book = DayBook(MONDAY)
    book.tell(box.facts)
    (because,) = passed(book, other.ticket_id).reasons
    assert (because.first.label, because.code) == (ticket.label, "held-place")


def test_a_hall_cannot_drop_a_service_that_somebody_is_still_to_visit(box: Box) -> None:
    box.issue("social", more_services=("residence",))
    only = hall_setup().services[0]
    counters = tuple(CounterSetup(id=i, name=i, services=("social",)) for i in "123")
    with pytest.raises(BadRequest):
        box.wish(c.ConfigureHall(setup=hall_setup(services=(only,), counters=counters)))


# -------------------------------------------------------------------------------- refusals


def refuses(box: Box, error: type[Exception], **wish: object) -> None:
    before = box.queue
    with pytest.raises(error) as caught:
        box.issue(**wish)
    assert box.queue == before
    assert "{" not in caught.value.sentence("zh") + caught.value.sentence("en")


def test_each_service_must_be_there_open_and_named_once() -> None:
    day_and_night = (
        *hall_setup().services,
        ServiceSetup(id="dance", name="舞会", prefix="C", hours=NIGHT_ONLY),
    )
    box = Box.opened(services=day_and_night)
    refuses(box, UnknownService, service="social", more_services=("fishing",))
    refuses(box, ServiceClosed, service="social", more_services=("dance",))
    refuses(box, ServiceTwice, service="social", more_services=("residence", "social"))
    refuses(wide_box(), TooManyServices, service="social", more_services=SERVICES[1:])
    assert len(SERVICES) == MOST_SERVICES + 1


def test_an_appointment_stands_for_its_own_service_only(box: Box) -> None:
    times = {"starts_at": at(9, 5), "ends_at": at(9, 35)}
    box.wish(c.BookAppointment(appointment_id="a", token="t", code="123456", service="social", **times))
    refuses(box, AppointmentAlone, service="", appointment="a", more_services=("residence",))


# -------------------------------------------------------------------------------- rules


def total_minutes(order: Sequence[str], calls: dict[str, float], usual: dict[str, float]) -> float:
    """The whole visit in the model: at each service one waits until one's held place is called."""
    now = 0.0
    for service in order:
        now = max(now, calls[service]) + usual[service]
    return now


@given(
    lines=st.lists(st.integers(0, 9), min_size=6, max_size=6),
    asked=st.lists(st.sampled_from(SERVICES), min_size=2, max_size=5, unique=True),
    serving=st.lists(st.integers(0, 20), min_size=6, max_size=6),
)
def test_no_other_order_ends_the_visit_sooner(lines: list[int], asked: list[str], serving: list[int]) -> None:
    box = wide_box()
    for n, people in enumerate(lines):
        for _ in range(people):
            box.issue(SERVICES[n])
    for n, minutes in enumerate(serving):
        if lines[n] and minutes:
            box.call_next(str(n + 1))
    box.wait(max(serving) / 3)
    ticket = Ticket.imagined("A", asked[0], MONDAY, box.now)
    order = best_order(box.queue, ticket, asked, box.now)
    assert sorted(order) == sorted(asked)
    calls = {}
    for service in asked:
        found = expected(box.queue, replace(ticket, service=service), box.now)
        assert found is not None
        calls[service] = found.minutes
    usual = {service: service_seconds(box.queue, service) / 60 for service in asked}
    best = min(total_minutes(each, calls, usual) for each in permutations(asked))
    assert total_minutes(order, calls, usual) == pytest.approx(best)


COMERS = st.lists(st.sampled_from(("social", "residence", "housing")), min_size=1, max_size=3, unique=True)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), COMERS),
        st.tuples(st.just("next"), st.sampled_from("123")),
        st.tuples(st.just("wait"), st.integers(1, 12)),
    ),
    min_size=5,
    max_size=40,
)


@given(steps=STEPS)
def test_every_service_is_done_once_and_nobody_who_came_earlier_is_passed(steps: list[tuple]) -> None:
    box = wide_box()
    wanted: dict[str, list[str]] = {}
    for what, value in steps:
        box.wait(0.1)
        if what == "come":
            ticket = box.issue(value[0], more_services=tuple(value[1:]))
            wanted[ticket.ticket_id] = value
        elif what == "wait":
            box.wait(value)
        elif waiting_for(box.queue, SERVICES[int(value) - 1]) or box.queue.in_hand(value):
            press_next(box, value)
    for _ in range(4 * len(wanted) + 4):
        for counter in "123":
            if waiting_for(box.queue, SERVICES[int(counter) - 1]) or box.queue.in_hand(counter):
                press_next(box, counter)
    assert len({t.label for t in box.queue.tickets.values()}) == len(wanted)
    for ticket_id, services in wanted.items():
        ticket = box.queue.tickets[ticket_id]
        assert ticket.state is TicketState.FINISHED
        assert sorted([*(part.service for part in ticket.parts), ticket.service]) == sorted(services)
    assert replay(Queue(), box.facts) == box.queue


def press_next(box: Box, counter: str) -> None:
    """The one key of a key-pad: whoever goes on to another line stands there by the time they came."""
    for fact in box.wish(c.CallNext(counter=counter, finish_current=True)):
        if isinstance(fact, f.TicketCalled):
            called = box.queue.tickets[fact.ticket_id]
            others = [t for t in waiting_for(box.queue, called.service) if t.ticket_id != called.ticket_id]
            assert all(called.issued_at <= t.issued_at for t in others), (
                "first come, first called in each line"
            )
