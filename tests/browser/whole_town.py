"""A hall, its centre, their broker and a message house as real programs, for the browser.

They run beside a thread of their own: the browser's tests hold the main one.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx2
import yaml
from fastapi import Request, Response

from edge_agent.bell import Bell
from hall_core.clock import SystemClock
from simulators.broker import open_broker
from simulators.demo_programs import Programs, console_script, free_port, run_to_end
from simulators.relay import Relay
from simulators.sms_gateway import Gateway
from tests.acceptance.agent_process import agent_process
from tests.acceptance.machine import until
from tests.controller.serving import served

T = TypeVar("T")
__all__ = ["ADMIN", "CLERK", "HALL", "WholeTown", "whole_town"]

HALL, ADMIN, CLERK = "binjiang", "chief", "wang"
_ZONE = ZoneInfo("Asia/Shanghai")
#: a program that begins in the middle of a morning, so that there are times to book at any hour
_MORNING = """
import sys
from datetime import timedelta
from importlib import import_module
from hall_core import clock

def now(self, real=clock.SystemClock.now, by=timedelta(seconds=float(sys.argv[1]))):
    return real(self) + by

clock.SystemClock.now = now
clock.SystemClock.trusted = lambda self: True
main = import_module(sys.argv[2]).main
sys.argv[:] = sys.argv[3:]
sys.exit(main())
"""


class House(Gateway):
    """A message house that tells when it has taken one more."""

    def __init__(self) -> None:
        self.bell = Bell()
        super().__init__("house-key", SystemClock())

    async def send(self, request: Request, authorization: str = "") -> Response:
        answer = await super().send(request, request.headers.get("authorization", ""))
        self.bell.ring()
        return answer

    async def message(self, kind: str) -> str:
        """The text of the first message of this kind, once there is one."""
        seen = 0
        while True:
            for row in self.messages:
                if row["client_ref"].split(".")[1] == kind:
                    return row["text"]
            seen = await self.bell.wait_past(seen)


@dataclass
class WholeTown:
    """The addresses of the pages, the passwords of those who work there, and the hall's line."""

    centre_url: str
    hall_url: str
    admin_password: str
    clerk_password: str
    house: House
    _relay: Relay
    _loop: asyncio.AbstractEventLoop = field(repr=False)
    _token: str = field(repr=False)

    def message(self, kind: str) -> str:
        """What a handset got, once it has got it."""
        return self._run(self.house.message(kind))

    def cut(self) -> None:
        """The hall's line to the broker is cut."""
        self._loop.call_soon_threadsafe(self._relay.cut)

    def heal(self) -> None:
        self._loop.call_soon_threadsafe(self._relay.heal)

    def somebody_waits(self) -> None:
        """Somebody who was there before has taken a number at the hall."""
        body = {"request_id": "before", "service": "social"}
        assert httpx2.post(f"{self.hall_url}/api/tickets", json=body).status_code == 201

    def expected(self) -> None:
        """Wait until the hall has somebody on the list of today's appointments."""
        self._run(self._asked(f"{self.hall_url}/api/appointments", any))

    def knows(self, page: str, state: str) -> None:
        """Wait until the centre knows that the ticket of this page is in a state."""
        token = page.partition("/t/")[2]
        self._run(self._asked(f"{self.centre_url}/api/t/{token}", lambda ticket: ticket["state"] == state))

    async def _asked(self, url: str, truth: Callable[[Any], bool]) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
            await until(lambda: _true(http, url, truth))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


@contextmanager
def whole_town(folder: Path) -> Iterator[WholeTown]:
    """Everything is up, the hall has its numbers and the centre has heard of its services."""
    ready: Future[WholeTown] = Future()
    stop = asyncio.Event()

    async def live() -> None:
        try:
            async with _town(folder) as town:
                ready.set_result(town)
                await stop.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="town")
    thread.start()
    town = ready.result(timeout=90)
    try:
        yield town
    finally:
        town._loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)


@asynccontextmanager
async def _town(folder: Path) -> AsyncIterator[WholeTown]:
    _hall_file(folder / "hall.yaml")
    centre, agent = console_script("hall-controller"), console_script("hall-agent")
    data, box = ["--data", str(folder / "centre")], ["--data", str(folder / "box")]
    await run_to_end([centre, "hall", "add", HALL, "--name", "滨江街道", "--level", "street", *data])
    admin = _last(await run_to_end([centre, "admin", "add", ADMIN, *data]))
    clerk = _last(await run_to_end([agent, "staff", "add", CLERK, *box]))
    token = _last(await run_to_end([agent, "staff", "token", "test", *box]))
    async with AsyncExitStack() as stack:
        programs = await stack.enter_async_context(Programs(folder / "logs"))
        broker = await open_broker(None, folder=folder / "broker", users=(HALL,), programs=programs)
        relay = await stack.enter_async_context(Relay("127.0.0.1", broker.port))
        house = House()
        gateway = await stack.enter_async_context(served(house.app))
        port = free_port()
        words = ["run", *data, "--port", str(port), "--public-url", f"http://127.0.0.1:{port}"]
        keys = {"HALL_CONTROLLER_GATEWAY": gateway, "HALL_CONTROLLER_GATEWAY_KEY": "house-key"}
        keys["HALL_CONTROLLER_BROKER"] = broker.url("controller")
        program = await programs.start("centre", [*_morning("controller"), centre, *words], env=keys)
        url = await programs.ready(program)
        link = ("--broker", broker.url(HALL, port=relay.port), "--reconnect-s", "1", "--resend-s", "2")
        running = await stack.enter_async_context(
            agent_process(folder / "hall.yaml", folder / "box", *link, under=_morning("edge_agent"))
        )
        loop = asyncio.get_running_loop()
        town = WholeTown(url, running.url, admin, clerk, house, relay, loop, token)
        async with httpx2.AsyncClient(timeout=20) as http:
            await until(lambda: _ready(http, f"{running.url}/readyz"))
            await until(
                lambda: _true(http, f"{url}/api/public/halls", lambda rows: bool(rows[0]["services"]))
            )
        yield town


def _morning(program: str) -> tuple[str, ...]:
    """A command's beginning: five past ten in the hall's time zone, now."""
    now = SystemClock().now().astimezone(_ZONE)
    by = (datetime.combine(now.date(), time(10, 5), _ZONE) - now).total_seconds()
    return (sys.executable, "-c", _MORNING, str(by), f"{program}.__main__")


def _hall_file(path: Path) -> None:
    hours = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    # Whoever is early may check in at once: the journey is about the way, not about waiting.
    plan = {"minutes": 30, "places": 4, "days_ahead": 1, "lead_min": 0, "early_min": 240}
    hall = {
        "hall": HALL,
        "name": "滨江街道政务服务中心",
        "level": "street",
        "hours": hours,
        "holidays": "none",
        "services": [{"id": "social", "name": "社保医保", "prefix": "A", "appointments": plan}],
        "counters": [{"id": "1", "name": "1号窗口", "services": ["social"]}],
    }
    path.write_text(yaml.safe_dump({"hall": hall, "devices": []}, allow_unicode=True), encoding="utf-8")


def _last(printed: str) -> str:
    return printed.strip().splitlines()[-1].split()[-1]


async def _ready(http: httpx2.AsyncClient, url: str) -> bool:
    return (await http.get(url)).status_code == 200


async def _true(http: httpx2.AsyncClient, url: str, truth: Callable[[Any], bool]) -> bool:
    return truth((await http.get(url)).json())
