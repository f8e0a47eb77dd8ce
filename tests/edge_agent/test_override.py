"""A box without numbers is given some over the telephone: typed by staff, on the page or by a program."""

import base64
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import pytest

from edge_agent.override import WRONG, Overrides
from edge_agent.settings import load_settings
from edge_agent.site import SiteFile
from edge_agent.web.app import web_app
from hall_core.errors import NoGrant, SettingsInvalid, WireError
from hall_core.queueing.override import Override, box_tail, write_code
from tests.edge_agent.conftest import DAY, STREAM, issue, running

KEY = bytes(range(32))
TEXT_KEY = base64.b64encode(KEY).decode()
TAIL = box_tail(STREAM)


def code(zone=3, days=7, **changes):
    last = DAY + timedelta(days=days - 1)
    values = {"hall": "binjiang", "tail": TAIL, "zone": zone, "first_day": DAY, "last_day": last}
    return write_code(Override(**{**values, **changes}), KEY)


@pytest.fixture
async def hall(journal_path, clock, setup):
    """A box that nobody has given numbers."""
    async with running(journal_path, clock, setup, granted=False) as hall:
        yield hall


@asynccontextmanager
async def asked(view, new_id, key=TEXT_KEY, *, staff=True):
    accounts = view.guard.accounts
    view.overrides = Overrides(view.hall, "binjiang", lambda: key, accounts.pepper)
    app = web_app(view, new_id=new_id, version="1")
    headers = {"Authorization": f"Bearer {accounts.add_token('wang')}"} if staff else {}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://hall.example", headers=headers
    ) as http:
        yield http


async def test_a_box_that_holds_nothing_gives_numbers_once_the_code_is_entered(view, new_id):
    with pytest.raises(NoGrant):
        await view.hall.handle(issue(1))
    async with asked(view, new_id) as http:
        body = {"request_id": "o1", "code": code().lower().replace("-", " ")}
        answer = await http.post("/api/override", json=body)
        again = await http.post("/api/override", json={**body, "request_id": "o2"})
    span = {"first_day": "2026-11-23", "last_day": "2026-11-29"}
    assert answer.json() == {"box": TAIL, "grants": [{"first": 3001, "last": 3999, **span}]}
    assert (answer.status_code, again.status_code) == (200, 200)
    [fact] = (await view.hall.handle(issue(2))).facts
    assert fact.label == "A3001"
    granted = [f for f in view.hall.journal.read(0, 100) if '"zone-granted"' in f.body]
    assert len(granted) == 1, "said twice, written once"


async def test_a_code_of_another_box_or_hall_or_an_old_one_gives_nothing(view, new_id):
    old = {"first_day": DAY - timedelta(days=9), "last_day": DAY - timedelta(days=1)}
    async with asked(view, new_id) as http:
        for wrong in (code(tail="ABCDEFGH"), code(hall="haitang"), code(**old), "XXXX-XXXX-XXXX"):
            answer = await http.post("/api/override", json={"request_id": "o", "code": wrong})
            assert (answer.status_code, answer.json()["type"]) == (422, "override-invalid")
    assert view.hall.queue.grants == ()


async def test_guessing_is_stopped_for_a_minute_for_right_codes_too(view, new_id, clock):
    async with asked(view, new_id) as http:

        async def enter(said):
            answer = await http.post("/api/override", json={"request_id": "o", "code": said})
            return answer.status_code

        assert {await enter("0000-0000-0000") for _ in range(WRONG)} == {422}
        assert await enter(code()) == 429
        clock.advance(61)
        assert await enter(code()) == 200


async def test_only_staff_may_enter_a_code_or_see_the_page(view, new_id):
    async with asked(view, new_id, staff=False) as http:
        said = {"request_id": "o", "code": code()}
        assert (await http.post("/api/override", json=said)).status_code == 401
        for answer in (await http.get("/override"), await http.post("/override", data=said)):
            assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/override")
    assert view.hall.queue.grants == ()


async def test_another_sites_form_is_refused(view, new_id):
    accounts = view.guard.accounts
    session = await accounts.login("li", accounts.add_password("li"), "here")
    async with asked(view, new_id, staff=False) as http:
        headers = {"Cookie": f"{view.guard.cookie}={session}", "Sec-Fetch-Site": "cross-site"}
        answer = await http.post("/override", data={"code": code()}, headers=headers)
    assert answer.status_code == 403
    assert view.hall.queue.grants == ()


async def test_the_page_works_without_scripts(view, new_id):
    async with asked(view, new_id) as http:
        before = (await http.get("/override")).text
        wrong = await http.post("/override", data={"code": "0000-0000-0000", "request_id": "p0"})
        right = await http.post("/override", data={"code": code(), "request_id": "p1"})
        after = (await http.get(right.headers["location"])).text
    assert f"{TAIL[:4]} {TAIL[4:]}" in before
    assert "今天没有号段" in before
    assert (wrong.status_code, "0000-0000-0000" in wrong.text) == (422, True)
    assert "应急码不正确" in wrong.text
    assert right.status_code == 303
    assert "3001–3999" in after
    assert "2026-11-29" in after


async def test_a_box_without_the_key_believes_no_code(view, new_id):
    async with asked(view, new_id, key="") as http:
        answer = await http.post("/api/override", json={"request_id": "o", "code": code()})
        page = await http.get("/override")
    assert (answer.status_code, answer.json()["type"]) == (503, "override-unavailable")
    assert "HALL_AGENT_OVERRIDE_KEY" in page.text
    assert "<form" not in page.text


def test_a_key_that_the_centre_once_sent_is_kept(tmp_path):
    site = SiteFile(tmp_path / "site.json", "")
    site.take(1, {"phone_key": "k", "override_key": TEXT_KEY})
    assert SiteFile(tmp_path / "site.json", "").site.override_key == TEXT_KEY
    assert (tmp_path / "site.json").stat().st_mode & 0o077 == 0
    with pytest.raises(WireError):
        site.take(2, {"override_key": "no key"})
    assert site.site.override_key == TEXT_KEY


async def test_numbers_last_over_a_restart(view, new_id, hall):
    async with asked(view, new_id) as http:
        await http.post("/api/override", json={"request_id": "o", "code": code()})
    found = hall.queue.grants
    assert hall.journal.queue().grants == found != ()


@pytest.mark.parametrize("wrong", ["short", base64.b64encode(bytes(31)).decode(), "%%%"])
def test_a_key_that_cannot_be_one_is_told_before_the_start(wrong, tmp_path):
    with pytest.raises(SettingsInvalid, match="OVERRIDE_KEY") as told:
        load_settings(hall=tmp_path / "h.yaml", data=tmp_path, override_key=wrong)
    assert wrong not in str(told.value)
