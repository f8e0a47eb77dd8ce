"""Signed slips: written on paper by one box, read by the next one."""

import base64
from dataclasses import replace

import httpx2
import pytest

from edge_agent.slips import LONGEST, Slips
from edge_agent.web.app import web_app
from hall_core.errors import SlipInvalid
from hall_core.queueing.facts import TicketIssued
from tests.edge_agent.conftest import issue, running

URL = "https://zwfw.example.gov.cn/t/"


def slips(folder, hall="binjiang", given=""):
    folder.mkdir(exist_ok=True)
    return Slips(hall, folder / "slip.key", lambda: given)


async def printed(hall, mine, n=1, **more):
    token = f"{n:022d}"
    command = issue(n, **more).model_copy(update={"token": token, "ticket_id": f"01KB{n:022d}"})
    [fact] = (await hall.handle(command)).facts
    assert isinstance(fact, TicketIssued)
    return mine.link(URL + token, fact)


async def test_a_slip_says_everything_a_new_box_must_know(hall, tmp_path):
    key = base64.b64encode(bytes(range(32))).decode()
    link = await printed(hall, slips(tmp_path / "old", given=key))
    assert link.startswith(URL)
    assert len(link) <= LONGEST
    wish = slips(tmp_path / "new", given=key).read(link, hall.now(), "scan-1")
    ticket = next(iter(hall.queue.tickets.values()))
    assert (wish.ticket_id, wish.token, wish.service) == (ticket.ticket_id, ticket.token, ticket.service)
    assert (wish.line, wish.number, wish.day) == ("A", 1, ticket.day)
    assert wish.issued_at == ticket.issued_at.replace(microsecond=0)


async def test_a_slip_for_several_services_says_them_all_while_they_fit(hall, tmp_path):
    mine = slips(tmp_path / "box")
    link = await printed(hall, mine, more_services=("household",))
    wish = mine.read(link, hall.now(), "s")
    assert (wish.service, wish.more_services) == ("social", ("household",))
    stored = hall.journal.facts_of(wish.ticket_id)[0]
    fact = TicketIssued.model_validate_json(stored.body)
    long = fact.model_copy(update={"visits": tuple(f"service-{n}-of-a-long-name" for n in range(4))})
    wish = mine.read(mine.link(URL + fact.token, long), hall.now(), "s")
    assert (wish.service, wish.more_services) == ("social", ()), "the number counts again, the rest is asked"


async def test_nobody_else_can_write_one(hall, tmp_path):
    mine = slips(tmp_path / "box")
    link = await printed(hall, mine)
    assert mine.read(link, hall.now(), "s").number == 1, "without a centre the box's own key serves"
    for wrong in (
        link.replace(".A001.", ".A002."),
        link[:-3] + "AAA",
        link.replace("/t/0", "/t/1"),
        link.split("#")[0],
        link.split("#")[0] + "#1.....",
        "",
        "#",
    ):
        with pytest.raises(SlipInvalid):
            mine.read(wrong, hall.now(), "s")
    for other in (slips(tmp_path / "box", hall="another"), slips(tmp_path / "thief")):
        with pytest.raises(SlipInvalid):
            other.read(link, hall.now(), "s")


async def test_a_link_that_would_get_too_long_stays_as_it_was(hall, tmp_path):
    mine = slips(tmp_path / "box")
    [fact] = (await hall.handle(issue(1))).facts
    url = "https://" + "x" * 120 + ".example/t/k1"
    assert mine.link(url, fact) == url
    assert mine.link("", fact) == ""


async def test_a_box_that_lost_its_record_takes_the_slip_in_once(journal_path, clock, setup, tmp_path, view):
    key = base64.b64encode(bytes(32)).decode()
    async with running(tmp_path / "old.db", clock, setup) as old:
        link = await printed(old, slips(tmp_path / "old", given=key))
        lost = next(iter(old.queue.tickets.values()))
    view.slips = slips(tmp_path / "new", given=key)
    app = web_app(view, new_id=lambda: "n", version="1")
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://hall.example"
    ) as http:
        clock.advance(600)
        first = await http.post("/api/tickets/re-register", json={"request_id": "a", "code": link})
        again = await http.post("/api/tickets/re-register", json={"request_id": "b", "code": link})
        wrong = await http.post("/api/tickets/re-register", json={"request_id": "c", "code": link + "x"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert (wrong.status_code, wrong.json()["type"]) == (409, "slip-invalid")
    ticket = view.hall.queue.tickets[lost.ticket_id]
    same = replace(ticket, channel=lost.channel, ahead=lost.ahead, range_min=lost.range_min)
    assert (same.label, same.token, same.issued_at) == (
        lost.label,
        lost.token,
        lost.issued_at.replace(microsecond=0),
    )
