"""A call that nobody answers: the strip blinks again, the pager shakes again, the modem writes twice more."""

import random

import httpx2
import pytest

from edge_agent.escalating import Escalating
from edge_agent.reactions import counter_picture
from edge_agent.web.app import web_app
from edge_agent.web.view import View, public
from hall_core.devices.vocabulary import CounterMode, DeviceState
from hall_core.queueing import commands as c
from hall_core.queueing.fact_base import SealedPhone
from hall_core.queueing.facts import CallEscalated, fact_adapter
from tests.edge_agent.conftest import issue
from tests.edge_agent.test_devices import FakeDevice, kept, place, profile
from tests.edge_agent.test_own_notices import outcomes, texting
from tests.edge_agent.test_pagers import paging

RELATIVE = SealedPhone(ticket_id="t1", phone_sealed="cmVsYXRpdmU", phone_tail="56")


@pytest.fixture
def phones():
    return [f"13{random.randrange(10**9):09d}" for _ in range(2)]


async def begin(hall, clock):
    """Somebody was served at counter 1, and its clerk said when they had come."""
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(issue(0))
    await hall.handle(c.CallNext(counter="1"))
    await hall.handle(c.Start(counter="1"))
    clock.advance(60)
    await hall.handle(c.Finish(counter="1"))


def steps(hall):
    facts = [fact_adapter.validate_json(f.body) for f in hall.journal.read(0, 1000)]
    return [fact.step for fact in facts if isinstance(fact, CallEscalated)]


async def test_the_strip_is_shown_as_fresh_again(hall, clock):
    await begin(hall, clock)
    await hall.handle(issue(1))
    await hall.handle(c.CallNext(counter="1"))
    escalating = Escalating(hall)
    clock.advance(31)
    assert counter_picture(hall.queue, "1", hall.now()).mode is CounterMode.SERVING
    await escalating.look()
    await escalating.look()
    picture = counter_picture(hall.queue, "1", hall.now())
    assert (picture.mode, picture.call_no) == (CounterMode.CALLED, 1)
    assert steps(hall) == ["again"]


async def test_whoever_comes_in_time_is_left_alone(hall, clock):
    await begin(hall, clock)
    await hall.handle(issue(1, pager=7, phone_sealed="c2VhbGVk", relative=RELATIVE))
    await hall.handle(c.CallNext(counter="1"))
    clock.advance(29)
    await Escalating(hall).look()
    await hall.handle(c.Start(counter="1"))
    clock.advance(90)
    await Escalating(hall).look()
    assert steps(hall) == []


async def test_the_pager_shakes_once_more(hall, new_id, clock):
    pager = FakeDevice()
    async with paging(hall, pager, new_id) as devices:
        await begin(hall, clock)
        await hall.handle(issue(1, pager=7))
        await hall.handle(c.CallNext(counter="1"))
        await pager.until(lambda: pager.printed == ["t1.page.1"])
        clock.advance(46)
        await Escalating(hall).look()
        await pager.until(lambda: pager.printed == ["t1.page.1", "t1.page.1.again"])
        await pager.until(lambda: devices.paged(hall.queue.tickets["t1"]) == "accepted")


async def test_a_page_that_is_still_on_its_way_is_withdrawn_when_they_come(hall, new_id, clock):
    pager = FakeDevice()
    async with paging(hall, pager, new_id) as devices:
        await begin(hall, clock)
        await hall.handle(issue(1, pager=7))
        await pager.until(lambda: devices.keepers[0].state is DeviceState.ONLINE)
        await hall.handle(c.CallNext(counter="1"))
        await pager.until(lambda: pager.printed == ["t1.page.1"])
        pager.plugged = False
        await pager.until(lambda: devices.keepers[0].state is DeviceState.OFFLINE)
        clock.advance(46)
        await Escalating(hall).look()
        await hall.handle(c.Start(counter="1"))
        assert devices.keepers[0].jobs.outcome("t1.page.1.again") == "expired"


async def test_while_the_link_is_cut_the_modem_tells_the_holder_again_and_then_the_relative(
    hall, new_id, clock, phones
):
    modem = FakeDevice()
    async with texting(hall, modem, new_id) as devices:
        await begin(hall, clock)
        devices.notices.keep("t1", phones[0])
        devices.notices.keep_relative("t1", phones[1])
        await hall.handle(issue(1, phone_sealed="c2VhbGVk", phone_tail="34", relative=RELATIVE))
        await hall.handle(c.CallNext(counter="1"))
        clock.advance(61)
        await Escalating(hall).look()
        await modem.until(lambda: ("recall", 1, "accepted") in outcomes(hall))
        clock.advance(30)
        await Escalating(hall).look()
        await modem.until(lambda: ("relative", 1, "accepted") in outcomes(hall))
        assert [job.to[3:] for job in modem.jobs] == [phones[0]] * 3 + [phones[1]]
        assert "您家人的号码A002" in modem.jobs[-1].text
        await hall.handle(c.NoShow(counter="1"))
        await hall.handle(c.CancelTicket(ticket="t1"))
        assert devices.notices.by_hall() == frozenset()


async def test_the_interface_takes_a_relatives_number_and_tells_nobody(hall, new_id, phones, view):
    modem = FakeDevice()
    setups = [(place("modem"), profile("modem", "sms-channel"))]
    async with kept(hall, {"modem": modem}, setups, new_id) as devices:
        await modem.until(lambda: devices.keepers[0].state is DeviceState.ONLINE)
        seen = View(hall, devices, None, view.site, view.guard, hall.bell)
        app = web_app(seen, new_id=new_id, version="1")
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://hall.example") as http:
            body = {"request_id": "r1", "service": "social", "phone": phones[0], "relative_phone": phones[1]}
            first = await http.post("/api/tickets", json=body)
            again = await http.post("/api/tickets", json=body)
            assert (first.status_code, again.status_code) == (201, 200)
            wrong = await http.post("/api/tickets", json=body | {"request_id": "r2", "relative_phone": "1"})
            assert wrong.json()["type"] == "phone-invalid"
            ticket = hall.queue.tickets[first.json()["ticket_id"]]
            assert ticket.relative.phone_tail == phones[1][-2:]
            shown = (await http.get(f"/api/tickets/{ticket.ticket_id}")).text
            assert "relative" not in {k for fact in (await http.get("/api/facts")).json() for k in fact}
            assert phones[1] not in shown
        for stored in hall.journal.read(0, 1000):
            assert phones[1] not in stored.body
            assert "relative" not in public(stored.n, stored.body)
