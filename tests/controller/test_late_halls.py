"""A hall that is late owes something, and a counter that stands idle is seen."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.use_cases import take_ticket
from controller.use_cases.promise_keeper import PromiseKeeper
from hall_core.queueing import commands as c
from tests.controller.box import ZONE
from tests.controller.promise_scene import (
    BOOK,
    a_phone,
    alarms,
    booked,
    booking_hall,
    checked_in,
    keep,
    link,
    seen,
    slot_of,
)
from tests.controller.test_take_ticket import answering
from tests.controller.web import web_of

#: slot and tolerance
LATE_S = 30 * 60 + 15 * 60


@pytest.fixture
async def web(centre, box):
    await booking_hall(centre, box)
    async with web_of(centre) as made:
        yield made


async def told(centre, box):
    await centre.talk(box, box.report())
    await keep(centre)


async def test_who_is_not_called_in_their_slot_gets_a_credit_and_the_hall_an_alarm(web, centre, box, clock):
    made = await checked_in(web, centre, box, clock, a_phone())
    clock.advance(LATE_S)
    await told(centre, box)
    assert centre.rows("CREDITS") == []
    clock.advance(1)
    for _ in range(2):
        await told(centre, box)
    assert (await seen(web, made))["credit"] == {"late": True, "minutes": 10, "used": False, "moved": 0}
    (alarm,) = alarms(centre, "late-booking")
    assert (alarm["count"], "A001" in alarm["text"]) == (1, True)
    box.do(c.OpenCounter(counter="1"))
    box.call()
    await told(centre, box)
    assert alarms(centre, "late-booking") == []
    assert len(centre.rows("CREDITS")) == 1


async def test_who_is_called_in_time_gets_none(web, centre, box, clock):
    made = await checked_in(web, centre, box, clock, a_phone())
    box.do(c.OpenCounter(counter="1"))
    clock.advance(LATE_S - 60)
    box.call()
    await told(centre, box)
    clock.advance(3600)
    await told(centre, box)
    assert (await seen(web, made))["credit"] is None


async def test_a_call_that_came_too_late_is_seen_when_the_hall_is_back(web, centre, box, clock):
    """The link was down while somebody waited; the hall's own journal says when they were called."""
    made = await checked_in(web, centre, box, clock, a_phone())
    await centre.hear(box.state("lost"))
    box.do(c.OpenCounter(counter="1"))
    clock.advance(LATE_S + 60)
    await keep(centre)
    assert centre.rows("CREDITS") == [], "nobody knows"
    box.call()
    await centre.talk(box, box.state(), box.birth())
    await keep(centre)
    assert (await seen(web, made))["credit"]["late"]


async def test_who_came_late_or_let_others_pass_is_owed_nothing(web, centre, box, clock):
    made = (await booked(web, clock, a_phone())).json()
    await centre.talk(box, box.report())
    starts_at = datetime.fromisoformat(made["starts_at"])
    clock.advance((starts_at - clock.now()).total_seconds() + 11 * 60)
    box.do(c.IssueTicket(ticket_id="late", token="token-late", appointment=made["code"]))
    clock.advance(LATE_S)
    await told(centre, box)
    assert centre.rows("CREDITS") == []


async def test_without_a_class_for_it_there_is_an_apology_and_no_minutes(centre, box, clock):
    await booking_hall(centre, box, goodwill=0)
    async with web_of(centre) as web:
        made = await checked_in(web, centre, box, clock, a_phone())
        clock.advance(LATE_S + 1)
        await told(centre, box)
        assert (await seen(web, made))["credit"] == {"late": True, "minutes": 0, "used": False, "moved": 0}


async def test_who_left_no_number_is_apologised_to(web, centre, box, clock):
    made = await checked_in(web, centre, box, clock)
    clock.advance(LATE_S + 1)
    await told(centre, box)
    assert (await seen(web, made))["credit"]["minutes"] == 0, "nobody could know them again"


async def owed(web, centre, box, clock, phone):
    made = await checked_in(web, centre, box, clock, phone)
    clock.advance(LATE_S + 1)
    await told(centre, box)
    return made


async def tomorrows(web, clock, phone, key, **more):
    slot = await slot_of(web, clock.now().astimezone(ZONE).date() + timedelta(days=1))
    body = {"service": "household", "starts_at": slot["starts_at"], "phone": phone, **more}
    return await web.client.post(BOOK, json=body, headers={**web.bearer, "Idempotency-Key": key})


