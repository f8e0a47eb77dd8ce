import json
from datetime import timedelta
from types import SimpleNamespace

import httpx2
import pytest
from fastapi import FastAPI

from edge_agent.web.api import api_routes
from edge_agent.web.appointments import appointment_routes
from edge_agent.web.login import login_routes
from edge_agent.web.ratings import rating_routes
from edge_agent.web.stream import _News
from hall_core.queueing import commands as c
from hall_ui.problems import install_problems
from tests.edge_agent.conftest import hall_setup, heard_by_a_screen, running


@pytest.fixture
def app(view, new_id):
    app = FastAPI()
    install_problems(app)
    app.include_router(api_routes(view, new_id))
    app.include_router(appointment_routes(view))
    app.include_router(rating_routes(view))
    app.include_router(login_routes(view.guard))
    return app


@pytest.fixture
async def http(app):
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://hall.example") as client:
        yield client


@pytest.fixture
def clerk(view):
    return {"Authorization": f"Bearer {view.guard.accounts.add_token('wang')}"}


async def take(http, n=1, **more):
    return await http.post("/api/tickets", json={"request_id": f"r{n}", "service": "social", **more})


async def act(http, clerk, action, counter="1", **body):
    body = {"request_id": f"{action}-{counter}", **body}
    return await http.post(f"/api/counters/{counter}/{action}", json=body, headers=clerk)


async def test_a_number_is_given_once_and_the_same_request_gets_the_same_answer(http):
    first, again = await take(http), await take(http)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert set(first.json()) == {
        *("ticket_id", "label", "service", "services", "ahead", "range_min", "token", "url"),
    }
    assert first.json()["services"] == ["social"]
    assert first.json()["label"] == "A001"


async def test_one_number_for_several_services_goes_from_line_to_line(http, clerk, hall):
    taken = await take(http, services=["household"])
    assert (taken.status_code, taken.json()["services"]) == (201, ["social", "household"])
    assert (await take(http, services=["household"])).json() == taken.json()
    for action in ("open", "call-next", "start", "finish"):
        answer = await act(http, clerk, action)
    ticket = answer.json()["ticket"]
    assert (ticket["state"], ticket["service"], ticket["visits"]) == ("waiting", "household", [])
    facts = (await http.get(f"/api/tickets/{taken.json()['ticket_id']}")).json()["facts"]
    assert facts[-1]["kind"] == "ticket-moved-on"
    assert {k: facts[-1][k] for k in ("done", "service")} == {"done": "social", "service": "household"}
    assert (await take(http, n=2, services=["social", "social"])).json()["type"] == "service-twice"


async def test_what_is_done_of_a_trip_counts_for_the_counter_that_did_it(http, clerk, view):
    await take(http, services=["household"])
    for action in ("open", "call-next", "start", "finish"):
        await act(http, clerk, action)
    assert view.today("1")["served"] == 1
    assert view.today("2")["served"] == 0


async def test_one_request_id_for_two_bodies_is_a_conflict(http):
    await take(http)
    answer = await take(http, service="household")
    assert (answer.status_code, answer.json()["type"]) == (409, "request-id-reused")


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"request_id": "x", "service": "marriage"}, 404, "unknown-service"),
        ({"service": "social"}, 422, "bad-request"),
        ({"request_id": "x", "service": "social", "priority": "king"}, 422, "bad-request"),
        ({"request_id": "x", "service": "social", "colour": "red"}, 422, "bad-request"),
        ({"request_id": "x", "service": "social", "phone": "12345"}, 409, "notices-unavailable"),
        ({"request_id": "x", "service": "social", "appointment": "nope"}, 404, "unknown-appointment"),
    ],
)
async def test_a_bad_request_is_explained_and_changes_nothing(http, hall, body, status, slug):
    before = hall.journal.last
    answer = await http.post("/api/tickets", json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["type"]) == (status, slug)
    assert answer.json()["title"]
    assert hall.journal.last == before


async def test_malformed_json_is_a_400_problem(http):
    answer = await http.post("/api/tickets", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "bad-request")


async def test_a_closed_hall_gives_no_number(journal_path, clock, tmp_path, view, http):
    view.hall.queue = await _configured(view, hall_setup(hours={"mon": []}))
    answer = await take(http)
    assert (answer.status_code, answer.json()["type"]) == (409, "hall-closed")


async def _configured(view, setup):
    from hall_core.queueing.commands import ConfigureHall

    return (await view.hall.handle(ConfigureHall(setup=setup))).queue


async def test_clerk_actions_need_a_staff_session(http):
    answer = await act(http, {}, "open")
    assert (answer.status_code, answer.json()["type"]) == (401, "login-needed")
    answer = await act(http, {"Authorization": "Bearer wrong"}, "open")
    assert answer.status_code == 401


