"""A slip whose record is gone: its number counts again, once, today."""

from datetime import timedelta

import pytest

from hall_core.errors import SlipInvalid, UnknownService
from hall_core.queueing import commands as c
from tests.hall_core.hall_scene import MONDAY, Box


def slip(box, **more):
    fields = {
        "ticket_id": "lost-1",
        "token": "token-of-the-lost",
        "service": box.queue.setup.services[0].id,
        "line": box.queue.setup.services[0].prefix,
        "number": 18,
        "day": MONDAY,
        "issued_at": box.now - timedelta(minutes=30),
    }
    return c.ReRegister(**(fields | more))


def test_it_stands_in_line_with_its_number_and_its_time():
    box = Box.opened()
    box.issue()
    [fact] = box.wish(slip(box))
    ticket = box.queue.tickets["lost-1"]
    assert (ticket.label, ticket.issued_at, ticket.ahead) == (fact.label, box.now - timedelta(minutes=30), 0)
    assert fact.at == box.now
    assert fact.channel == "slip", "nothing is printed again"


def test_it_counts_once():
    box = Box.opened()
    box.wish(slip(box))
    before = box.queue
    assert box.wish(slip(box)) == []
    assert box.queue.tickets == before.tickets


@pytest.mark.parametrize(
    "more",
    [{"day": MONDAY - timedelta(days=1)}, {"ticket_id": "another", "number": 1}],
    ids=["yesterday", "taken"],
)
def test_another_day_or_somebody_elses_number_is_refused(more):
    box = Box.opened()
    box.issue()
    with pytest.raises(SlipInvalid):
        box.wish(slip(box, **more))


def test_a_service_the_hall_has_no_more_is_refused():
    box = Box.opened()
    with pytest.raises(UnknownService):
        box.wish(slip(box, service="gone"))


def test_a_number_of_its_own_zone_is_not_given_again():
    box = Box.opened()
    box.wish(slip(box, number=1))
    box.issue()
    labels = [t.label for t in box.queue.tickets.values()]
    assert len(labels) == len(set(labels)) == 2


def test_a_time_in_the_future_is_no_place_in_the_future():
    box = Box.opened()
    box.wish(slip(box, issued_at=box.now + timedelta(hours=2)))
    assert box.queue.tickets["lost-1"].issued_at == box.now
