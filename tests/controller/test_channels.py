"""Keys of other programs: each its channel, its pace and its share of the day."""

import asyncio

import pytest

from controller.use_cases.channels import Program
from controller.use_cases.people import add_key
from hall_core.queueing import commands as c
from hall_core.queueing.setup import ServiceSetup
from hall_core.schedule.slots import SlotPlan
from simulators.demo_programs import ProgramDied, console_script, run_to_end
from tests.controller.box import hall_setup
from tests.controller.test_take_ticket import answering
from tests.controller.web import web_of

TICKETS = "/api/halls/haitang/tickets"
ASKED = {"service": "household", "channel": "app"}


@pytest.fixture
async def web(centre, box):
    await centre.meet(box)
    household, tax = hall_setup().services
    plan = SlotPlan(minutes=30, places=50, days_ahead=3)
    services: tuple[ServiceSetup, ...] = (household.model_copy(update={"appointments": plan}), tax)
    box.do(c.ConfigureHall(setup=hall_setup().model_copy(update={"services": services})))
    await centre.talk(box, box.facts())
    async with web_of(centre) as made:
        yield made


def key(web, name="mini", **limits):
    made = web.centre.database.write_now(lambda tx: add_key(tx, name, web.centre.clock, **limits))
    return {"Authorization": f"Bearer {made}"}


async def take(web, headers, request="k1"):
    return await web.client.post(TICKETS, json=ASKED, headers={**headers, "Idempotency-Key": request})


async def test_a_key_of_a_channel_decides_the_channel(web, box):
    async with answering(web.centre, box):
        await take(web, key(web, "mini", channel="wechat"), "k1")
        await take(web, key(web, "other"), "k2")
    assert sorted(row["channel"] for row in web.centre.rows("TICKETS")) == ["app", "wechat"]


async def test_a_key_asks_so_often_a_minute(web):
    headers = key(web, per_minute=6)
    codes = [(await web.client.get("/api/halls", headers=headers)).status_code for _ in range(8)]
    assert codes == [200] * 6 + [429] * 2
    refused = await web.client.get("/api/halls", headers=headers)
    assert (refused.json()["type"], refused.headers["retry-after"]) == ("too-many-attempts", "10")
    assert (await web.client.get("/api/halls", headers=web.bearer)).status_code == 200
    web.centre.clock.advance(10)
    assert (await web.client.get("/api/halls", headers=headers)).status_code == 200


async def test_a_key_takes_so_many_tickets_and_appointments_a_day(web, box):
    headers = key(web, per_day=3)
    day = (web.centre.clock.now()).date().isoformat()
    slots = await web.client.get(
        "/api/halls/haitang/slots", params={"service": "household", "day": day}, headers=headers
    )
    body = {"service": "household", "starts_at": slots.json()[0]["starts_at"]}
    async with answering(web.centre, box):
        assert (await take(web, headers, "k1")).status_code == 201
        assert (await take(web, headers, "k2")).status_code == 201
        booked = await web.client.post(
            "/api/halls/haitang/appointments", json=body, headers={**headers, "Idempotency-Key": "b1"}
        )
        assert booked.status_code == 201
        refused = await take(web, headers, "k3")
        again = await web.client.post(
            "/api/halls/haitang/appointments", json=body, headers={**headers, "Idempotency-Key": "b2"}
        )
    assert (refused.status_code, refused.json()["type"]) == (429, "quota-used")
    assert (again.status_code, again.json()["type"]) == (429, "quota-used")
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert len(web.centre.rows("REQUESTS")) == 2


async def test_a_request_that_was_answered_is_answered_again_when_the_day_is_used_up(web, box):
    headers = key(web, per_day=1)
    async with answering(web.centre, box):
        first = await take(web, headers, "k1")
        again = await take(web, headers, "k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


async def test_the_next_day_begins_at_the_halls_midnight(web, box):
    headers = key(web, per_day=1)
    async with answering(web.centre, box):
        await take(web, headers, "k1")
        refused = await take(web, headers, "k2")
        wait_s = int(refused.headers["retry-after"])
        web.centre.clock.advance(wait_s - 2)
        assert (await take(web, headers, "k3")).status_code == 429
        web.centre.clock.advance(3)
        await web.centre.talk(box, box.report())
        assert (await take(web, headers, "k4")).status_code != 429


async def test_what_one_key_has_used_is_no_business_of_another(web, box):
    first, second = key(web, "one", per_day=1), key(web, "two", per_day=1)
    async with answering(web.centre, box):
        assert (await take(web, first)).status_code == 201
        assert (await take(web, second)).status_code == 201


async def test_the_day_is_counted_in_the_database_and_not_in_memory(web, box):
    headers = key(web, per_day=1)
    async with answering(web.centre, box):
        await take(web, headers)
    async with web_of(web.centre.again()) as restarted:
        answer = await restarted.client.post(
            TICKETS, json=ASKED, headers={**headers, "Idempotency-Key": "k2"}
        )
    assert answer.json()["type"] == "quota-used"


async def test_a_refused_key_costs_no_wish_and_no_row(web, box):
    headers = key(web, per_minute=1)
    async with answering(web.centre, box):
        await take(web, headers, "k1")
    before = (len(web.centre.rows("REQUESTS")), len(web.centre.rows("WISHES")))
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(take(web, headers, f"k{n}")) for n in range(2, 40)]
    assert {t.result().status_code for t in tries} == {429}
    assert (len(web.centre.rows("REQUESTS")), len(web.centre.rows("WISHES"))) == before


async def test_an_administrator_makes_a_key_with_its_limits(web, centre, tmp_path):
    command = [console_script("hall-controller"), "key", "add", "mini", "--data", str(tmp_path)]
    limits = ["--channel", "wechat", "--per-minute", "60", "--per-day", "5000"]
    made = (await run_to_end([*command, *limits])).strip()
    program = await web.people.program(made)
    assert program == Program("mini", "wechat", 60, 5000)
    for wrong in (["--channel", "We Chat"], ["--per-minute", "0"], ["--per-day", "-1"]):
        with pytest.raises(ProgramDied):
            await run_to_end([*command, *wrong])
    assert await web.people.program(made) == program
    plain = (await run_to_end(command)).strip()
    assert await web.people.program(plain) == Program("mini")
    assert await web.people.program(made) is None, "the old key of this name is void"
