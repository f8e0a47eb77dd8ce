"""The same on PostgreSQL: tables, ingest, numbers, notices, two controllers on one database."""

import asyncio
import random

import pytest

from controller.store import tickets as ticket_store
from controller.store.database import Database
from hall_core.queueing import commands as c
from hall_core.queueing.facts import TicketIssued
from hall_core.queueing.summary import state_hash
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.controller.draw_scene import TO_OPENING, WINDOW, a_phone, announced, draw_hall, enter, look, slot
from tests.controller.gateway import FakeGateway
from tests.controller.test_notices import sending
from tests.controller.test_record import applied, busy
from tests.controller.test_take_ticket import answering, take
from tests.controller.web import web_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def centre(postgres, tmp_path, clock):
    made = Centre(postgres, tmp_path, clock)
    made.enrol()
    yield made
    made.close()


async def test_facts_are_stored_once_and_in_order(centre, box):
    await busy(centre, box)
    assert [row["body"] for row in centre.rows("FACTS")] == [
        x.model_dump_json(exclude_none=True) for x in box.journal
    ]
    before = centre.rows("TICKETS")
    assert applied(await centre.hear(box.facts(after=0))) == [len(box.journal)]
    assert centre.rows("TICKETS") == before
    assert state_hash(centre.live.queue(box.stream)) == state_hash(box.queue)
    later = centre.again()
    try:
        assert later.live.queue(box.stream) == box.queue
    finally:
        later.close()


async def test_a_fact_that_cannot_be_stored_is_set_aside_and_its_neighbours_pass(centre, box, clock):
    await busy(centre, box)
    centre.enrol("other")
    other = await centre.meet(Box(clock, hall="other", agent="other").open())
    other.issue("o1")
    first = next(x for x in box.journal if isinstance(x, TicketIssued))
    box.journal.append(first.model_copy(update={"ticket_id": "t9", "token": "another-token"}))
    before = len(centre.rows("FACTS"))
    await centre.hear(box.facts(), other.facts())
    assert len(centre.rows("FACTS")) == before + 2
    (alarm,) = [a for a in centre.rows("ALARMS") if a["kind"] == "fact-unreadable"]
    assert "cannot be stored" in alarm["text_en"]


async def test_facts_of_one_hall_may_reach_either_of_two_controllers(centre, box):
    await busy(centre, box)
    twin = Centre(centre.url, centre.folder, centre.clock, centre.ids, centre.tokens)
    try:
        for n in range(6):
            box.issue(f"n{n}")
            await (centre, twin)[n % 2].talk(box, box.facts())
        assert [row["n"] for row in centre.rows("FACTS")] == list(range(1, len(box.journal) + 1))
        assert state_hash(twin.live.queue(box.stream)) == state_hash(box.queue)
    finally:
        twin.close()


async def test_two_controllers_give_no_number_twice(centre, box):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    twin = Centre(centre.url, centre.folder, centre.clock, centre.ids, centre.tokens)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(take(w, f"k{n}")) for n in range(10) for w in (centre, twin)]
        labels = [task.result().ticket["label"] for task in tasks]
        # Each key was asked of both: ten requests, ten numbers.
        assert sorted(set(labels)) == [f"W{n:03d}" for n in range(1, 11)]
        assert all(labels[n] == labels[n + 1] for n in range(0, 20, 2))
    finally:
        twin.close()


async def test_own_numbers_rise_one_by_one_under_competition(centre, clock):
    day = clock.now().date()

    def next_number(tx):
        return ticket_store.next_offline_number(tx, "haitang", day)

    twin = Database.open(centre.url)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(d.write(next_number)) for _ in range(20) for d in (centre.database, twin)
            ]
        assert sorted(task.result() for task in tasks) == list(range(1, 41))
    finally:
        twin.close()


async def test_a_number_is_taken_and_cancelled_through_the_api(centre, box):
    await centre.meet(box)
    async with web_of(centre) as web, answering(centre, box):
        headers = {**web.bearer, "Idempotency-Key": "k1"}
        asked = {"service": "household", "channel": "web"}
        taken = await web.client.post("/api/halls/haitang/tickets", json=asked, headers=headers)
        assert (taken.status_code, taken.json()["label"]) == (201, "A001")
        done = await web.client.post(f"/api/t/{taken.json()['token']}/cancel")
        assert done.json()["state"] == "cancelled"
        for path in ("halls", "facts", "tickets", "notices", "devices", "alarms", "ratings"):
            assert (await web.client.get(f"/api/{path}", headers=web.bearer)).status_code == 200


async def test_two_workers_send_each_notice_once(centre, box, clock):
    gateway = FakeGateway(clock.now)
    await centre.meet(box)
    box.do(c.OpenCounter(counter="3"))
    for n in range(20):
        name, phone = f"t{n}", f"13{random.randrange(10**9):09d}"
        box.issue(name, phone_sealed=centre.context.phones.seal(phone, name))
    await centre.talk(box, box.facts())
    twin = Centre(centre.url, centre.folder, centre.clock, centre.ids, centre.tokens)
    try:
        async with sending(centre, gateway), sending(twin, gateway):
            async with asyncio.timeout(30):
                while {row["state"] for row in centre.rows("NOTICES")} != {"accepted"}:
                    centre.context.notices.ring()
                    twin.context.notices.ring()
                    await asyncio.sleep(0.01)
        assert (len(gateway.taken), gateway.doubled, len(gateway.sends)) == (20, 0, 20)
    finally:
        twin.close()


async def test_two_controllers_draw_at_once_and_make_one_order(centre, box, clock):
    await draw_hall(centre, box)
    twin = Centre(centre.url, centre.folder, clock, centre.ids, centre.tokens)
    try:
        draw = await announced(centre)
        await look(twin)
        clock.advance(TO_OPENING)
        phones = [a_phone() for _ in range(30)]
        async with asyncio.TaskGroup() as group:
            for n, phone in enumerate(phones):
                for of in (centre, twin):
                    group.create_task(enter(of, draw, n % 6, (n + 1) % 6, phone=phone, key=phone))
        clock.advance(WINDOW)
        async with asyncio.TaskGroup() as group:
            for of in (centre, twin):
                group.create_task(look(of))
        entries = centre.rows("DRAW_ENTRIES")
        assert sorted(row["rank"] for row in entries) == list(range(1, 31))
        assert sorted(row["state"] for row in entries) == ["booked"] * 12 + ["waiting-list"] * 18
        assert {r["starts_at"]: r["taken"] for r in centre.rows("SLOTS_TAKEN")} == {
            slot(draw, n): 2 for n in range(6)
        }
    finally:
        twin.close()
