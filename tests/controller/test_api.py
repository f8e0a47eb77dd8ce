"""The stable HTTP surface, as other programs use it."""

import random
from datetime import datetime

import pytest

from hall_core.queueing import commands as c
from hall_core.wire.envelope import DeviceReport
from tests.controller.promise_scene import booking_hall
from tests.controller.test_take_ticket import answering
from tests.controller.web import web_of

TICKETS = "/api/halls/haitang/tickets"
ASKED = {"service": "household", "channel": "web"}


@pytest.fixture
async def web(centre):
    async with web_of(centre) as made:
        yield made


async def ready(web, box, *names):
    await web.centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    for name in names:
        box.issue(name)
    await web.centre.talk(box, box.facts())


async def get(web, path, **params):
    answer = await web.client.get(path, params=params, headers=web.bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_hall_shows_everything_the_interface_promises(web, box):
    await ready(web, box, "t1")
    device = DeviceReport(name="strip-1", kind="strip", profile="p", state="online", since="")
    await web.centre.talk(box, box.report(device))
    (hall,) = await get(web, "/api/halls")
    assert hall == await get(web, "/api/halls/haitang")
    assert {k: hall[k] for k in ("id", "level", "parent", "online", "stale", "waiting")} == {
        "id": "haitang",
        "level": "street",
        "parent": None,
        "online": True,
        "stale": False,
        "waiting": 1,
    }
    assert [s["waiting"] for s in hall["services"]] == [1, 0]
    assert [x["state"] for x in hall["counters"]] == ["open", "closed"]
    assert hall["devices"][0]["name"] == "strip-1"
    assert hall["stream"] == {"id": box.stream, "applied": len(box.journal)}
    assert len(hall["state_hash"]) == 16
    assert datetime.fromisoformat(hall["last_seen"]).tzinfo is not None


async def test_a_hall_enrolled_by_another_program_is_there_at_once(web):
    web.centre.enrol("new-hall")
    assert (await get(web, "/api/halls/new-hall"))["stream"] == {"id": None, "applied": 0}
    assert [h["id"] for h in await get(web, "/api/halls")] == ["haitang", "new-hall"]


async def test_a_number_is_taken_once_per_key(web, box):
    await ready(web, box)
    headers = {**web.bearer, "Idempotency-Key": "k1"}
    async with answering(web.centre, box):
        first = await web.client.post(TICKETS, json=ASKED, headers=headers)
        again = await web.client.post(TICKETS, json=ASKED, headers=headers)
        other = await web.client.post(TICKETS, json={**ASKED, "service": "tax"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert set(first.json()) == {"ticket_id", "label", "token", "url", "series", "ahead", "range_min"}
    assert first.json() == again.json()
    assert (other.status_code, other.json()["type"]) == (409, "request-id-reused")
    seen = await web.client.get(f"/api/t/{first.json()['token']}")
    assert (seen.status_code, seen.json()["label"]) == (200, "A001")


async def test_the_lists_are_paged_by_after_and_limit(web, box):
    await ready(web, box, "t1", "t2", "t3")
    facts = await get(web, "/api/facts", hall="haitang")
    assert [x["n"] for x in facts] == list(range(1, len(box.journal) + 1))
    assert [x["kind"] for x in facts] == [x.kind for x in box.journal]
    assert await get(web, "/api/facts", hall="haitang", after=2, limit=2) == facts[2:4]
    everywhere = await get(web, "/api/facts", after=2, limit=2)
    assert [x["id"] for x in everywhere] == [3, 4]
    tickets = await get(web, "/api/tickets", hall="haitang", day=box.now.date().isoformat())
    assert [t["label"] for t in tickets] == ["A001", "A002", "A003"]
    assert await get(web, "/api/tickets", after="t1", limit=1) == tickets[1:2]
    assert await get(web, "/api/tickets", day="2020-01-01") == []
    for name in ("devices", "alarms", "ratings", "notices"):
        assert await get(web, f"/api/{name}", hall="haitang") == []


async def test_lists_show_no_link_and_no_phone(web, box):
    await web.centre.meet(box)
    phone = f"13{random.randrange(10**9):09d}"
    headers = {**web.bearer, "Idempotency-Key": "k1"}
    async with answering(web.centre, box):
        taken = await web.client.post(TICKETS, json={**ASKED, "phone": phone}, headers=headers)
    tickets = await web.client.get("/api/tickets", headers=web.bearer)
    notices = await web.client.get(f"/api/notices?ticket={taken.json()['ticket_id']}", headers=web.bearer)
    assert tickets.json()[0]["phone"] == notices.json()[0]["phone"] == f"{phone[:3]}****{phone[-4:]}"
    everything = tickets.text + notices.text + taken.text
    assert phone not in everything
    assert taken.json()["token"] not in tickets.text + notices.text


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'{"service":', 400, "bad-request"),
        (b"{}", 422, "bad-request"),
        (b'{"service":"household","phone":"12345"}', 422, "bad-request"),
        (b'{"service":"household","extra":1}', 422, "bad-request"),
        (b'{"service":"household","channel":"\\u0000"}', 422, "bad-request"),
        (b'{"service":"no-such"}', 404, "unknown-service"),
        (b'{"service":"household","priority":"rich"}', 422, "bad-request"),
    ],
)
async def test_wrong_bodies_are_problems_that_do_not_repeat_them(web, box, body, status, slug):
    await ready(web, box)
    headers = {**web.bearer, "Idempotency-Key": "k1", "Content-Type": "application/json"}
    answer = await web.client.post(TICKETS, content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"], answer.json()["status"]) == (status, slug, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "12345" not in answer.text
    assert web.centre.rows("REQUESTS") == []


@pytest.mark.parametrize("key", [None, b"", b"x" * 256, "键".encode(), b"tab\there"])
async def test_a_request_without_a_usable_key_is_refused(web, box, key):
    await ready(web, box)
    headers = list(web.bearer.items()) + ([] if key is None else [(b"Idempotency-Key", key)])
    answer = await web.client.post(TICKETS, json=ASKED, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "bad-request")


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/nothing", 404, "not-found"),
        ("/api/nothing", 404, "not-found"),
        ("/api/halls/nowhere", 404, "unknown-hall"),
        ("/api/halls/NOT%00VALID", 422, "bad-request"),
        ("/api/facts?after=-1", 422, "bad-request"),
        ("/api/facts?after=99999999999999999999", 422, "bad-request"),
        ("/api/facts?hall=nowhere", 404, "unknown-hall"),
        ("/api/tickets?day=yesterday", 422, "bad-request"),
        ("/api/tickets?limit=0", 422, "bad-request"),
        ("/api/t/none", 404, "unknown-ticket"),
        ("/api/t/none/stream", 404, "unknown-ticket"),
    ],
)
async def test_wrong_addresses_are_problems(web, path, status, slug):
    answer = await web.client.get(path, headers=web.bearer)
    assert (answer.status_code, answer.json()["type"]) == (status, slug)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_refusal_of_the_hall_has_the_status_of_its_kind(web, box):
    from hall_core.schedule.hours import Hours

    await ready(web, box)
    headers = {**web.bearer, "Idempotency-Key": "k1"}
    async with answering(web.centre, box):
        box.do(c.CloseCounter(counter="1"))
        box.do(c.ConfigureHall(setup=box.queue.setup.model_copy(update={"hours": Hours(mon=())})))
        answer = await web.client.post(TICKETS, json=ASKED, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (409, "hall-closed")
    assert answer.json()["title"].startswith("大厅未开放")


async def test_the_citizens_doors_need_nothing_but_the_link(web, box):
    await ready(web, box, "t1")
    link = "/api/t/token-haitang-t1"
    assert (await web.client.get(link)).json()["ahead"] == 0
    assert (await web.client.post(f"{link}/check-in")).status_code == 200
    rated = await web.client.post(f"{link}/rating", json={"score": 6})
    assert (rated.status_code, rated.json()["type"]) == (422, "bad-request")
    async with answering(web.centre, box):
        postponed = await web.client.post(f"{link}/postpone")
        assert (postponed.status_code, postponed.json()["type"]) == (409, "nothing-to-postpone")
        assert (await web.client.post(f"{link}/cancel")).json()["state"] == "cancelled"


async def test_the_program_tells_how_it_is(web, box):
    await ready(web, box, "t1")
    assert (await web.client.get("/healthz")).json() == {"status": "ok"}
    assert (await web.client.get("/readyz")).status_code == 200
    web.link.connected = False
    answer = await web.client.get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (503, False)
    figures = (await web.client.get("/metrics", headers=web.bearer)).text
    assert f"quiethall_controller_facts_total {float(len(box.journal))}" in figures
    assert "quiethall_controller_halls_online 1.0" in figures


async def test_the_interfaces_describe_themselves(web):
    from hall_core.wire.topics import TOPICS

    openapi = (await web.client.get("/openapi.json")).json()
    promised = {
        "/api/halls",
        "/api/halls/{hall}",
        "/api/halls/{hall}/tickets",
        "/api/halls/{hall}/slots",
        "/api/halls/{hall}/appointments",
        "/api/t/{token}",
        *(f"/api/t/{{token}}/{action}" for action in ("cancel", "postpone", "check-in", "rating")),
        *(
            f"/api/{name}"
            for name in ("facts", "tickets", "notices", "devices", "alarms", "ratings", "stream")
        ),
        *("/healthz", "/readyz", "/metrics"),
    }
    assert promised <= set(openapi["paths"])
    asyncapi = (await web.client.get("/asyncapi.json")).json()
    assert len(asyncapi["channels"]) == len(asyncapi["operations"]) == len(TOPICS)
    addresses = {channel["address"] for channel in asyncapi["channels"].values()}
    assert {
        "qh/1/{agent}/up/facts",
        "qh/1/{agent}/down/desired/{document}",
        "qh/1/controller/state",
    } <= addresses
    for channel in asyncapi["channels"].values():
        (message,) = channel["messages"]
        schema = asyncapi["components"]["messages"][message]["payload"]["$ref"].removeprefix(
            "#/components/schemas/"
        )
        assert asyncapi["components"]["schemas"][schema]["type"] == "object"


async def test_a_database_that_cannot_work_is_a_problem_and_no_crash(web, box, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from controller.store.database import Database

    await ready(web, box)

    async def broken(self, work):
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    headers = {**web.bearer, "Idempotency-Key": "k1"}
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", broken)
        answer = await web.client.post(TICKETS, json=ASKED, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "storage-unavailable")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_date_at_the_end_of_all_days_is_refused_and_no_failure(web, centre, box, day):
    await booking_hall(centre, box)
    asked = [
        web.client.get(f"/api/calibration?to={day}", headers=web.bearer),
        web.client.get(f"/api/halls/haitang/slots?service=household&day={day}", headers=web.bearer),
        *(
            web.client.post(
                "/api/halls/haitang/appointments",
                json={"service": "household", "starts_at": f"{day}T00:00:00{zone}"},
                headers={**web.bearer, "Idempotency-Key": f"far{zone}"},
            )
            for zone in ("+14:00", "-14:00", "Z")
        ),
        web.client.get(f"/h/haitang/book?service=household&day={day}"),
    ]
    assert [answer.url for answer in [await each for each in asked] if answer.status_code >= 500] == []
