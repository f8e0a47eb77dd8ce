"""Ratings and their reasons over the hall's interface."""

from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from edge_agent.web import ratings as module
from edge_agent.web.more_pages import more_pages
from edge_agent.web.ratings import rating_routes
from hall_core.queueing import commands as c
from hall_core.queueing.facts import TicketRated, TicketRatingExplained, fact_adapter
from hall_ui.problems import install_problems
from hall_ui.screens import Screens
from tests.edge_agent.conftest import issue


@pytest.fixture
async def http(view):
    app = FastAPI()
    install_problems(app)
    app.include_router(rating_routes(view))
    app.include_router(more_pages(view, Screens(Path(module.__file__).parent), reasons=True))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://hall.example"
    ) as client:
        yield client


@pytest.fixture
async def visit(hall):
    """The ticket of a visit that is over."""
    await hall.handle(issue(1))
    for command in (c.OpenCounter(counter="1"), c.CallNext(counter="1"), c.Start(counter="1")):
        await hall.handle(command)
    await hall.handle(c.Finish(counter="1"))
    return "t1"


def facts(hall, kind):
    kept = (fact_adapter.validate_json(row.body) for row in hall.journal.read(0, 100))
    return [fact for fact in kept if isinstance(fact, kind)]


async def rate(http, n=1, **said):
    return await http.post("/api/ratings", json={"request_id": f"rate-{n}", **said})


async def explain(http, n=1, **said):
    body = {"request_id": f"why-{n}", "counter": "1", "ticket": "t1", **said}
    return await http.post("/api/ratings/reason", json=body)


async def test_reasons_follow_a_bad_rating_once(http, hall, visit):
    assert (await explain(http, reasons=["slow"])).json()["type"] == "illegal-transition"
    assert (await rate(http, counter="1", score=1)).status_code == 201
    told = await explain(http, 2, reasons=["other", "slow"])
    assert (told.status_code, told.json()) == (201, {"reasons": ["other", "slow"]})
    assert (await explain(http, 2, reasons=["other", "slow"])).status_code == 201  # the same request again
    assert (await explain(http, 3, reasons=["unclear"])).status_code == 409
    assert [x.reasons for x in facts(hall, TicketRatingExplained)] == [("slow", "other")]


@pytest.mark.parametrize("reasons", [[], ["weather"], ["slow"] * 17, ["<b>"], "slow"])
async def test_reasons_that_are_not_of_the_list_are_refused_and_change_nothing(http, hall, visit, reasons):
    await rate(http, counter="1", score=2)
    before = hall.journal.last
    assert (await explain(http, reasons=reasons)).status_code == 422
    assert hall.journal.last == before


async def test_a_holder_rates_by_the_tickets_id_and_tells_the_reasons_with_it(http, hall, visit):
    answer = await rate(http, ticket="t1", score=2, reasons=["sent-away"], channel="terminal")
    assert answer.json() == {"ticket": {"label": "A001"}, "score": 2}
    (rated,) = facts(hall, TicketRated)
    assert (rated.counter, rated.channel, rated.reasons) == ("1", "terminal", ("sent-away",))
    assert (await rate(http, 2, counter="1", score=5)).status_code == 409


@pytest.mark.parametrize("whose", [{}, {"counter": "1", "ticket": "t1"}, {"ticket": ""}])
async def test_a_rating_names_a_counter_or_a_ticket(http, visit, whose):
    assert (await rate(http, score=5, **whose)).status_code == 422


async def test_a_label_is_no_right_to_rate(http, visit):
    assert (await rate(http, ticket="A001", score=1)).json()["type"] == "unknown-ticket"


async def test_only_who_brings_the_link_is_asked_for_a_rating(http, visit, hall):
    async def shown(text):
        return (await http.post("/terminal/ticket", json={"text": text})).text

    # as short as a real link's token may be
    await hall.handle(c.IssueTicket(ticket_id="t2", token="k" * 22, service="social"))
    for command in (c.CallNext(counter="1"), c.Start(counter="1"), c.Finish(counter="1")):
        await hall.handle(command)
    link = f"http://hall.example/t/{'k' * 22}"
    assert 'data-ticket="t2"' in await shown(link)
    assert "data-level" not in await shown("A2")
    await rate(http, ticket="t2", score=5)
    assert "data-level" not in await shown(link)
