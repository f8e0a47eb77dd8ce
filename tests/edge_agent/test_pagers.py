"""A call makes the holder's pager shake, and an old call never does."""

import httpx2
import pytest

from edge_agent.paging import PAGE_WITHIN_S
from edge_agent.web.app import web_app
from edge_agent.web.view import View
from hall_core.devices.vocabulary import DeviceState, Outcome
from hall_core.queueing import commands as c
from tests.edge_agent.conftest import issue
from tests.edge_agent.test_devices import FakeDevice, kept, place, profile


@pytest.fixture
def pager():
    return FakeDevice()


def paging(hall, pager, new_id, probe_s=0.02):
    setups = [(place("pagers"), profile("pager", "page-user", probe_s))]
    return kept(hall, {"pagers": pager}, setups, new_id)


async def call(hall):
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(c.CallNext(counter="1"))


async def test_every_call_and_recall_pages_once_and_only_who_carries_a_pager(hall, new_id, pager):
    async with paging(hall, pager, new_id) as devices:
        await hall.handle(issue(1, pager=7))
        await hall.handle(issue(2))
        await call(hall)
        await pager.until(lambda: pager.printed == ["t1.page.1"])
        await hall.handle(c.Recall(counter="1"))
        await pager.until(lambda: pager.printed == ["t1.page.1", "t1.page.2"])
        await hall.handle(c.CallNext(counter="1", finish_current=True))
        assert devices.paged(hall.queue.tickets["t2"]) is None
        assert (pager.jobs[0].pager, pager.jobs[0].text) == (7, "A001 1")


async def test_a_page_that_could_not_be_sent_in_time_is_never_sent(hall, new_id, pager, clock):
    async with paging(hall, pager, new_id) as devices:
        await pager.until(lambda: devices.keepers[0].state is DeviceState.ONLINE)
        pager.plugged = False
        await pager.until(lambda: devices.keepers[0].state is DeviceState.OFFLINE)
        await hall.handle(issue(1, pager=7))
        await call(hall)
        assert devices.paged(hall.queue.tickets["t1"]) == "pending"
        clock.advance(PAGE_WITHIN_S + 1)
        pager.plugged = True
        await pager.until(lambda: devices.keepers[0].state is DeviceState.ONLINE)
        await pager.until(lambda: devices.paged(hall.queue.tickets["t1"]) == "expired")
        assert pager.printed == []


async def test_who_is_served_or_gone_is_not_paged_any_more(hall, new_id, pager):
    async with paging(hall, pager, new_id) as devices:
        await pager.until(lambda: devices.keepers[0].state is DeviceState.ONLINE)
        pager.plugged = False
        await pager.until(lambda: devices.keepers[0].state is DeviceState.OFFLINE)
        await hall.handle(issue(1, pager=7))
        await call(hall)
        await hall.handle(c.Start(counter="1"))
        assert devices.paged(hall.queue.tickets["t1"]) == "expired"


@pytest.fixture
async def served(hall, new_id, pager, view):
    """The hall's web application with a pager transmitter, and a clerk's client."""
    pager.outcome = Outcome.UNCONFIRMED
    async with paging(hall, pager, new_id) as devices:
        seen = View(hall, devices, None, view.site, view.guard, hall.bell)
        app = web_app(seen, new_id=new_id, version="1")
        headers = {"Authorization": f"Bearer {view.guard.accounts.add_token('wang')}"}
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://hall.example", headers=headers
        ) as http:
            yield http


async def give(http, ticket, pager, n=1, **more):
    body = {"request_id": f"give-{n}", "pager": pager}
    return await http.post(f"/api/tickets/{ticket}/pager", json=body, **more)


async def test_a_page_is_shown_as_unconfirmed_to_programs_and_to_the_clerk(served, hall, pager):
    taken = (
        await served.post("/api/tickets", json={"request_id": "r", "service": "social", "pager": 12})
    ).json()
    await call(hall)
    await pager.until(lambda: pager.printed)
    seen = (await served.get(f"/api/tickets/{taken['ticket_id']}")).json()
    assert (seen["pager"], seen["page"]) == (12, "unconfirmed")
    panel = (await served.get("/counter/1/panel")).text
    assert "寻呼机 12" in panel
    assert "无法确认" in panel


async def test_staff_hand_a_pager_out_later_and_a_pager_in_use_is_refused(served, hall):
    for n in (1, 2):
        await hall.handle(issue(n))
    answer = await give(served, "A001", 7)
    assert answer.json() == {"ticket_id": "t1", "label": "A001", "pager": 7}
    taken = await give(served, "A002", 7, 2)
    assert (taken.status_code, taken.json()["type"]) == (409, "pager-in-use")
    assert "A001" in taken.json()["title"]
    assert (await give(served, "A001", None, 3)).json()["pager"] is None
    assert (await give(served, "A002", 7, 4)).status_code == 200
    assert (await give(served, "A001", -1, 5)).status_code == 422


async def test_without_staff_or_a_transmitter_no_pager_is_handed_out(served, hall, view, new_id):
    await hall.handle(issue(1))
    before = hall.journal.last
    assert (await give(served, "A001", 7, headers={"Authorization": "Bearer no"})).status_code == 401
    bare = httpx2.ASGITransport(app=web_app(view, new_id=new_id, version="1"))
    async with httpx2.AsyncClient(
        transport=bare, base_url="http://hall.example", headers=served.headers
    ) as http:
        for answer in (
            await give(http, "A001", 7),
            await http.post("/api/tickets", json={"request_id": "r", "service": "social", "pager": 7}),
        ):
            assert (answer.status_code, answer.json()["type"]) == (409, "no-pagers")
    assert hall.journal.last == before
