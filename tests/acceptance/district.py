"""A hall, its centre and their broker as real processes, and a line between them that fails in its way."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import httpx2

from simulators.broker import Broker, open_broker
from simulators.demo_programs import Program, Programs, console_script, run_to_end
from simulators.relay import Relay
from tests.acceptance.agent_process import AgentProcess, agent_process
from tests.acceptance.machine import run
from tests.acceptance.test_kill import hall_file

__all__ = ["HALL", "Cable", "District", "district"]

HALL = "binjiang"
#: a program with a wall clock that a test moves by days: a file says by how many
ANOTHER_DAY = """
import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from hall_core import clock

def now(self, real=clock.SystemClock.now, file=Path(sys.argv[1])):
    return real(self) + timedelta(days=int(file.read_text() or 0))

clock.SystemClock.now = now
clock.SystemClock.trusted = lambda self: True
main = import_module(sys.argv[2]).main
sys.argv[:] = sys.argv[3:]
sys.exit(main())
"""


class Cable:
    """The line from the box to the broker. Packets are dropped by the kernel, links are reset by a relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay, self._table = relay, f"quiethall_test_{relay.port}"
        self._flapping: asyncio.Task[None] | None = None

    async def fail(self, how: str) -> None:
        """`up` and `down`: packets of one direction are lost; `both`; `flap`: cut again and again; `hang`."""
        port = self._relay.port
        lost = {"up": ["dport"], "down": ["sport"], "both": ["dport", "sport"]}
        if how in lost:
            rules = "".join(f"tcp {end} {port} drop\n" for end in lost[how])
            chain = f"chain lost {{\ntype filter hook output priority 0;\n{rules}}}\n"
            await asyncio.to_thread(run, "nft", f"table inet {self._table} {{\n{chain}}}\n")
        elif how == "hang":
            self._relay.hang()
        elif how == "flap":
            self._flapping = asyncio.get_running_loop().create_task(self._flap())
        else:
            assert how == "none"

    async def heal(self) -> None:
        """The line is as it should be."""
        if self._flapping is not None:
            self._flapping.cancel()
            await asyncio.wait((self._flapping,))
            self._flapping = None
        self._relay.heal()
        await asyncio.to_thread(
            subprocess.run, ["nft", "delete", "table", "inet", self._table], capture_output=True, check=False
        )

    async def _flap(self) -> None:
        while True:
            self._relay.cut()
            await asyncio.sleep(0.3)
            self._relay.heal()
            await asyncio.sleep(0.3)


