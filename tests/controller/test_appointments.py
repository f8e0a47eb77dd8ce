"""Appointments: places are never given twice, the hall has its list ahead, the hall's word is the last."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from hall_core.queueing import commands as c
from hall_core.queueing.setup import ServiceSetup
from hall_core.schedule.slots import SlotPlan
from tests.controller.box import ZONE, Box, hall_setup
from tests.controller.test_take_ticket import answering
from tests.controller.web import web_of

SLOTS, BOOK = "/api/halls/haitang/slots", "/api/halls/haitang/appointments"


@pytest.fixture
async def web(centre, box):
    """A hall that gives two places every half hour for household matters, and none for taxes."""
    household, tax = hall_setup().services
    plan = SlotPlan(minutes=30, places=2, days_ahead=3)
    services = (household.model_copy(update={"appointments": plan}), tax)
    await centre.meet(box)
    box.do(c.ConfigureHall(setup=hall_setup().model_copy(update={"services": services})))
    await centre.talk(box, box.facts())
    async with web_of(centre) as made:
        yield made


async def slots(web, clock, days=0, service="household"):
    day = (clock.now().astimezone(ZONE) + timedelta(days=days)).date().isoformat()
    return await web.client.get(SLOTS, params={"service": service, "day": day}, headers=web.bearer)


async def book(web, slot, key="k1", **more):
    body = {"service": "household", "starts_at": slot["starts_at"], **more}
    return await web.client.post(BOOK, json=body, headers={**web.bearer, "Idempotency-Key": key})


async def booked(web, clock, days=0, nth=0, key="k1", **more):
    slot = (await slots(web, clock, days)).json()[nth]
    answer = await book(web, slot, key, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def link(appointment, action=""):
    return f"/api/t/{appointment['token']}{action}"


async def test_slots_are_shown_with_the_places_left(web, clock):
    first = (await slots(web, clock)).json()[0]
    assert (first["places"], first["left"]) == (2, 2)
    await book(web, first)
    assert (await slots(web, clock)).json()[0]["left"] == 1


async def test_a_slot_that_is_too_near_or_too_far_is_not_shown(web, clock):
    now = clock.now()
    for slot in (await slots(web, clock)).json():
        assert datetime.fromisoformat(slot["starts_at"]) >= now + timedelta(minutes=30)
    assert (await slots(web, clock, days=3)).json()
    assert (await slots(web, clock, days=4)).json() == []


@pytest.mark.parametrize(
    ("path", "params", "status", "slug"),
    [
        (SLOTS, {"service": "weddings", "day": "2026-11-23"}, 404, "unknown-service"),
        (SLOTS, {"service": "tax", "day": "2026-11-23"}, 409, "no-slots"),
        ("/api/halls/nowhere/slots", {"service": "tax", "day": "2026-11-23"}, 404, "unknown-hall"),
        (SLOTS, {"service": "household", "day": "someday"}, 422, "bad-request"),
    ],
)
async def test_what_gives_no_slots_says_why(web, path, params, status, slug):
    answer = await web.client.get(path, params=params, headers=web.bearer)
    assert (answer.status_code, answer.json()["type"]) == (status, slug)


async def test_an_appointment_is_promised_with_a_link_and_a_code(web, clock):
    made = await booked(web, clock)
    assert set(made) == {"appointment_id", "hall", "service", "starts_at", "ends_at", "code", "token", "url"}
    assert made["url"] == f"http://centre.test/t/{made['token']}"
    assert len(made["code"]) == 6
    seen = (await web.client.get(link(made))).json()
    assert (seen["state"], seen["label"], seen["ahead"]) == ("booked", None, None)
    assert seen["appointment"]["code"] == made["code"]
    assert seen["appointment"]["starts_at"] == made["starts_at"]


async def test_the_same_request_gets_the_same_appointment_and_takes_one_place(web, clock):
    slot = (await slots(web, clock)).json()[0]
    first, again = await book(web, slot), await book(web, slot)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (await slots(web, clock)).json()[0]["left"] == 1
    other = await book(web, slot, priority="elder")
    assert (other.status_code, other.json()["type"]) == (409, "request-id-reused")


async def test_fifty_at_once_get_no_more_places_than_there_are(web, clock):
    slot = (await slots(web, clock)).json()[0]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(book(web, slot, f"k{i}")) for i in range(50)]
    statuses = sorted(t.result().status_code for t in tasks)
    assert statuses == [201, 201] + [409] * 48
    assert {t.result().json()["type"] for t in tasks if t.result().status_code == 409} == {"slot-full"}


async def test_a_time_that_begins_no_slot_is_no_slot(web, clock):
    slot = (await slots(web, clock)).json()[0]
    crooked = datetime.fromisoformat(slot["starts_at"]) + timedelta(minutes=7)
    answer = await book(web, {"starts_at": crooked.isoformat()})
    assert (answer.status_code, answer.json()["type"]) == (409, "no-slots")
    utc = datetime.fromisoformat(slot["starts_at"]).astimezone(UTC)
    assert (await book(web, {"starts_at": utc.isoformat()})).status_code == 201, (
        "the zone of the asker is free"
    )


async def test_the_hall_has_its_list_ahead_and_checks_in_alone(web, box, centre, clock):
    made = await booked(web, clock, nth=0)
    await centre.talk(box, box.report())
    (expected,) = box.queue.appointments.values()
    assert (expected.code, expected.token) == (made["code"], made["token"])
    # From here on nobody hears of the controller.
    clock.advance((datetime.fromisoformat(made["starts_at"]) - clock.now()).total_seconds() - 60)
    box.do(c.IssueTicket(ticket_id="kiosk-1", token="kiosk-token", appointment=made["code"]))
    (ticket,) = box.queue.tickets.values()
    assert ticket.effective_at == datetime.fromisoformat(made["starts_at"])
    # … and it hears of the ticket afterwards, under the link it gave.
    await centre.talk(box, box.facts())
    seen = (await web.client.get(link(made))).json()
    assert (seen["state"], seen["label"], seen["ticket_id"]) == ("waiting", "A001", made["appointment_id"])
    assert centre.one("APPOINTMENTS")["state"] == "checked-in"


async def test_a_phone_checks_in_when_the_hall_says_so(web, box, centre, clock):
    made = await booked(web, clock)
    async with answering(centre, box):
        early = await web.client.post(link(made, "/check-in"))
        assert (early.status_code, early.json()["type"]) == (409, "appointment-not-now")
        clock.advance((datetime.fromisoformat(made["starts_at"]) - clock.now()).total_seconds() - 60)
        await centre.talk(box, box.report())
        here = await web.client.post(link(made, "/check-in"))
        assert (here.status_code, here.json()["label"]) == (200, "A001")
        again = await web.client.post(link(made, "/check-in"))
        assert (again.status_code, again.json()["label"]) == (200, "A001")


async def test_a_relative_is_named_when_the_phone_checks_in(web, box, centre, clock):
    made, relative = await booked(web, clock), f"13{random.randrange(10**9):09d}"
    async with answering(centre, box):
        clock.advance((datetime.fromisoformat(made["starts_at"]) - clock.now()).total_seconds() - 60)
        await centre.talk(box, box.report())
        here = await web.client.post(link(made, "/check-in"), json={"relative_phone": relative})
    assert (here.status_code, here.json()["relative_tail"]) == (200, relative[-2:])
    named = box.queue.tickets[made["appointment_id"]].relative
    assert centre.context.phones.unseal(named.phone_sealed, named.ticket_id) == f"+86{relative}"


async def test_a_hall_that_is_away_cannot_be_checked_in_by_phone(web, box, centre, clock):
    made = await booked(web, clock)
    await centre.hear(box.state("lost"))
    answer = await web.client.post(link(made, "/check-in"))
    assert (answer.status_code, answer.json()["type"]) == (503, "hall-unreachable")


async def test_a_place_given_up_is_free_and_the_hall_expects_nobody(web, box, centre, clock):
    made = await booked(web, clock)
    await centre.talk(box, box.report())
    for _ in range(2):
        answer = await web.client.post(link(made, "/cancel"))
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    await centre.talk(box, box.report())
    assert box.queue.appointments == {}
    assert (await slots(web, clock)).json()[0]["left"] == 2


async def test_another_time_keeps_link_and_code(web, box, centre, clock):
    made = await booked(web, clock)
    other = (await slots(web, clock, days=1)).json()[3]
    moved = await web.client.post(link(made, "/reschedule"), json={"starts_at": other["starts_at"]})
    assert moved.json()["appointment"]["starts_at"] == other["starts_at"]
    assert moved.json()["appointment"]["code"] == made["code"]
    await centre.talk(box, box.report())
    (expected,) = box.queue.appointments.values()
    assert expected.starts_at == datetime.fromisoformat(other["starts_at"])
    assert (await slots(web, clock)).json()[0]["left"] == 2
    assert (await slots(web, clock, days=1)).json()[3]["left"] == 1


async def test_a_full_slot_is_no_other_time(web, clock):
    made = await booked(web, clock)
    slot = (await slots(web, clock)).json()[5]
    await book(web, slot, "k2")
    await book(web, slot, "k3")
    answer = await web.client.post(link(made, "/reschedule"), json={"starts_at": slot["starts_at"]})
    assert (answer.status_code, answer.json()["type"]) == (409, "slot-full")
    assert (await slots(web, clock)).json()[0]["left"] == 1, "the old place is kept"


async def test_the_halls_word_is_the_last(web, box, centre, clock):
    """Somebody checks in at the kiosk while the uplink is down and gives it up on the phone."""
    made = await booked(web, clock)
    await centre.talk(box, box.report())
    clock.advance((datetime.fromisoformat(made["starts_at"]) - clock.now()).total_seconds() - 60)
    box.do(c.IssueTicket(ticket_id="kiosk-1", token="kiosk-token", appointment=made["code"]))
    assert (await web.client.post(link(made, "/cancel"))).json()["state"] == "cancelled"
    await centre.talk(box, box.facts())
    await centre.talk(box, box.report())
    assert centre.one("APPOINTMENTS")["state"] == "checked-in"
    assert (await web.client.get(link(made))).json()["label"] == "A001"


async def test_a_hall_that_cannot_keep_the_promise_raises_an_alarm(web, box, centre, clock):
    made = await booked(web, clock)
    box.do(
        c.ConfigureHall(
            setup=hall_setup().model_copy(update={"services": (other_service(),), "counters": counters()})
        )
    )
    await centre.talk(box, box.report())
    assert centre.one("APPOINTMENTS")["state"] == "refused"
    (alarm,) = [a for a in centre.rows("ALARMS") if a["kind"] == "appointment-refused"]
    assert made["code"] in alarm["text"]


def other_service():
    return ServiceSetup(id="tax", name="税务业务", prefix="B")


def counters():
    return tuple(x.model_copy(update={"services": ("tax",)}) for x in hall_setup().counters)


async def test_a_new_box_is_told_whom_to_expect(web, centre, clock):
    first = await booked(web, clock)
    second = Box(clock, life="two").open()
    await centre.talk(second, second.state(), second.birth())
    assert {a.code for a in second.queue.appointments.values()} == {first["code"]}


async def test_who_is_missed_twice_books_nothing_for_a_week(web, box, centre, clock):
    phone = f"13{random.randrange(10**9):09d}"
    for n in range(2):
        await booked(web, clock, key=f"missed-{n}", phone=phone)
        await centre.talk(box, box.report())
        clock.advance(86_400)
        box.do(c.OpenBusinessDay(day=clock.now().astimezone(ZONE).date()))
        await centre.talk(box, box.facts())
    assert [a["state"] for a in centre.rows("APPOINTMENTS")] == ["missed", "missed"]
    slot = (await slots(web, clock)).json()[0]
    answer = await book(web, slot, "third", phone=phone)
    assert (answer.status_code, answer.json()["type"]) == (409, "booking-paused")
    assert (await book(web, slot, "other", phone=f"15{random.randrange(10**9):09d}")).status_code == 201
    clock.advance(7 * 86_400)
    await centre.talk(box, box.report())
    box.do(c.OpenBusinessDay(day=clock.now().astimezone(ZONE).date()))
    await centre.talk(box, box.facts())
    assert (await book(web, (await slots(web, clock)).json()[0], "fourth", phone=phone)).status_code == 201


async def test_nothing_personal_is_stored_or_listed_in_clear(web, centre, clock):
    phone = f"13{random.randrange(10**9):09d}"
    made = await booked(web, clock, phone=phone)
    row = centre.one("APPOINTMENTS")
    assert phone not in str(row)
    (listed,) = (await web.client.get("/api/appointments", headers=web.bearer)).json()
    assert listed["phone"] == f"{phone[:3]}****{phone[-4:]}"
    for secret in (made["token"], made["code"], phone):
        assert secret not in str(listed)