async def test_a_visit_from_call_to_finish(http, clerk):
    await take(http)
    opened = await act(http, clerk, "open")
    assert opened.json()["counter"]["state"] == "open"
    called = (await act(http, clerk, "call-next")).json()
    assert called["ticket"]["label"] == "A001"
    assert called["counter"]["ticket"] == {
        "id": called["ticket"]["ticket_id"],
        "label": "A001",
        "state": "called",
    }
    assert (await act(http, clerk, "start")).json()["ticket"]["state"] == "serving"
    assert (await act(http, clerk, "finish")).json()["ticket"]["state"] == "finished"
    nobody = await act(http, clerk, "call-next", request_id="again")
    assert (nobody.status_code, nobody.json()["type"]) == (409, "nobody-waiting")


async def test_a_double_click_is_one_call(http, clerk, hall):
    await take(http, 1)
    await take(http, 2)
    await act(http, clerk, "open")
    first, again = await act(http, clerk, "call-next"), await act(http, clerk, "call-next")
    assert first.json() == again.json()
    assert [f.kind for f in _facts(hall)].count("ticket-called") == 1


async def test_a_visit_is_rated_once_and_without_a_login(http, clerk):
    def body(n, score=5):
        return {"request_id": f"rate-{n}", "counter": "1", "score": score}

    nothing = await http.post("/api/ratings", json=body(0))
    assert (nothing.status_code, nothing.json()["type"]) == (409, "illegal-transition")
    await take(http)
    for action in ("open", "call-next", "start", "finish"):
        await act(http, clerk, action)
    rated = await http.post("/api/ratings", json=body(1))
    assert (rated.status_code, rated.json()) == (201, {"ticket": {"label": "A001"}, "score": 5})
    again = await http.post("/api/ratings", json=body(2, 1))
    assert again.json()["type"] == "illegal-transition"
    assert (await http.post("/api/ratings", json=body(3, 6))).status_code == 422


async def test_wrong_state_and_unknown_counter_are_told_apart(http, clerk):
    await act(http, clerk, "open")
    wrong = await act(http, clerk, "finish")
    assert (wrong.status_code, wrong.json()["type"]) == (409, "illegal-transition")
    unknown = await act(http, clerk, "open", counter="99")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "unknown-counter")


async def test_facts_are_listed_without_links_or_sealed_phones(http):
    token = (await take(http)).json()["token"]
    answer = await http.get("/api/facts?after=0&limit=10")
    assert [f["n"] for f in answer.json()] == [1, 2, 3, 4]
    assert token not in answer.text


async def test_the_state_has_every_part_of_the_stable_surface(http):
    state = (await http.get("/api/state")).json()
    parts = ["hall", "name", "business_day", "services", "counters", "calls", "devices", "uplink", "stream"]
    assert set(parts) <= set(state)
    assert len(state["state_hash"]) == 16
    assert set(state["services"][0]) >= {"id", "name", "prefix", "open", "waiting", "range_min"}


async def test_a_ticket_tells_its_life(http):
    taken = (await take(http)).json()
    ticket = (await http.get(f"/api/tickets/{taken['ticket_id']}")).json()
    assert [f["kind"] for f in ticket["facts"]] == ["ticket-issued"]
    assert (await http.get("/api/tickets/nope")).json()["type"] == "unknown-ticket"


async def test_a_phone_is_sealed_and_never_lies_in_the_journal(http, view, journal_path):
    from base64 import b64encode

    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = X25519PrivateKey.generate().public_key().public_bytes_raw()
    view.site.take(1, {"phone_key": b64encode(key).decode(), "public_url": "http://hall.example"})
    phone = "1" + "39" + "0000" + "4321"
    answer = await take(http, phone=phone)
    assert answer.status_code == 201
    stored = b"".join(p.read_bytes() for p in journal_path.parent.glob("journal.db*"))
    assert phone.encode() not in stored
    assert b"phone_sealed" in stored


async def test_login_gives_a_session_and_wrong_passwords_are_counted(http, view):
    password = view.guard.accounts.add_password("wang")
    good = await http.post("/login", data={"user": "wang", "password": password, "next": "/counter/1"})
    assert (good.status_code, good.headers["location"]) == (303, "/counter/1")
    assert (await act(http, {}, "open")).status_code == 200
    http.cookies.clear()
    for _ in range(10):
        await http.post("/login", data={"user": "wang", "password": "wrong"})
    stopped = await http.post("/login", data={"user": "wang", "password": password})
    assert (stopped.status_code, stopped.json()["type"]) == (429, "too-many-attempts")


async def test_a_login_at_one_hall_ends_none_at_another_of_the_same_machine(http, view):
    from controller.web.services import SESSION_COOKIE
    from edge_agent.web.security import Guard

    password = view.guard.accounts.add_password("wang")
    await http.post("/login", data={"user": "wang", "password": password})
    neighbour = Guard(view.guard.accounts, "liulin")
    assert set(http.cookies) == {view.guard.cookie}
    assert len({view.guard.cookie, neighbour.cookie, SESSION_COOKIE}) == 3


async def test_another_site_cannot_use_a_clerks_session(http, view):
    password = view.guard.accounts.add_password("wang")
    await http.post("/login", data={"user": "wang", "password": password})
    answer = await act(http, {"Sec-Fetch-Site": "cross-site"}, "open")
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")