class District:
    """Everything that can be asked, restarted and cut; and all numbers that anybody was told."""

    def __init__(self, folder: Path, broker: Broker, relay: Relay, programs: Programs) -> None:
        self.folder, self.broker, self.programs = folder, broker, programs
        self.cable, self._relay = Cable(relay), relay
        self.told: dict[str, str] = {}
        self._checked: set[str] = set()
        self.agent: AgentProcess
        self.controller: Program
        self.centre_url = self.token = self.key = ""
        self.days = folder / "days"
        #: the card of the hall's box
        self.box = "box"
        self.options: tuple[str, ...] = ()
        #: code that breaks the controller on purpose before it starts
        self.broken_centre = ""
        self.settings: dict[str, str] = {}
        self._agents = AsyncExitStack()
        self._numbers = count(1)
        self.http = httpx2.AsyncClient(timeout=20)

    # -- programs ---------------------------------------------------------------------------------------

    async def start_agent(self) -> None:
        self.agent = await self._agents.enter_async_context(self.a_box(self.box))

    def a_box(self, name: str) -> AbstractAsyncContextManager[AgentProcess]:
        """A box of this hall with the card of this name, on the hall's line."""
        url = self.broker.url(HALL, port=self._relay.port)
        options = ("--broker", url, "--reconnect-s", "1", "--resend-s", "2", "--keepalive-s", "5")
        under = (*self._on_another_day, "edge_agent.__main__")
        hall, data = self.folder / "hall.yaml", self.folder / name
        return agent_process(hall, data, *options, *self.options, under=under)

    async def staff_token(self, name: str) -> str:
        """A clerk's at the box with this card."""
        words = [console_script("hall-agent"), "staff", "token", "test", "--data", str(self.folder / name)]
        return (await run_to_end(words)).strip()

    async def kill_agent(self) -> None:
        self.agent.kill()
        await self._agents.aclose()
        self._agents = AsyncExitStack()

    async def start_controller(self) -> None:
        words = [*self._on_another_day, "controller.__main__", console_script("hall-controller"), "run"]
        words[2] = self.broken_centre + words[2]
        words += ["--data", str(self.folder / "centre"), "--port", "0"]
        env = {"HALL_CONTROLLER_BROKER": self.broker.url("controller"), **self.settings}
        self.controller = await self.programs.start(f"controller-{next(self._numbers)}", words, env=env)
        self.centre_url = await self.programs.ready(self.controller)

    async def restart(self, which: str) -> None:
        """`kill -9` and a new life."""
        if which == "agent":
            await self.kill_agent()
            await self.start_agent()
        elif which == "controller":
            self.controller.process.kill()
            await self.controller.process.wait()
            await self.start_controller()
        elif which == "broker":
            await self.broker.kill()
            await self.broker.start()

    @property
    def _on_another_day(self) -> tuple[str, ...]:
        return (sys.executable, "-c", ANOTHER_DAY, str(self.days))

    # -- people -----------------------------------------------------------------------------------------

    async def take(self, service: str = "social") -> str:
        request_id = f"take-{next(self._numbers)}"
        body = {"request_id": request_id, "service": service}
        answer = await self.http.post(f"{self.agent.url}/api/tickets", json=body)
        assert answer.status_code == 201, answer.text
        self.told[answer.json()["ticket_id"]] = answer.json()["label"]
        # It came from the hall itself, which forgets it with its day.
        self._checked.add(answer.json()["ticket_id"])
        return str(answer.json()["label"])

    async def call(self) -> None:
        body = {"request_id": f"call-{next(self._numbers)}", "finish_current": True}
        answer = await self.act("call-next", **body)
        assert answer.status_code == 200, answer.text

    async def act(self, action: str, **more: object) -> httpx2.Response:
        body = {"request_id": f"act-{next(self._numbers)}", **more}
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.post(f"{self.agent.url}/api/counters/1/{action}", json=body, headers=headers)

    async def order(self) -> None:
        """A citizen asks for a number over the centre."""
        headers = {**self.headers, "Idempotency-Key": f"order-{next(self._numbers)}"}
        body = {"service": "social", "channel": "web"}
        url = f"{self.centre_url}/api/halls/{HALL}/tickets"
        answer = await self.http.post(url, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        self.told[answer.json()["ticket_id"]] = answer.json()["label"]

    async def next_day(self) -> None:
        """Midnight passes at the hall."""
        before = (await self.state())["business_day"]
        await asyncio.to_thread(self.days.write_text, str(int(self.days.read_text()) + 1))
        await self.take()
        assert (await self.state())["business_day"] > before

    # -- what can be seen -------------------------------------------------------------------------------

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def state(self) -> dict[str, object]:
        return (await self.http.get(f"{self.agent.url}/api/state")).json()

    async def hall(self) -> dict[str, object]:
        return (await self.http.get(f"{self.centre_url}/api/halls/{HALL}", headers=self.headers)).json()

    async def agree(self, seconds: float = 20.0) -> None:
        """Both sides have the same picture, and nothing is under way."""
        box, centre = {}, {}
        try:
            async with asyncio.timeout(seconds):
                while True:
                    box, centre = await self.state(), await self.hall()
                    same = box["state_hash"] == centre["state_hash"] and box["uplink"]["unsynced"] == 0
                    if same and centre["stream"] == {
                        "id": box["stream"]["id"],
                        "applied": box["stream"]["last"],
                    }:
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            told = {"uplink": box.get("uplink"), "stream": box.get("stream"), "centre": centre.get("stream")}
            raise AssertionError(f"no agreement after {seconds} s: {told}") from None

    async def known(self, seconds: float = 20.0) -> None:
        """Every number that anybody was told is a ticket of the hall, those of an outage, too."""
        for ticket in self.told.keys() - self._checked:
            async with asyncio.timeout(seconds):
                while True:
                    if (await self.http.get(f"{self.agent.url}/api/tickets/{ticket}")).status_code == 200:
                        break
                    await asyncio.sleep(0.05)
            self._checked.add(ticket)

    async def facts(self, at: str, **params: str) -> list[dict[str, object]]:
        """All facts, as the box (`agent`) or the centre has them."""
        url = self.agent.url if at == "agent" else self.centre_url
        found: list[dict[str, object]] = []
        after = 0
        while True:
            asked = {"after": str(after), "limit": "500", **params}
            page = (await self.http.get(f"{url}/api/facts", params=asked, headers=self.headers)).json()
            rows = page["items"] if isinstance(page, dict) else page
            if not rows:
                return found
            found += rows
            after = rows[-1].get("id", rows[-1]["n"])


@asynccontextmanager
async def district(
    folder: Path,
    *options: str,
    ready: Callable[[], None] = lambda: None,
    settings: dict[str, str] | None = None,
    broken_centre: str = "",
) -> AsyncIterator[District]:
    """One hall with its centre, agreed and open for business. `settings` are the centre's, by variable."""
    ready()
    hall_file(folder / "hall.yaml")
    (folder / "days").write_text("0")
    controller, data = console_script("hall-controller"), str(folder / "centre")
    enrol = [controller, "hall", "add", HALL, "--name", "滨江街道", "--level", "street", "--data", data]
    await run_to_end(enrol)
    async with Programs(folder / "logs") as programs:
        broker = await open_broker(None, folder=folder / "broker", users=(HALL,), programs=programs)
        async with Relay("127.0.0.1", broker.port) as relay:
            made = District(folder, broker, relay, programs)
            made.options, made.settings, made.broken_centre = options, settings or {}, broken_centre
            made.key = (await run_to_end([controller, "key", "add", "test", "--data", data])).strip()
            made.token = await made.staff_token(made.box)
            try:
                await made.start_controller()
                await made.start_agent()
                await made.agree()
                yield made
            finally:
                await made.cable.heal()
                await made.kill_agent()
                await made.http.aclose()
