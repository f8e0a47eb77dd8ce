"""How far a call's two ways are apart: seen on the simulated panel, taken by the simulated message house.

A clerk's wish at a real agent → strip on Modbus TCP, and → MQTT → controller → notice committed → gateway.
Both ends stand in the measuring process, on one clock. There is no baseline: it is a distance.
"""

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter
from typing import Annotated

from fastapi import Header, Request, Response

from bench.figures import Figure, Target, figure, percentile, spread
from bench.http_client import HttpClient
from bench.programs import hall_file, hall_setup
from bench.runner import Run
from bench.street import street
from bench.strips import Strips, watched_strips
from hall_core.clock import SystemClock
from simulators.demo_programs import free_port
from simulators.demo_servers import Served
from simulators.sms_gateway import Gateway

__all__ = ["measure"]

CALLS, WARM = 200, 5
TARGETS = {50: Target(most=500), 99: Target(most=2_000)}


class _House(Gateway):
    """A message house that notes on this process's clock when it took what."""

    def __init__(self, key: str) -> None:
        self._taken_at: dict[str, float] = {}
        self._more = asyncio.Event()
        super().__init__(key, SystemClock())

    async def send(self, request: Request, authorization: Annotated[str, Header()] = "") -> Response:
        answer = await super().send(request, authorization)
        for row in self.messages[len(self._taken_at) :]:
            self._taken_at[row["client_ref"]] = perf_counter()
        self._more.set()
        return answer

    async def when(self, client_ref: str) -> float:
        """Raises TimeoutError when it does not come within 10 s."""
        async with asyncio.timeout(10):
            while client_ref not in self._taken_at:
                self._more.clear()
                await self._more.wait()
        return self._taken_at[client_ref]


@dataclass(slots=True)
class _Calls:
    """A citizen takes a number online, and is called: one after the other."""

    online: HttpClient
    counter: HttpClient
    strips: Strips
    house: _House
    path: str
    apart: list[float] = field(default_factory=list)
    number: int = 0

    async def one(self) -> None:
        """The confirmation has arrived before the clerk calls."""
        self.number += 1
        body = {"service": "service-a", "channel": "web", "phone": f"13{self.number:09d}"}
        taken = await self.online.post(self.path, body, f"Idempotency-Key: skew-{self.number}\r\n")
        ticket = taken.json()
        await self.house.when(f"{ticket['ticket_id']}.confirmation.0")
        wish = {"request_id": f"call-{self.number}", "finish_current": True}
        answer = await self.counter.post("/api/counters/1/call-next", wish)
        if answer.status != 200 or answer.json()["ticket"]["label"] != ticket["label"]:
            raise RuntimeError(f"call {self.number}: {answer.status} {answer.body.decode()}")
        shown = await self.strips.when("strip-1", ticket["label"])
        accepted = await self.house.when(f"{ticket['ticket_id']}.called.1")
        self.apart.append(accepted - shown)


async def measure(run: Run) -> list[Figure]:
    """Milliseconds from the panel to the message house."""
    folder = run.fresh_folder("skew_panel_gateway")
    calls = 100 if run.quick else CALLS
    layout = hall_file(folder / "hall.yaml", hall_setup())
    house = _House(key := secrets.token_urlsafe(18))
    async with AsyncExitStack() as stack:
        strips = await stack.enter_async_context(watched_strips(layout))
        gateway = await stack.enter_async_context(Served(house.app, free_port()))
        # The pace is for providers; at the usual one a call would wait behind the confirmations.
        env = {"GATEWAY": gateway.url, "GATEWAY_KEY": key, "GATEWAY_PER_S": "1000"}
        place = await stack.enter_async_context(street(folder, folder / "hall.yaml", layout, env=env))
        online = await HttpClient.connect(place.controller_url, place.controller_key)
        counter = await HttpClient.connect(place.agent.url, place.agent.token)
        path = f"/api/halls/{layout.hall.hall}/tickets"
        async with online, counter:
            await counter.post("/api/counters/1/open", {"request_id": "open"})
            done = _Calls(online, counter, strips, house, path)
            for n in range(WARM + calls):
                run.say(f"call {n + 1} of {WARM + calls}")
                await done.one()
    apart = done.apart[WARM:]
    note = f"{calls} calls, gateway after panel {spread(apart)}; {sum(a < 0 for a in apart)} before it"
    doubled = [f"{house.doubled} messages came twice"] if house.doubled else []
    size = [abs(a) * 1000 for a in apart]
    rows = ((50, note, doubled), (99, f"{calls} calls", []))
    return [
        figure(f"skew_panel_gateway_p{p}", percentile(size, p), "ms", TARGETS[p], note=said, broken=wrong)
        for p, said, wrong in rows
    ]