async def test_the_stream_begins_with_a_snapshot_and_tells_every_fact(view, http):
    events = heard_by_a_screen(view, view.hall.journal.last)
    assert (await anext(events)).startswith("retry:")
    first = await anext(events)
    assert "event: snapshot" in first
    assert "event: fact" not in first
    await take(http)
    second = await anext(events)
    assert second.index("event: fact") < second.index("event: snapshot")
    assert json.loads(second.split("data: ")[1].splitlines()[0])["label"] == "A001"
    await events.aclose()


async def test_a_screen_that_was_away_gets_the_facts_it_missed(view, http):
    for n in range(3):
        await take(http, n)
    events = heard_by_a_screen(view, view.hall.journal.last - 2)
    await anext(events)
    assert (await anext(events)).count("event: fact") == 2
    await events.aclose()


async def test_what_many_screens_are_told_at_once_is_made_once_and_never_kept_for_later(view, clock, http):
    await take(http)
    news, last, read = _News(view), view.hall.journal.last, view.devices.readers.count
    first = news.after(last, read, time=7.0)
    assert news.after(last, read, time=7.01) is first
    assert news.after(last - 1, read, time=7.01).text.count(b"event: fact") == 1
    clock.advance(60)
    assert news.after(last, read, time=67.0).text != first.text, "the time has gone on"
    await take(http, 2)
    assert (news.after(last, read, time=67.01).fact, first.fact) == (last + 1, last)


async def test_probes_say_alive_and_ready(http):
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).status_code == 200
    assert "quiethall_waiting" in (await http.get("/metrics")).text


async def test_a_box_without_numbers_is_alive_but_not_ready(journal_path, clock, setup, view, new_id):
    async with running(journal_path.with_name("other.db"), clock, setup, granted=False) as hall:
        app = FastAPI()
        install_problems(app)
        other = SimpleNamespace(hall=hall, guard=view.guard)
        app.include_router(api_routes(other, new_id))
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://hall.example") as http:
            answer = await http.get("/readyz")
            assert (answer.status_code, answer.json()["type"]) == (503, "no-grant")


def _facts(hall):
    from hall_core.queueing.facts import fact_adapter

    return [fact_adapter.validate_json(f.body) for f in hall.journal.read(0, 1000)]


async def expect_somebody(hall, starts_in_min=10, **more):
    starts_at = hall.now() + timedelta(minutes=starts_in_min)
    booking = {"appointment_id": "a-1", "token": "link-1", "code": "402917", "service": "social", **more}
    ends_at = starts_at + timedelta(minutes=30)
    await hall.handle(c.BookAppointment(starts_at=starts_at, ends_at=ends_at, **booking))


async def check_in(http, appointment="402917", n=1):
    body = {"request_id": f"c{n}", "appointment": appointment}
    return await http.post("/api/tickets", json=body)


@pytest.mark.parametrize("by", ["402917", "link-1", "a-1"])
async def test_an_appointment_is_checked_in_by_its_code_its_link_or_its_id(http, hall, by):
    await expect_somebody(hall)
    first, again = await check_in(http, by), await check_in(http, by)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    told = first.json()
    assert (told["label"], told["service"], told["token"]) == ("A001", "social", "link-1")
    once_more = await check_in(http, by, n=2)
    assert (once_more.status_code, once_more.json()["type"]) == (409, "appointment-used")
    assert "A001" in once_more.json()["title"]


async def test_a_wrong_code_or_a_wrong_time_gives_no_number(http, hall):
    await expect_somebody(hall, starts_in_min=60)
    early = await check_in(http)
    assert (early.status_code, early.json()["type"]) == (409, "appointment-not-now")
    wrong = await check_in(http, "000000", n=2)
    assert (wrong.status_code, wrong.json()["type"]) == (404, "unknown-appointment")
    neither = await http.post("/api/tickets", json={"request_id": "n1"})
    assert (neither.status_code, neither.json()["type"]) == (422, "bad-request")
    assert hall.queue.tickets == {}


async def test_codes_and_links_of_appointments_never_leave_the_box_as_facts(http, hall):
    await expect_somebody(hall)
    facts = (await http.get("/api/facts")).text
    assert "appointment-booked" in facts
    assert "402917" not in facts
    assert "link-1" not in facts


async def test_staff_find_an_appointment_whose_code_was_forgotten(http, hall, clerk):
    await expect_somebody(hall, phone_sealed="c2VhbGVk", phone_tail="34")
    assert (await http.get("/api/appointments")).status_code == 401
    (row,) = (await http.get("/api/appointments", headers=clerk)).json()
    assert (row["service"], row["phone_tail"], row["ticket"]) == ("social", "34", None)
    assert not {"token", "code", "phone_sealed"} & set(row)
    await check_in(http, row["appointment_id"])
    (row,) = (await http.get("/api/appointments", headers=clerk)).json()
    assert row["ticket"] == {"id": "a-1", "label": "A001", "state": "waiting"}
