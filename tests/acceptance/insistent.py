"""People who ask again until they are answered, and what must hold of all they were told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx2

from simulators.checkers import set_full, total_queue, unique_ids
from tests.acceptance.district import HALL, District
from tests.acceptance.machine import until

__all__ = ["Insistent"]


@dataclass(frozen=True, slots=True)
class _Request:
    kind: str
    name: str
    path: str
    body: dict[str, Any]


@dataclass
class Insistent:
    """Those at one hall. Every request has a name of its own and keeps it, however often it is asked."""

    d: District
    asked: dict[str, _Request] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    unanswered: list[_Request] = field(default_factory=list)
    pictures: list[set[tuple[str, int]]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # -- what they do -----------------------------------------------------------------------------------

    async def begin(self) -> None:
        """The counter opens; there are always some more people than calls, so that every call is one."""
        assert (await self.d.act("open")).status_code == 200
        for _ in range(3):
            await self._ask("take", "/api/tickets", service="household")

    async def work(self) -> None:
        """A number at the kiosk, one over the centre with a telephone, and both are called."""
        self.cut, n = False, next(self.numbers)
        await self._ask("take", "/api/tickets", service="social")
        phone = f"13800{n:06d}"
        await self._ask("order", f"/api/halls/{HALL}/tickets", service="social", channel="web", phone=phone)
        for _ in range(2):
            await self._ask("call", "/api/counters/1/call-next", finish_current=True)

    async def insist(self) -> bool:
        """Everything that was not answered is asked again, as it was; True when all of it is answered now."""
        again, self.unanswered = self.unanswered, []
        for request in again:
            await self._send(request)
        return not self.unanswered

    async def _ask(self, kind: str, path: str, **body: Any) -> None:
        name = f"{kind}-{next(self.numbers)}"
        if kind != "order":
            body["request_id"] = name
        self.asked[name] = request = _Request(kind, name, path, body)
        await self._send(request)

    async def _send(self, request: _Request) -> None:
        try:
            answer = await self._post(request)
        except httpx2.TransportError:
            self.cut = True
            self.unanswered.append(request)
            return
        if answer.status_code == 503:
            assert request.name not in self.told, "first a number, then none"
            self.unanswered.append(request)
            return
        assert answer.status_code in (200, 201), f"{request.name}: {answer.status_code} {answer.text}"
        self._hear(request, answer.json())

    async def _post(self, request: _Request) -> httpx2.Response:
        if request.kind == "order":
            headers, url = {**self.d.headers, "Idempotency-Key": request.name}, self.d.centre_url
        else:
            headers, url = {"Authorization": f"Bearer {self.d.token}"}, self.d.agent.url
        return await self.d.http.post(f"{url}{request.path}", json=request.body, headers=headers)

    def _hear(self, request: _Request, said: dict[str, Any]) -> None:
        ticket = said["ticket"] if request.kind == "call" else said
        if request.kind == "order":
            self.d.told[ticket["ticket_id"]] = ticket["label"]
        assert self.told.setdefault(request.name, ticket["label"]) == ticket["label"], (
            "one request, two numbers"
        )

    # -- what must hold ---------------------------------------------------------------------------------

    async def look(self) -> None:
        """Somebody reads all facts at the centre."""
        facts = await self.d.facts("centre", hall=HALL)
        self.pictures.append({(str(f["stream"]), int(str(f["n"]))) for f in facts})

    async def settle(self, *, after: str = "") -> None:
        """The faults are over: everybody is answered, and both sides have the same picture."""
        try:
            await until(self.insist)
            await self.d.known()
            await self.d.agree()
            await self.look()
        except Exception as error:
            error.add_note(f"after {after}")
            raise

    async def check(self) -> None:
        """Journal and centre: what was acknowledged is there once, with the number that was told."""
        await self.settle()
        here, there = await self.d.facts("agent"), await self.d.facts("centre", hall=HALL)
        assert [(f["n"], f["kind"]) for f in there] == [(f["n"], f["kind"]) for f in here]
        stream = str((await self.d.state())["stream"]["id"])  # type: ignore[index]
        seen = set_full([(stream, int(str(f["n"]))) for f in here], self.pictures)
        assert (seen.lost, seen.never_read) == ((), ())
        for facts in (here, there):
            self._check_once(facts)
        orders = [r for r in self.asked.values() if r.kind == "order"]
        for request in orders:
            await self._send(request)  # the same request, the same number
        assert {r.name for r in orders} == {n for n in self.told if n.startswith("order-")}
        labels = [label for name, label in self.told.items() if not name.startswith("call-")]
        assert unique_ids(labels) == {}, "one number for two people"

    def _check_once(self, facts: list[dict[str, Any]]) -> None:
        issued = [f for f in facts if f["kind"] == "ticket-issued"]
        label_of = {**self.d.told, **{f["ticket_id"]: f["label"] for f in issued}}  # the centre's own, too
        called = [f for f in facts if f["kind"] == "ticket-called"]
        assert unique_ids((f["day"], f["label"]) for f in issued) == {}, "a number was given twice"
        for kind, found in (("take", issued), ("call", called)):
            asked = [name for name, request in self.asked.items() if request.kind == kind]
            received = [str(f["request_id"]) for f in found if str(f["request_id"]).startswith(f"{kind}-")]
            queue = total_queue(asked, [name for name in asked if name in self.told], received)
            assert queue.ok, queue
            labels = {f["request_id"]: f.get("label") or label_of.get(f["ticket_id"]) for f in found}
            told = {name: self.told[name] for name in asked if name in self.told}
            assert {name: labels[name] for name in told} == told
