"""A hall with a modem tells its citizens itself while the link is down, and keeps their numbers to itself."""

import random
from base64 import b64encode
from contextlib import asynccontextmanager

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge_agent.web.app import web_app
from edge_agent.web.view import View
from hall_core.devices.vocabulary import DeviceState
from hall_core.queueing import commands as c
from hall_core.queueing.facts import NoticeByHall, fact_adapter
from hall_core.queueing.notices import NOT_AFTER
from tests.edge_agent.conftest import issue
from tests.edge_agent.test_devices import FakeDevice, kept, place, profile


@pytest.fixture
def modem():
    return FakeDevice()


@pytest.fixture
def phone():
    return f"13{random.randrange(10**9):09d}"


@asynccontextmanager
async def texting(hall, modem, new_id, *, linked=False):
    """A hall whose modem answers; the link is as said."""
    setups = [(place("modem"), profile("modem", "sms-channel"))]
    async with kept(hall, {"modem": modem}, setups, new_id) as devices:
        devices.notices.linked = lambda: linked
        await modem.until(lambda: devices.keepers[0].state is DeviceState.ONLINE)
        yield devices


def facts(hall):
    return [fact_adapter.validate_json(f.body) for f in hall.journal.read(0, 1000)]


def outcomes(hall):
    return [(x.notice, x.call_no, x.outcome) for x in facts(hall) if isinstance(x, NoticeByHall)]


async def take(hall, devices, phone, n=1, **more):
    devices.notices.keep(f"t{n}", phone)
    await hall.handle(issue(n, phone_sealed="c2VhbGVk", phone_tail=phone[-2:], **more))


async def test_a_call_during_an_outage_is_told_by_the_hall_once_and_what_came_of_it_is_a_fact(
    hall, new_id, modem, phone
):
    async with texting(hall, modem, new_id) as devices:
        await hall.handle(c.OpenCounter(counter="1"))
        await take(hall, devices, phone)
        await hall.handle(c.CallNext(counter="1"))
        await modem.until(lambda: ("called", 1, "accepted") in outcomes(hall))
        assert outcomes(hall) == [("confirmation", 0, "accepted"), ("called", 1, "accepted")]
        assert [job.text for job in modem.jobs] == [
            "【滨江街道政务服务中心】取号成功：A001，前面0人。",
            "【滨江街道政务服务中心】您的号码A001请到1号窗口办理。",
        ]
        assert {job.to for job in modem.jobs} == {f"+86{phone}"}
        assert [x.notice_by for x in facts(hall) if x.kind in ("ticket-issued", "ticket-called")] == [
            "hall"
        ] * 2


async def test_while_the_link_is_up_the_controller_tells_and_the_modem_is_silent(hall, new_id, modem, phone):
    async with texting(hall, modem, new_id, linked=True) as devices:
        await hall.handle(c.OpenCounter(counter="1"))
        await take(hall, devices, phone)
        await hall.handle(c.CallNext(counter="1"))
        assert devices.notices.by_hall() == frozenset()
        assert [x.notice_by for x in facts(hall) if x.kind == "ticket-called"] == [None]
        assert modem.jobs == []


async def test_a_modem_that_is_away_promises_nothing(hall, new_id, modem, phone):
    async with texting(hall, modem, new_id) as devices:
        modem.plugged = False
        await modem.until(lambda: devices.keepers[0].state is DeviceState.OFFLINE)
        await hall.handle(c.OpenCounter(counter="1"))
        await take(hall, devices, phone)
        called = (await hall.handle(c.CallNext(counter="1"))).facts[-1]
        assert called.notice_by is None


async def test_who_comes_nearly_next_is_told_so(hall, new_id, modem, phone):
    async with texting(hall, modem, new_id) as devices:
        await hall.handle(c.OpenCounter(counter="1"))
        for n in range(1, 6):
            await take(hall, devices, phone, n)
        await hall.handle(c.CallNext(counter="1"))
        await modem.until(lambda: ("nearly", 0, "accepted") in outcomes(hall))
        (text,) = [job.text for job in modem.jobs if "nearly" in job.job_id]
        assert "您的号码A005前面还有3人，请到大厅等候。" in text


async def test_a_call_that_could_not_be_sent_in_two_minutes_is_never_sent(hall, new_id, modem, phone, clock):
    async with texting(hall, modem, new_id) as devices:
        await hall.handle(c.OpenCounter(counter="1"))
        await take(hall, devices, phone)
        await modem.until(lambda: len(modem.jobs) == 1)
        modem.deaf = True
        await hall.handle(c.CallNext(counter="1"))
        await modem.until(lambda: modem.missed)
        clock.advance(NOT_AFTER["called"].total_seconds() + 1)
        modem.deaf = False
        await modem.until(lambda: ("called", 1, "expired") in outcomes(hall))
        assert len(modem.jobs) == 1


