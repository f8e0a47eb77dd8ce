"""The queue as other programs see it, and the hash both sides compare."""

import json

from hall_core.queueing import commands as c
from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import ServiceSetup
from hall_core.queueing.summary import (
    calls_summary,
    counters_summary,
    services_summary,
    state_hash,
    ticket_summary,
)
from hall_core.schedule.hours import Hours
from tests.hall_core.hall_scene import Box, at


def box_in_service() -> Box:
    box = Box.opened()
    box.wish(c.OpenCounter(counter="1", clerk="王"))
    box.issue()
    box.wait(1)
    box.issue(priority="elder")
    box.wait(1)
    box.call_next("1")
    return box


def test_an_unconfigured_hall_has_no_services_and_no_counters() -> None:
    assert services_summary(Queue(), at(9)) == []
    assert counters_summary(Queue()) == []
    assert calls_summary(Queue()) == []


def test_services_tell_who_waits_and_how_long_it_takes() -> None:
    box = box_in_service()
    rows = services_summary(box.queue, box.now)
    assert [(r["id"], r["prefix"], r["open"], r["waiting"]) for r in rows] == [
        ("social", "A", True, 1),
        ("residence", "B", True, 0),
    ]
    assert rows[0]["range_min"] == (2, 32)
    assert rows[1]["range_min"] is None
    assert set(rows[0]) == {
        *("id", "name", "name_en", "about", "about_en", "prefix"),
        *("open", "instead", "appointments", "waiting", "range_min"),
    }


def test_a_service_is_closed_out_of_its_own_hours_or_the_halls() -> None:
    never = Hours(mon=(), tue=(), wed=(), thu=(), fri=())
    services = (
        ServiceSetup(id="social", name="社保", prefix="A"),
        ServiceSetup(id="residence", name="户籍", prefix="B", hours=never, instead="请到二楼"),
    )
    box = Box.opened(services=services)
    rows = services_summary(box.queue, box.now)
    assert [(r["open"], r["instead"]) for r in rows] == [(True, ""), (False, "请到二楼")]
    closed = Box.opened(hours=never)
    assert [r["open"] for r in services_summary(closed.queue, closed.now)] == [False, False]


def test_counters_stand_in_the_order_of_the_set_up_with_the_ticket_in_hand() -> None:
    first, second, third = counters_summary(box_in_service().queue)
    assert first == {
        "id": "1",
        "name": "1号窗口",
        "state": "open",
        "services": ["social"],
        "clerk": "王",
        "reason": None,
        "tells_arrivals": False,
        "ticket": {"id": "ticket-2", "label": "A002", "state": "called"},
    }
    assert (second["state"], third["ticket"]) == ("closed", None)


def test_calls_tell_label_counter_and_what_became_of_the_ticket() -> None:
    box = box_in_service()
    box.wish(c.Start(counter="1"))
    assert calls_summary(box.queue) == [
        {
            "ticket_id": "ticket-2",
            "label": "A002",
            "counter": "1",
            "call_no": 1,
            "at": "2026-11-23T09:02:00+08:00",
            "again": False,
            "state": "serving",
        }
    ]


def test_a_ticket_tells_who_is_ahead_only_while_it_waits() -> None:
    box = box_in_service()
    waiting = ticket_summary(box.queue, box.queue.tickets["ticket-1"], box.now)
    assert (waiting["state"], waiting["ahead"], waiting["range_min"]) == ("waiting", 0, (0, 18))
    called = ticket_summary(box.queue, box.queue.tickets["ticket-2"], box.now)
    assert (called["ahead"], called["range_min"], called["counter"]) == (None, None, "1")
    assert called["called_at"] == "2026-11-23T09:02:00+08:00"
    assert (called["started_at"], called["ended_at"]) == (None, None)
    assert "token" not in called
    assert "phone_sealed" not in called
    assert json.loads(json.dumps(called)) == called


def test_the_hash_is_16_hex_digits_and_moves_with_every_fact() -> None:
    box = Box.opened()
    seen = [state_hash(Queue()), state_hash(box.queue)]
    for command in (
        c.OpenCounter(counter="1"),
        c.IssueTicket(ticket_id="t", token="k", service="social"),
        c.CallNext(counter="1"),
        c.Recall(counter="1"),
        c.Start(counter="1"),
        c.Finish(counter="1"),
    ):
        box.wish(command)
        seen.append(state_hash(box.queue))
    assert len(set(seen)) == len(seen)
    assert all(len(h) == 16 and int(h, 16) >= 0 for h in seen)
