"""Draws of a new booking day: announced ahead, one registration each, one order that everybody can check."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from controller.store import appointments as store
from controller.use_cases.draws import draw_view
from hall_core.errors import AlreadyRegistered, BookingPaused, DrawNotOpen, DrawRunning, NoSlots
from tests.controller.centre import Centre
from tests.controller.draw_scene import (
    PLAN,
    TO_OPENING,
    WINDOW,
    a_phone,
    announced,
    draw_hall,
    enter,
    look,
    slot,
)
from tests.controller.web import web_of

BOOK = "/api/halls/haitang/appointments"
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
async def web(centre, box):
    await draw_hall(centre, box)
    async with web_of(centre) as made:
        yield made


async def one_draw(web, draw_id):
    return (await web.client.get(f"/api/public/draws/{draw_id}")).json()


def entries(centre):
    return sorted(centre.rows("DRAW_ENTRIES"), key=lambda row: row["rank"] or 0)


async def test_the_commitment_is_public_a_day_ahead_and_the_seed_only_afterwards(web, centre, clock):
    draw = await announced(centre)
    (listed,) = (await web.client.get("/api/public/halls/haitang/draws")).json()
    assert (listed["state"], listed["day"], listed["seed"]) == ("to-come", "2026-11-26", None)
    assert listed["opens_at"] == "2026-11-23T10:00:00+08:00"
    clock.advance(TO_OPENING)
    await enter(centre, draw, 0)
    during = await one_draw(web, draw["draw_id"])
    assert (during["state"], during["seed"], during["registrations"], during["count"]) == (
        *("running", None, None),
        1,
    )
    assert draw["seed"] not in str(during)
    clock.advance(WINDOW)
    await look(centre)
    after = await one_draw(web, draw["draw_id"])
    assert after["state"] == "allotted"
    assert hashlib.sha256(bytes.fromhex(after["seed"])).hexdigest() == listed["commitment"]


async def test_the_recipe_in_the_papers_checks_a_draw(web, centre, clock):
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    for n in range(20):
        await enter(centre, draw, n % 6)
    clock.advance(WINDOW)
    await look(centre)
    shown = await one_draw(web, draw["draw_id"])
    paper = (DOCS / "integrators.md").read_text("utf-8")
    recipe = re.search(r"```python\n(def check_draw.*?)```", paper, re.DOTALL)
    assert recipe, "docs/integrators.md says how a draw is checked"
    names = {"hashlib": hashlib, "hmac": hmac}
    exec(recipe[1], names)
    assert names["check_draw"](shown)
    for wrong in (
        {"order": shown["order"][::-1]},
        {"seed": "00" * 32},
        {"registrations": shown["registrations"][1:]},
    ):
        assert not names["check_draw"]({**shown, **wrong})


async def test_a_registration_is_answered_once_and_again_the_same(web, centre, clock):
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    path = f"/api/draws/{draw['draw_id']}/registrations"
    body = {"wishes": [slot(draw, 0).isoformat(), slot(draw, 1).isoformat()], "phone": a_phone()}
    head = {**web.bearer, "Idempotency-Key": "r1"}
    first = await web.client.post(path, json=body, headers=head)
    again = await web.client.post(path, json=body, headers=head)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = await web.client.post(path, json={**body, "wishes": body["wishes"][:1]}, headers=head)
    assert (other.status_code, other.json()["type"]) == (409, "request-id-reused")
    twice = await web.client.post(path, json=body, headers={**head, "Idempotency-Key": "r2"})
    assert (twice.status_code, twice.json()["type"]) == (409, "already-registered")
    seen = (await web.client.get(f"/api/t/{first.json()['token']}")).json()
    assert (seen["state"], seen["draw"]["state"], len(seen["draw"]["wishes"])) == ("registered", "running", 2)
    assert len(centre.rows("DRAW_ENTRIES")) == 1
    assert body["phone"] not in str(centre.rows("DRAW_ENTRIES"))


async def test_one_registers_in_the_window_only(centre, web, clock):
    draw = await announced(centre)
    with pytest.raises(DrawNotOpen):
        await enter(centre, draw, 0)
    clock.advance(TO_OPENING + WINDOW)
    with pytest.raises(DrawNotOpen):
        await enter(centre, draw, 0)


@pytest.mark.parametrize("wrong", [40, 300])
async def test_a_wish_that_is_no_slot_of_the_day_is_refused(centre, web, clock, wrong):
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    with pytest.raises(NoSlots):
        await enter(centre, draw, wrong)


async def test_places_go_in_the_order_of_the_draw_by_wishes_and_the_rest_waits(web, centre, box, clock):
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    tokens = {}
    for _ in range(6):
        made = await enter(centre, draw, 0, 1)
        tokens[made.registration["registration"]] = made.registration["token"]
    clock.advance(WINDOW)
    await look(centre)
    await centre.talk(box, box.report())
    ordered = entries(centre)
    assert [row["rank"] for row in ordered] == [1, 2, 3, 4, 5, 6]
    assert [row["state"] for row in ordered] == ["booked"] * 4 + ["waiting-list"] * 2
    starts = [
        (await web.client.get(f"/api/t/{row['token']}")).json()["appointment"]["starts_at"]
        for row in ordered[:4]
    ]
    assert [datetime.fromisoformat(at) for at in starts] == [slot(draw, n) for n in (0, 0, 1, 1)], (
        "who was drawn first got what they wanted most"
    )
    assert {a.token for a in box.queue.appointments.values()} == {row["token"] for row in ordered[:4]}
    waiting = (await web.client.get(f"/api/t/{ordered[5]['token']}")).json()
    assert (waiting["state"], waiting["draw"]["rank"]) == ("waiting-list", 6)


async def test_during_the_draw_nobody_is_served_first_and_afterwards_everybody(web, centre, clock):
    draw = await announced(centre)
    clock.advance(TO_OPENING + 60)

    async def book(key):
        body = {"service": "household", "starts_at": slot(draw, 0).isoformat(), "phone": a_phone()}
        return await web.client.post(BOOK, json=body, headers={**web.bearer, "Idempotency-Key": key})

    refused = (await book("b1")).json()
    assert (refused["type"], refused["draw"], refused["until"]) == ("draw-running", draw["draw_id"], "10:05")
    clock.advance(WINDOW)
    assert (await book("b2")).json()["type"] == "draw-running", "the order is not made yet"
    await look(centre)
    assert (await book("b3")).status_code == 201


async def test_a_day_that_is_drawn_is_not_bookable_before_its_hour(web, centre):
    day = (await announced(centre))["day"]
    params = {"service": "household", "day": day.isoformat()}
    shown = await web.client.get("/api/halls/haitang/slots", params=params, headers=web.bearer)
    assert shown.json() == []
    params["day"] = (day - timedelta(days=1)).isoformat()
    shown = await web.client.get("/api/halls/haitang/slots", params=params, headers=web.bearer)
    assert shown.json()


async def test_nobody_books_without_saying_who_where_people_are_drawn(web, centre, clock):
    day = (await announced(centre))["day"] - timedelta(days=1)
    body = {"service": "household", "starts_at": f"{day}T09:00:00+08:00"}
    answer = await web.client.post(BOOK, json=body, headers={**web.bearer, "Idempotency-Key": "b"})
    assert (answer.status_code, answer.json()["type"]) == (422, "identity-needed")


async def test_one_person_has_one_open_appointment_for_a_service_and_a_day(web, centre, clock):
    day = (await announced(centre))["day"] - timedelta(days=1)
    phone = a_phone()

    async def book(key, hour, on=day):
        body = {"service": "household", "starts_at": f"{on}T{hour}:00:00+08:00", "phone": phone}
        return await web.client.post(BOOK, json=body, headers={**web.bearer, "Idempotency-Key": key})

    first = await book("b1", 10)
    assert first.status_code == 201
    assert (await book("b2", 11)).json()["type"] == "already-booked"
    before = day - timedelta(days=1)
    other = await book("b3", 11, before)
    assert other.status_code == 201
    moved = await web.client.post(
        f"/api/t/{other.json()['token']}/reschedule", json={"starts_at": f"{day}T12:00:00+08:00"}
    )
    assert moved.json()["type"] == "already-booked"
    await web.client.post(f"/api/t/{first.json()['token']}/cancel")
    assert (await book("b4", 11)).status_code == 201, "given up, it stands in nobody's way"


async def test_who_registers_twice_from_two_places_at_once_is_in_once(web, centre, clock):
    draw, phone = await announced(centre), a_phone()
    clock.advance(TO_OPENING)
    await enter(centre, draw, 0, phone=phone, key="one")
    with pytest.raises(AlreadyRegistered):
        await enter(centre, draw, 0, phone=phone, key="two")


async def test_who_withdraws_stays_in_the_list_and_gets_no_place(web, centre, clock):
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    out = await enter(centre, draw, 0)
    await enter(centre, draw, 0)
    left = await web.client.post(f"/api/t/{out.registration['token']}/cancel")
    assert (left.status_code, left.json()["state"]) == (200, "withdrawn")
    clock.advance(WINDOW)
    await look(centre)
    assert len((await one_draw(web, draw["draw_id"]))["order"]) == 2
    assert sorted(row["state"] for row in centre.rows("DRAW_ENTRIES")) == ["booked", "withdrawn"]


async def test_a_controller_that_dies_in_the_window_draws_when_it_is_back(centre, box, clock):
    await draw_hall(centre, box)
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    for _ in range(3):
        await enter(centre, draw, 0)
    later = centre.again()
    try:
        await enter(later, draw, 0)
        clock.advance(WINDOW + 3600)
        await look(later)
        shown = await draw_view(later.context, draw["draw_id"])
        assert (shown["state"], len(shown["order"]), shown["commitment"]) == (
            *("allotted", 4),
            draw["commitment"],
        )
    finally:
        later.close()


async def test_two_controllers_on_one_database_announce_and_draw_once(centre, box, clock):
    await draw_hall(centre, box)
    twin = Centre(centre.url, centre.folder, clock, centre.ids, centre.tokens)
    try:
        await look(centre)
        await look(twin)
        draw = centre.one("DRAWS")
        clock.advance(TO_OPENING)
        for n in range(8):
            await enter((centre, twin)[n % 2], draw, 0)
        clock.advance(WINDOW)
        await look(centre)
        first = await draw_view(centre.context, draw["draw_id"])
        await look(twin)
        assert await draw_view(twin.context, draw["draw_id"]) == first
        assert len(first["order"]) == 8
        assert len(centre.rows("APPOINTMENTS")) == 2
    finally:
        twin.close()


async def test_of_a_thousand_nobody_is_lost_and_no_slot_gets_more_than_its_places(centre, box, clock):
    await draw_hall(centre, box, PLAN.model_copy(update={"places": 20}))
    draw = await announced(centre)
    clock.advance(TO_OPENING)
    names = set()
    for n in range(1000):
        made = await enter(centre, draw, n % 6, (n + 1) % 6, phone=f"138{n:08d}")
        names.add(made.registration["registration"])
    clock.advance(WINDOW)
    await look(centre)
    ordered = entries(centre)
    assert {row["entry_id"] for row in ordered} == names
    assert [row["rank"] for row in ordered] == list(range(1, 1001))
    assert [row["state"] for row in ordered].count("booked") == 120
    assert {row["state"] for row in ordered} == {"booked", "waiting-list"}
    taken = {row["starts_at"]: row["taken"] for row in centre.rows("SLOTS_TAKEN")}
    assert taken == {slot(draw, n): 20 for n in range(6)}
    appointments = centre.rows("APPOINTMENTS")
    assert {row["appointment_id"] for row in appointments} == {
        row["entry_id"] for row in ordered if row["state"] == "booked"
    }


async def test_a_plan_that_is_set_after_the_hour_draws_from_the_next_day_on(centre, box, clock):
    clock.advance(TO_OPENING + 60)
    await draw_hall(centre, box)
    draw = await announced(centre)
    assert f"{draw['day']}" == "2026-11-27"


async def test_who_may_not_book_may_not_register(web, centre, clock):
    draw, phone = await announced(centre), a_phone()
    clock.advance(TO_OPENING)
    day = draw["day"] - timedelta(days=1)
    for n in range(2):
        body = {"service": "household", "starts_at": f"{day - timedelta(days=n)}T12:00:00+08:00"}
        head = {**web.bearer, "Idempotency-Key": f"b{n}"}
        made = await web.client.post(BOOK, json={**body, "phone": phone}, headers=head)
        name = made.json()["appointment_id"]
        centre.database.write_now(lambda tx, name=name: store.change_appointment(tx, name, state="missed"))
    with pytest.raises(BookingPaused):
        await enter(centre, draw, 0, phone=phone)


async def test_another_time_on_a_day_that_is_drawn_is_refused_as_well(web, centre, clock):
    draw, phone = await announced(centre), a_phone()
    day = draw["day"] - timedelta(days=1)
    body = {"service": "household", "starts_at": f"{day}T09:00:00+08:00", "phone": phone}
    made = await web.client.post(BOOK, json=body, headers={**web.bearer, "Idempotency-Key": "b"})
    clock.advance(TO_OPENING)
    moved = await web.client.post(
        f"/api/t/{made.json()['token']}/reschedule", json={"starts_at": slot(draw, 0).isoformat()}
    )
    assert moved.json()["type"] == DrawRunning.slug