async def test_a_credit_moves_the_next_appointment_forward_once(web, centre, box, clock):
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)
    next_one = (await tomorrows(web, clock, phone, "next")).json()
    await centre.talk(box, box.report())
    assert box.queue.appointments[next_one["appointment_id"]].priority == "goodwill"
    assert (await seen(web, next_one))["credit"]["moved"] == 10
    assert (await seen(web, made))["credit"]["used"]
    await web.client.post(link(next_one, "/cancel"))
    again = (await tomorrows(web, clock, phone, "again")).json()
    assert (await seen(web, again))["credit"]["moved"] == 10, "given up in time, it is there for another"
    assert len({row["used_by"] for row in centre.rows("CREDITS")}) == 1


async def test_a_number_taken_online_uses_it_as_well(web, centre, box, clock):
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)

    async def take(key, **more):
        body = {"service": "household", "phone": phone, **more}
        head = {**web.bearer, "Idempotency-Key": key}
        return await web.client.post("/api/halls/haitang/tickets", json=body, headers=head)

    async with answering(centre, box):
        assert (await take("wrong", priority="goodwill")).status_code == 422
        first, again, second = await take("n1"), await take("n1"), await take("n2")
    assert first.json() == again.json()
    tickets = [box.queue.tickets[x.json()["ticket_id"]] for x in (first, second)]
    assert [ticket.priority for ticket in tickets] == ["goodwill", None]
    assert tickets[0].effective_at == tickets[0].issued_at - timedelta(minutes=10)
    assert (await seen(web, made))["credit"]["used"]
    assert (await seen(web, first.json()))["credit"]["moved"] == 10


async def number_online(web, phone, key):
    body, head = {"service": "household", "phone": phone}, {**web.bearer, "Idempotency-Key": key}
    answer = await web.client.post("/api/halls/haitang/tickets", json=body, headers=head)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_number_that_is_given_up_before_its_call_gives_the_credit_back(web, centre, box, clock):
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)
    async with answering(centre, box):
        first = await number_online(web, phone, "n1")
        assert (await web.client.post(link(first, "/cancel"))).status_code == 200
        assert not (await seen(web, made))["credit"]["used"]
        second = await number_online(web, phone, "n2")
    assert box.queue.tickets[second["ticket_id"]].priority == "goodwill"
    assert (await seen(web, second))["credit"]["moved"] == 10


async def test_a_number_that_was_called_has_used_its_credit(web, centre, box, clock):
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)
    box.do(c.CancelTicket(ticket=made["appointment_id"]))
    async with answering(centre, box):
        first = await number_online(web, phone, "n1")
    box.do(c.OpenCounter(counter="1"))
    box.call()
    box.do(c.NoShow(counter="1"))
    await told(centre, box)
    assert (await seen(web, first))["state"] == "no-show"
    assert (await seen(web, made))["credit"]["used"]


async def test_a_hall_that_closes_without_a_call_owes_it_still(web, centre, box, clock):
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)
    async with answering(centre, box):
        first = await number_online(web, phone, "n1")
    clock.advance(86_400)
    box.do(c.OpenBusinessDay(day=clock.now().astimezone(ZONE).date()))
    await told(centre, box)
    assert (await seen(web, first))["state"] == "lapsed"
    assert not (await seen(web, made))["credit"]["used"]


async def test_a_number_of_the_centre_that_is_given_up_gives_the_credit_back(web, centre, box, clock):
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)
    await centre.hear(box.state("lost"))
    first = await number_online(web, phone, "n1")
    assert (first["series"], (await seen(web, made))["credit"]["used"]) == ("offline", True)
    await web.client.post(link(first, "/cancel"))
    assert not (await seen(web, made))["credit"]["used"]


async def test_a_number_that_goes_on_under_another_label_keeps_its_credit(
    web, centre, box, clock, monkeypatch
):
    """Hall and centre have both answered: the hall's number is void, and its end gives nothing back."""
    monkeypatch.setattr(take_ticket, "HALL_S", 0)
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)
    first = await number_online(web, phone, "n1")
    assert first["series"] == "offline"
    await centre.talk(box, box.report())
    void = next(row for row in centre.rows("TICKETS") if row["merged_into"] == first["ticket_id"])
    assert (void["state"], void["priority"]) == ("cancelled", "goodwill")
    assert (await seen(web, made))["credit"]["used"]
    async with answering(centre, box):
        await web.client.post(link(first, "/cancel"))
    assert not (await seen(web, made))["credit"]["used"]


