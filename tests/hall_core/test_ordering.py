"""Who is next: one value orders the line, and nobody starves."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.queueing import commands as c
from hall_core.queueing.ordering import ahead_of, effective_time, line_for, next_ticket, waiting_for
from tests.hall_core.hall_scene import Box, at


def labels(box: Box, counter: str = "3") -> list[str]:
    return [t.label for t in line_for(box.queue, counter, box.now)]


@pytest.fixture
def box() -> Box:
    box = Box.opened()
    box.open("1", "2", "3")
    return box


def test_effective_time_is_issue_time_less_the_credit() -> None:
    assert effective_time(at(9, 30), 0) == at(9, 30)
    assert effective_time(at(9, 30), 15) == at(9, 15)


def test_who_came_first_is_called_first_over_all_services_of_a_counter(box: Box) -> None:
    for service in ("social", "residence", "social"):
        box.issue(service)
        box.wait(1)
    assert labels(box) == ["A001", "B001", "A002"]
    assert labels(box, "1") == ["A001", "A002"]
    assert labels(box, "2") == ["B001"]


def test_a_priority_class_is_moved_forward_by_its_credit_and_no_further(box: Box) -> None:
    box.issue()
    box.wait(10)
    box.issue()
    box.wait(10)
    elder = box.issue(priority="elder")
    assert elder.effective_at == at(9, 5)
    assert labels(box) == ["A001", "A003", "A002"]
    assert elder.ahead == 1


def test_whoever_has_waited_past_the_goal_goes_before_every_credit(box: Box) -> None:
    box.issue()
    box.wait(20)
    box.issue(priority="urgent")
    assert labels(box) == ["A002", "A001"], "25 minutes of credit count at first"
    box.wait(9)
    assert labels(box) == ["A002", "A001"]
    box.wait(1)
    assert labels(box) == ["A001", "A002"], "after 30 minutes of waiting they do not"


def test_tickets_of_one_moment_go_by_number(box: Box) -> None:
    for _ in range(3):
        box.issue()
    assert labels(box) == ["A001", "A002", "A003"]


def test_ahead_counts_the_people_of_the_same_service_who_go_first(box: Box) -> None:
    tickets = []
    for service in ("social", "residence", "social", "social"):
        tickets.append(box.issue(service))
        box.wait(1)
    assert [t.ahead for t in tickets] == [0, 0, 1, 2]
    assert [ahead_of(box.queue, t, box.now) for t in tickets] == [0, 0, 1, 2]
    box.call_next("1")
    assert [ahead_of(box.queue, box.ticket(t), box.now) for t in tickets[2:]] == [0, 1]
    assert len(waiting_for(box.queue, "social")) == 2


def test_nobody_is_next_at_a_counter_whose_services_nobody_wants(box: Box) -> None:
    box.issue("social")
    assert next_ticket(box.queue, "2", box.now) is None
    assert line_for(box.queue, "2", box.now) == []


@given(
    arrivals=st.lists(
        st.tuples(st.integers(0, 10), st.sampled_from([None, "elder", "urgent"])), min_size=1, max_size=12
    ),
    service_minutes=st.integers(1, 12),
)
def test_no_one_is_overtaken_by_who_came_after_the_waiting_goal(
    arrivals: list[tuple[int, str | None]], service_minutes: int
) -> None:
    box = Box.opened()
    box.open("1")
    for minutes, priority in arrivals:
        box.wait(minutes)
        box.issue(priority=priority)
    order = []
    while next_ticket(box.queue, "1", box.now) is not None:
        order.append(box.call_next("1", finish_current=True))
        box.wait(service_minutes)
    goal = timedelta(minutes=30)
    for place, ticket in enumerate(order):
        overtakers = order[:place]
        assert all(t.issued_at - ticket.issued_at < goal for t in overtakers)
    assert len(order) == len(arrivals)


@given(
    waits=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([None, "elder", "urgent"])), min_size=1, max_size=9
    ),
    later=st.integers(0, 60),
)
def test_the_line_the_next_and_the_people_ahead_agree(
    waits: list[tuple[int, str | None]], later: int
) -> None:
    box = Box.opened()
    box.open("1")
    for minutes, priority in waits:
        box.wait(minutes)
        ticket = box.issue(priority=priority)
        assert ticket.ahead == ahead_of(box.queue, ticket, box.now)
    box.wait(later)
    line = line_for(box.queue, "1", box.now)
    assert next_ticket(box.queue, "1", box.now) == line[0]
    assert [ahead_of(box.queue, t, box.now) for t in line] == list(range(len(line)))


def test_a_ticket_for_a_counter_that_does_not_serve_its_service_is_called_there(box: Box) -> None:
    ticket = box.issue("social")
    box.wish(c.Transfer(counter="1", ticket=ticket.label, to_counter="2"))
    assert labels(box, "2") == ["A001"]
    assert labels(box, "1") == []