async def test_who_is_at_the_counter_before_the_message_left_gets_none(hall, new_id, modem, phone):
    async with texting(hall, modem, new_id) as devices:
        await hall.handle(c.OpenCounter(counter="1"))
        await take(hall, devices, phone)
        await modem.until(lambda: len(modem.jobs) == 1)
        modem.deaf = True
        await hall.handle(c.CallNext(counter="1"))
        await modem.until(lambda: modem.missed)
        await hall.handle(c.Start(counter="1"))
        modem.deaf = False
        await modem.until(lambda: ("called", 1, "expired") in outcomes(hall))
        assert len(modem.jobs) == 1


@pytest.mark.parametrize("end", ["finish", "cancel"])
async def test_a_number_is_forgotten_when_its_ticket_closes_and_is_nowhere_on_disk_or_in_the_log(
    hall, new_id, modem, phone, end, journal_path, caplog
):
    caplog.set_level("DEBUG")
    async with texting(hall, modem, new_id) as devices:
        await hall.handle(c.OpenCounter(counter="1"))
        await take(hall, devices, phone)
        await hall.handle(c.CallNext(counter="1"))
        await modem.until(lambda: ("called", 1, "accepted") in outcomes(hall))
        assert devices.notices.by_hall() == {"t1"}
        await hall.handle(c.CancelTicket(ticket="t1") if end == "cancel" else c.Start(counter="1"))
        if end == "finish":
            await hall.handle(c.Finish(counter="1"))
        assert devices.notices.by_hall() == frozenset()
    assert phone not in caplog.text
    assert "job=send-text" in caplog.text
    for file in journal_path.parent.iterdir():
        assert phone.encode() not in file.read_bytes(), file.name


async def test_a_hall_without_a_modem_keeps_no_number(hall, new_id, phone, view):
    view.devices.notices.linked = lambda: False
    view.devices.notices.keep("t1", phone)
    await hall.handle(issue(1))
    assert view.devices.notices.by_hall() == frozenset()


@asynccontextmanager
async def served(hall, devices, view, new_id):
    seen = View(hall, devices, None, view.site, view.guard, hall.bell)
    transport = httpx2.ASGITransport(app=web_app(seen, new_id=new_id, version="1"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://hall.example") as http:
        yield http


async def wish(http, phone, n=1):
    body = {"request_id": f"r{n}", "service": "social", "phone": phone}
    return await http.post("/api/tickets", json=body)


async def test_a_number_typed_at_the_kiosk_is_sealed_for_the_controller_and_kept_for_the_modem(
    hall, new_id, modem, phone, view
):
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    view.site.take(1, {"phone_key": b64encode(public).decode()})
    async with texting(hall, modem, new_id) as devices, served(hall, devices, view, new_id) as http:
        taken = (await wish(http, phone)).json()
        assert (await wish(http, phone)).json() == taken
        assert hall.queue.tickets[taken["ticket_id"]].phone_sealed
        assert devices.notices.by_hall() == {taken["ticket_id"]}
        await modem.until(lambda: modem.jobs)
        assert (await http.get("/api/state")).json()["notices"] is True


async def test_a_hall_that_never_met_a_controller_tells_by_itself_and_refuses_what_is_no_number(
    hall, new_id, modem, phone, view
):
    async with (
        texting(hall, modem, new_id, linked=True) as devices,
        served(hall, devices, view, new_id) as http,
    ):
        bad = await wish(http, "12", 2)
        assert (bad.status_code, bad.json()["type"]) == (422, "phone-invalid")
        taken = (await wish(http, phone)).json()
        assert hall.queue.tickets[taken["ticket_id"]].phone_sealed is None
        await hall.handle(c.OpenCounter(counter="1"))
        await hall.handle(c.CallNext(counter="1"))
        await modem.until(lambda: ("called", 1, "accepted") in outcomes(hall))


async def test_a_refused_wish_leaves_no_number_behind(hall, new_id, modem, phone, view):
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    view.site.take(1, {"phone_key": b64encode(public).decode()})
    async with texting(hall, modem, new_id) as devices, served(hall, devices, view, new_id) as http:
        body = {"request_id": "r", "service": "nothing", "phone": phone}
        assert (await http.post("/api/tickets", json=body)).status_code == 404
        assert devices.notices.by_hall() == frozenset()