async def test_a_number_the_hall_refuses_uses_nothing(web, centre, box, clock):
    phone = a_phone()
    made = await owed(web, centre, box, clock, phone)
    box.queue = replace(box.queue, grants=())
    async with answering(centre, box):
        body = {"service": "household", "phone": phone}
        head = {**web.bearer, "Idempotency-Key": "n1"}
        answer = await web.client.post("/api/halls/haitang/tickets", json=body, headers=head)
    assert answer.json()["type"] == "no-grant"
    assert not (await seen(web, made))["credit"]["used"]


async def test_minutes_move_the_place_in_line_as_any_class_does(web, centre, box, clock):
    phone = a_phone()
    await owed(web, centre, box, clock, phone)
    next_one = (await tomorrows(web, clock, phone, "next")).json()
    await centre.talk(box, box.report())
    starts_at = datetime.fromisoformat(next_one["starts_at"])
    clock.advance((starts_at - clock.now()).total_seconds())
    box.do(c.OpenBusinessDay(day=clock.now().astimezone(ZONE).date()))
    box.do(c.IssueTicket(ticket_id="x", token="token-x", appointment=next_one["code"]))
    ticket = box.queue.tickets[next_one["appointment_id"]]
    assert ticket.effective_at == starts_at - timedelta(minutes=10)


async def test_nobody_takes_the_class_for_themselves(web, clock):
    answer = await tomorrows(web, clock, a_phone(), "k", priority="goodwill")
    assert answer.status_code == 422


async def test_another_persons_credit_stays_theirs(web, centre, box, clock):
    await owed(web, centre, box, clock, a_phone())
    other = (await tomorrows(web, clock, a_phone(), "other")).json()
    assert (await seen(web, other))["credit"] is None


async def test_a_counter_that_is_free_while_somebody_waits_is_one_alarm_until_it_calls(
    web, centre, box, clock
):
    box.do(c.OpenCounter(counter="3"))
    box.issue("t1")
    await centre.talk(box, box.facts())
    keeper = _keeper(centre)
    for _ in range(11):
        await keeper.look()
        clock.advance(60)
        await centre.talk(box, box.report())
    (alarm,) = alarms(centre, "idle-counter")
    assert (alarm["subject"], alarm["count"]) == ("3", 1)
    assert "A001 已等" in alarm["text"]
    box.call("3")
    await centre.talk(box, box.facts())
    await keeper.look()
    assert alarms(centre, "idle-counter") == []
    assert centre.rows("CREDITS") == []


@pytest.mark.parametrize("state", ["closed", "paused", "busy", "other service", "nobody waits"])
async def test_a_counter_that_cannot_call_anybody_is_not_idle(web, centre, box, clock, state):
    if state != "closed":
        box.do(c.OpenCounter(counter="3"))
    if state == "busy":
        box.issue("t0")
        box.call("3")
    if state != "nobody waits":
        box.issue("t1", service="tax" if state == "other service" else "household")
    if state == "paused":
        box.do(c.PauseCounter(counter="3", reason="午休"))
    await centre.talk(box, box.facts())
    keeper = _keeper(centre)
    for _ in range(15):
        await keeper.look()
        clock.advance(60)
        await centre.talk(box, box.report())
    assert alarms(centre, "idle-counter") == []


async def test_an_alarm_of_an_earlier_life_ends_too(web, centre, box, clock):
    box.do(c.OpenCounter(counter="3"))
    box.issue("t1")
    await centre.talk(box, box.facts())
    keeper = _keeper(centre)
    for _ in range(12):
        await keeper.look()
        clock.advance(60)
        await centre.talk(box, box.report())
    assert len(alarms(centre, "idle-counter")) == 1
    box.call("3")
    await centre.talk(box, box.facts())
    await _keeper(centre).look()
    assert alarms(centre, "idle-counter") == []


def _keeper(centre):
    return PromiseKeeper(centre.context)
