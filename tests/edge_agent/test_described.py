"""The agent does what its OpenAPI document says: every operation, for whoever asks, with any input."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from edge_agent.accounts import Accounts
from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.override import Overrides
from edge_agent.site import SiteFile
from edge_agent.slips import Slips
from edge_agent.web.app import web_app
from edge_agent.web.security import Guard
from edge_agent.web.view import View
from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from hall_core.queueing.override import Override, box_tail, write_code
from hall_core.queueing.states import CounterState
from tests.described import OneEvent, done_as_described, operations
from tests.edge_agent.conftest import DAY, hall_setup, running

EXAMPLES = 25
#: described, not run: the routes need no hall behind them for that
NOBODY = SimpleNamespace(guard=Guard(cast("Any", None), "haitang"), hall=None, devices=None, site=None)

OPERATIONS = operations(web_app(cast("Any", NOBODY), new_id=str, version="1").openapi())


class Box:
    """A hall at work: somebody waits, somebody is called, a counter is closed."""

    def __init__(self, folder: Path) -> None:
        self.loop, self.numbers = asyncio.new_event_loop(), count(1)
        self.clock = FixedClock(datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
        self._stop, ready = asyncio.Event(), self.loop.create_future()
        self._living = self.loop.create_task(self._live(folder, ready))
        self.loop.run_until_complete(ready)

    async def _live(self, folder: Path, ready: asyncio.Future[None]) -> None:
        async with running(folder / "journal.db", self.clock, hall_setup()) as self.hall:
            self._view(folder)
            ready.set_result(None)
            await self._stop.wait()

    def work(self) -> None:
        """Four people come: one did not like it, one has left, one is called, one waits."""
        self.loop.run_until_complete(self._work())

    async def _work(self) -> None:
        for _ in range(4):
            name = self._id()
            wish = c.IssueTicket(request_id=name, ticket_id=name, token=f"token-{name}", service="social")
            [*_, issued] = (await self.hall.handle(wish)).facts
        self.slip = self._slips.link("http://hall.example/t/" + issued.token, issued)
        how = {CounterState.CLOSED: c.OpenCounter, CounterState.PAUSED: c.ResumeCounter}
        if to_open := how.get(self.hall.queue.counters["1"].state):
            await self.hall.handle(to_open(counter="1"))
        for score in (1, None):
            await self.hall.handle(c.CallNext(counter="1", finish_current=True))
            await self.hall.handle(c.Start(counter="1"))
            await self.hall.handle(c.Finish(counter="1"))
            if score:
                await self.hall.handle(c.RateVisit(counter="1", score=score))
                self.disliked = self.hall.queue.counters["1"].last_id
        await self.hall.handle(c.CallNext(counter="1"))

    def _view(self, folder: Path) -> None:
        accounts, site = Accounts(folder / "accounts.json", self.clock), folder / "site.json"
        self.token = accounts.add_token("wang")
        files = SiteFile(site, "http://hall.example")
        devices = Devices(
            self.hall,
            [],
            lambda *_: pytest.fail("no devices here"),
            new_id=self._id,
            jitter=lambda: 0.0,
            ticket_url=files.ticket_url,
            bell=Bell(),
        )
        view = View(self.hall, devices, None, files, Guard(accounts, "haitang"), self.hall.bell)
        view.slips = self._slips = Slips("binjiang", folder / "slip.key", lambda: "")
        view.overrides = Overrides(
            self.hall, "binjiang", lambda: b64encode(bytes(32)).decode(), accounts.pepper
        )
        app = OneEvent(web_app(view, new_id=self._id, version="1"), self._meanwhile)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://hall.example")

    def _id(self) -> str:
        return f"id-{next(self.numbers)}"

    async def _meanwhile(self) -> None:
        self.clock.advance(5)

    def known(self) -> dict[str, list[Any]]:
        tickets = list(self.hall.queue.tickets.values())[-20:]
        ids = [ticket.ticket_id for ticket in tickets]
        return {
            "counter": ["1", "2"],
            "action": ["call-next", "start", "finish", "recall", "hold", "transfer"],
            "service": ["social", "household"],
            "services": [["social", "household"], []],
            "to_service": ["household"],
            "ticket_id": ids,
            "ticket": [*ids, *(ticket.label for ticket in tickets)],
            "request_id": [f"asked-{next(self.numbers)}", "r1"],
            "channel": ["kiosk", "page"],
            "priority": [None],
            "phone": [None],
            "relative_phone": [None],
            "pager": [None],
            "appointment": [None],
            "code": [self.slip],
            "POST /api/override": [{"request_id": self._id(), "code": self._code()}],
            "POST /api/ratings/reason": [
                {"request_id": self._id(), "counter": "1", "ticket": self.disliked, "reasons": ["slow"]}
            ],
            "POST /api/counters/{counter}/{action}": [{"request_id": self._id()}],
        }

    def _code(self) -> str:
        """What somebody is told over the telephone."""
        tail, last = box_tail(self.hall.journal.stream), DAY + timedelta(days=7)
        said = Override(hall="binjiang", tail=tail, zone=3, first_day=DAY, last_day=last)
        return write_code(said, bytes(32))

    def ask(self, request: dict[str, Any], who: str) -> httpx2.Response:
        headers = dict(request.pop("headers"))
        if who == "clerk":
            headers["Authorization"] = f"Bearer {self.token}"
        return self.loop.run_until_complete(self.http.request(**request, headers=headers))

    def close(self) -> None:
        self._stop.set()
        self.loop.run_until_complete(self._living)
        self.loop.run_until_complete(self.http.aclose())
        self.loop.close()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = Box(tmp_path_factory.mktemp("described"))
    yield made
    made.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_every_operation_answers_as_described(box: Box, operation: Any) -> None:
    box.work()
    people = ("clerk", "clerk", "anybody")
    assert done_as_described(operation, box.ask, examples=EXAMPLES, people=people, known=box.known)
