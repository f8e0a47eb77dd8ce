"""The controller does what its OpenAPI document says: every operation, for whoever asks, with any input."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from controller.api.application import application
from controller.api.deps import Parts
from controller.gateways.pushed import OWN
from controller.use_cases.drawing import PlaceKeeper
from controller.use_cases.people import People, add_admin, add_key
from controller.use_cases.ports import Receipt
from controller.use_cases.promise_keeper import PromiseKeeper
from controller.use_cases.rating_cases import CaseKeeper, take_step
from controller.use_cases.receipt_doors import ReceiptDoors
from controller.web.services import SESSION_COOKIE
from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from hall_core.schedule.slots import SlotPlan
from tests.controller.box import ZONE, Box, hall_setup
from tests.controller.centre import Centre
from tests.controller.gateway import FakeGateway, provider
from tests.controller.rating_scene import a_phone, rated
from tests.controller.web import Link
from tests.described import OneEvent, done_as_described, operations

EXAMPLES = 20
OPEN = SlotPlan(places=50, days_ahead=3)
DRAWN = SlotPlan(places=2, days_ahead=3, draw_min=60, draw_at="09:30")
#: how far the cases of bad ratings have come before anybody asks: one at each of these
WAY = (
    ("assign", {"to": "李敏"}),
    ("answer", {"text": "已致歉"}),
    ("call-back", {"result": "satisfied", "text": ""}),
)

OPERATIONS = operations(application().openapi())


class Town:
    """A controller with a hall that answers its wishes at once, and something of everything one can ask for."""

    def __init__(self, folder: Path, clock: FixedClock) -> None:
        self.clock, self.loop = clock, asyncio.new_event_loop()
        self.centre = Centre(f"sqlite:///{folder / 'controller.db'}", folder, clock)
        self.centre.enrol()
        self.box = Box(clock).open()
        self.round = 0
        self.known: dict[str, list[Any]] = {}
        self.missed: list[str] = []
        self.people = People(self.centre.database, clock)
        write = self.centre.database.write_now
        self.password = write(lambda tx: add_admin(tx, "chief", clock))
        self.key = write(lambda tx: add_key(tx, "wechat", clock))
        around = (self.centre.context, self.people, Link(), self.centre.metrics)
        house = provider(clock, FakeGateway(clock.now), "house")
        house.pushing = OWN
        doors = ReceiptDoors.of(self.centre.context.phones, [house], self._told)
        self.door = self.centre.context.phones.receipt_door("house")
        parts = Parts(*around, doors)  # type: ignore[arg-type]
        app = OneEvent(application(parts), self._meanwhile)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://centre.test")
        self.loop.run_until_complete(self._fill())

    async def _told(self, _house: str, _receipts: Sequence[Receipt]) -> bool:
        """What the sender of notices would do."""
        return True

    async def _fill(self) -> None:
        self._quiet = asyncio.Lock()
        household, tax = (
            service.model_copy(update={"appointments": plan})
            for service, plan in zip(hall_setup().services, (OPEN, DRAWN), strict=True)
        )
        self.box.do(c.ConfigureHall(setup=hall_setup().model_copy(update={"services": (household, tax)})))
        await self.centre.meet(self.box)
        self._answering = asyncio.create_task(self._answer(), name="hall")
        await self._yesterday()
        await rated(self.centre, self.box, "t2", 5)
        await self._cases()
        await CaseKeeper(self.centre.context).look()
        self.session = await self.people.login("chief", self.password, "127.0.0.1")

    async def _yesterday(self) -> None:
        """Four did not come; three of them have said why. Today's draw has begun."""
        await self._learn()
        self.missed = [await self._book(f"missed-{n}", a_phone()) for n in range(4)]
        await PlaceKeeper(self.centre.context).look()
        self.clock.advance(86_400)
        self.box.do(c.OpenBusinessDay(day=self.clock.now().astimezone(ZONE).date()))
        await self.centre.talk(self.box, self.box.facts())
        await PromiseKeeper(self.centre.context).look()
        for token in self.missed[1:]:
            said = await self.http.post(f"/api/t/{token}/appeal", json={"text": "孩子发高烧"})
            assert said.status_code == 200
        del self.missed[1:]

    async def _cases(self) -> None:
        """Four bad ratings, each one step further than the one before."""
        for steps in range(len(WAY) + 1):
            await rated(self.centre, self.box, f"bad-{self.round}-{steps}", 1, "slow")
            newest = max(row["id"] for row in self.centre.rows("RATING_CASES"))
            for step, said in WAY[:steps]:
                await take_step(self.centre.context, newest, step, "chief", **said)

    async def _book(self, key: str, phone: str | None = None) -> str:
        asked = {"service": "household", "starts_at": self.known["starts_at"][-1], "phone": phone}
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}
        answer = await self.http.post("/api/halls/haitang/appointments", json=asked, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def work(self) -> None:
        """Somebody waits, somebody has left, somebody has an appointment; none of them was here before."""
        self.loop.run_until_complete(self._work())

    async def _work(self) -> None:
        self.round += 1
        self.box.issue(f"left-{self.round}")
        self.box.do(c.Call(counter="1", ticket=f"left-{self.round}"))
        self.box.do(c.Start(counter="1"))
        self.box.do(c.Finish(counter="1"))
        # somebody stands called, whom nobody serves
        three = self.box.queue.counters["3"]
        if three.state == "closed":
            self.box.do(c.OpenCounter(counter="3"))
        if three.ticket_id is not None:
            self.box.do(c.NoShow(counter="3"))
        self.box.issue(f"called-{self.round}")
        self.box.do(c.Call(counter="3", ticket=f"called-{self.round}"))
        # nobody is let pass when nobody waits behind
        for name in (f"waits-{self.round}", *(f"behind-{self.round}-{n}" for n in range(3))):
            self.box.issue(name)
        await self.centre.talk(self.box, self.box.facts())
        await self._cases()
        await self._learn()
        await self._book(f"round-{self.round}")
        await self._learn()

    async def _meanwhile(self) -> None:
        """Time passes between two questions, and the hall tells what it has to tell."""
        self.clock.advance(5)
        async with self._quiet:
            await self.centre.talk(self.box, self.box.state(), self.box.report())

    async def _answer(self) -> None:
        while True:
            await self.centre.context.sender.bell.heard(30)
            async with self._quiet:
                await self.centre.talk(self.box)

    async def _learn(self) -> None:
        """What a citizen's link, an answer or a list would tell whoever asks."""
        headers = {"Authorization": f"Bearer {self.key}"}
        day = self.clock.now().date().isoformat()
        asked = {"service": "household", "day": day}
        slots = (await self.http.get("/api/halls/haitang/slots", params=asked, headers=headers)).json()
        draws = self.centre.rows("DRAWS")
        appeals = [row["id"] for row in self.centre.rows("APPEALS")]
        tickets, booked = self.centre.rows("TICKETS"), self.centre.rows("APPOINTMENTS")
        self.known = {
            "hall": ["haitang"],
            "service": ["household", "tax"],
            "starts_at": [slot["starts_at"] for slot in slots if slot["left"]],
            "token": [row["token"] for row in tickets if row["ticket_id"] in _fresh(self.round)]
            + [row["token"] for row in booked][-2:]
            + self.missed,
            # another one every time: a decision stays
            "appeal": [appeals[self.round % len(appeals)]] if appeals else [],
            "door": [self.door],
            "draw": [draw["draw_id"] for draw in draws],
            "wishes": [[f"{draw['day']}T09:00:00+08:00"] for draw in draws],
            "case": [row["id"] for row in self.centre.rows("RATING_CASES")][-len(WAY) - 1 :],
            "day": [day],
            "scope": ["haitang"],
            "channel": ["web", "wechat"],
            "near": ["30.2,120.1"],
            "phone": [a_phone(), None],
            "priority": [None],
            "openid": [None],
            "services": [["household", "tax"], []],
            "reasons": [["slow"], []],
            "like": [None, "sat"],
            "spans": [["09:00-12:00"], None],
            "Idempotency-Key": [f"key-{len(tickets) + len(booked)}", f"again-{len(tickets) + len(booked)}"],
            "POST /api/halls/{hall}/tickets": [{"service": "household"}, {"services": ["tax", "household"]}],
            "POST /api/t/{token}/rating": [{"score": 5}, {"score": 1, "reasons": ["slow"]}],
            "nonce": ["a" * 32],
        }

    def ask(self, request: dict[str, Any], who: str) -> httpx2.Response:
        """As an administrator, as a program, or as anybody."""
        headers = dict(request.pop("headers"))
        if who == "program":
            headers["Authorization"] = f"Bearer {self.key}"
        elif who == "admin":
            headers["Cookie"] = f"{SESSION_COOKIE}={self.session}"
        answer = self.loop.run_until_complete(self.http.request(**request, headers=headers))
        if request["method"] != "GET" and answer.is_success:
            self.loop.run_until_complete(self._learn())
        return answer

    def close(self) -> None:
        async def end() -> None:
            self._answering.cancel()
            await asyncio.wait((self._answering,))
            await self.http.aclose()

        self.loop.run_until_complete(end())
        self.loop.close()
        self.centre.close()


def _fresh(round_: int) -> tuple[str, ...]:
    return f"left-{round_}", f"waits-{round_}", f"called-{round_}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    clock = FixedClock(datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    made = Town(tmp_path_factory.mktemp("described"), clock)
    yield made
    made.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_every_operation_answers_as_described(town: Town, operation: Any) -> None:
    town.work()
    people = ("admin", "admin", "program", "anybody")
    how = {"examples": EXAMPLES, "people": people, "known": lambda: town.known}
    assert done_as_described(operation, town.ask, **how)
