"""The demo's stage: broker, controller, three agents, their devices and the gateway, up and ready."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from hall_core.clock import Clock
from hall_core.devices.layout import HallFile
from simulators.broker import LOCAL, Broker, Kind, open_broker
from simulators.demo_accounts import ADMIN, CLERK, Logins, make_logins
from simulators.demo_doors import AgentDoor, ControllerDoor, NoAnswer, new_client
from simulators.demo_folder import Folder
from simulators.demo_halls import HALLS, DemoHall, hall_file, keypad_counters, write_hall_file
from simulators.demo_programs import Programs, console_script, free_port
from simulators.demo_servers import Served
from simulators.demo_table import Teller
from simulators.demo_town import Counter, HallDoors
from simulators.hall import SimulatedHall
from simulators.relay import Relay
from simulators.sms_gateway import Gateway
from simulators.wall import wall_app

__all__ = ["Ports", "Stage", "open_stage"]

_READY_S = 45.0
_LOOK_S = 0.2
#: whoever holds it may take the usual ports
_TOKEN_PORT = 8092
#: from the start until the draw of a new booking day opens, at least
DRAW_IN_S = 20
_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the web pages are: the usual ports when they are free, so that addresses stay the same."""

    controller: int
    halls: dict[str, int]
    wall: int
    gateway: int

    @classmethod
    def choose(cls, *, usual: bool) -> "Ports":
        """Free loopback ports."""
        wanted = {h.id: 8071 + n if usual else 0 for n, h in enumerate(HALLS)}
        return cls(
            controller=free_port(8080 if usual else 0),
            halls={hall: free_port(port) for hall, port in wanted.items()},
            wall=free_port(8090 if usual else 0),
            gateway=free_port(8091 if usual else 0),
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and how to reach it."""

    broker: Broker
    programs: Programs
    simulated: dict[str, SimulatedHall]
    doors: tuple[HallDoors, ...]
    controller: ControllerDoor
    gateway: Gateway
    relays: dict[str, Relay]
    #: what `demo.json` holds
    addresses: dict[str, Any]


@asynccontextmanager
async def open_stage(
    folder: Folder,
    *,
    wanted: Kind | None,
    usual_ports: bool,
    relayed: tuple[str, ...],
    clock: Clock,
    tell: Teller,
) -> AsyncIterator[Stage]:
    """Start everything; leaving stops everything. Raises ProgramDied and SettingsInvalid."""
    async with AsyncExitStack() as stack:
        programs = await stack.enter_async_context(Programs(folder.logs))
        await stack.enter_async_context(_watched(programs))
        users = tuple(hall.id for hall in HALLS)
        broker = await open_broker(wanted, folder=folder.broker, users=users, programs=programs)
        tell.say(broker.sentence)
        if not folder.remembered():
            tell.say("建立账号、登记大厅 …", "making accounts, enrolling halls …")
        logins = await make_logins(folder)
        ports = Ports.choose(usual=usual_ports and stack.enter_context(_first_here()))
        gateway_key = secrets.token_urlsafe(18)
        gateway = Gateway(gateway_key, clock)
        local = broker.url(LOCAL)
        where = {"local": local, "draw_at": _next_minute(clock)}
        files = {
            h.id: hall_file(h, folder.tty, folder.pepper(h.id), port=ports.halls[h.id], **where)
            for h in HALLS
        }
        simulated = {
            hall: await stack.enter_async_context(SimulatedHall(file, clock)) for hall, file in files.items()
        }
        wall = await stack.enter_async_context(Served(wall_app(simulated), ports.wall))
        sms = await stack.enter_async_context(Served(gateway.app, ports.gateway))
        relays = {hall: await stack.enter_async_context(Relay("127.0.0.1", broker.port)) for hall in relayed}
        client = await stack.enter_async_context(new_client())
        count = sum(len(hall.devices) for hall in simulated.values())
        tell.say(
            f"{count} 台模拟设备就绪，启动控制端和三个大厅 …", f"{count} devices; starting the programs …"
        )
        start = _Start(folder, programs, broker, ports, relays)
        for hall in HALLS:
            write_hall_file(files[hall.id], folder.hall_file(hall.id))
        controller_url, urls = await start.everything(sms.url, gateway_key)
        addresses = _addresses(urls, controller_url, broker, logins, sms.url, wall.url)
        doors = tuple(
            _doors(hall, AgentDoor(client, urls[hall.id], logins.staff_tokens[hall.id]), files, simulated)
            for hall in HALLS
        )
        await _all_ready(client, urls, tell)
        folder.remember(addresses)
        controller = ControllerDoor(client, controller_url, logins.api_key)
        yield Stage(broker, programs, simulated, doors, controller, gateway, relays, addresses)


def _next_minute(clock: Clock) -> str:
    """When the demo's draw opens: soon, on the halls' clock face, after all programs have started."""
    at = clock.now().astimezone(_ZONE) + timedelta(seconds=DRAW_IN_S + 60)
    return f"{at:%H:%M}"


@contextmanager
def _first_here() -> Iterator[bool]:
    """Whether no other demo of this machine has asked before and still runs.

    Two that begin together would both find the usual ports free and then fight for them.
    """
    with socket.socket() as token:
        try:
            token.bind(("127.0.0.1", _TOKEN_PORT))
        except OSError:
            yield False
        else:
            token.listen()
            yield True


@asynccontextmanager
async def _watched(programs: Programs) -> AsyncIterator[None]:
    """While entered the death of a program ends everything with ProgramDied."""
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(programs.watch(), name="watch programs")
        yield
        watch.cancel()


@dataclass(frozen=True, slots=True)
class _Start:
    folder: Folder
    programs: Programs
    broker: Broker
    ports: Ports
    relays: dict[str, Relay]

    async def everything(self, gateway_url: str, gateway_key: str) -> tuple[str, dict[str, str]]:
        """Start controller and agents side by side; the controller's address and the halls'."""
        async with asyncio.TaskGroup() as tasks:
            controller = tasks.create_task(self.controller(gateway_url, gateway_key), name="start controller")
            agents = {hall.id: tasks.create_task(self.agent(hall), name=f"start {hall.id}") for hall in HALLS}
        return controller.result(), {hall: task.result() for hall, task in agents.items()}

    async def controller(self, gateway_url: str, gateway_key: str) -> str:
        """Start the controller; its address."""
        url = f"http://127.0.0.1:{self.ports.controller}"
        argv = [console_script("hall-controller"), "run", "--data", str(self.folder.data("controller"))]
        argv += ["--port", str(self.ports.controller), "--public-url", url, "--gateway", gateway_url]
        # Secrets go by the environment: other users of the machine can read command lines.
        env = {
            "HALL_CONTROLLER_BROKER": self.broker.url("controller"),
            "HALL_CONTROLLER_GATEWAY_KEY": gateway_key,
            "HALL_CONTROLLER_MQTT": self._mqtt,
        }
        return await self.programs.ready(await self.programs.start("controller", argv, env=env))

    async def agent(self, hall: DemoHall) -> str:
        """Start a hall's agent; its address."""
        argv = [console_script("hall-agent"), "run", "--hall", str(self.folder.hall_file(hall.id))]
        argv += ["--data", str(self.folder.data(hall.id)), "--port", str(self.ports.halls[hall.id])]
        argv += ["--public-url", f"http://127.0.0.1:{self.ports.controller}"]
        relay = self.relays.get(hall.id)
        url = self.broker.url(hall.id, port=relay.port if relay else None)
        # Somebody watches: half a minute until a hall tries again would look like a failure.
        env = {"HALL_AGENT_BROKER": url, "HALL_AGENT_MQTT": self._mqtt, "HALL_AGENT_RECONNECT_S": "4"}
        return await self.programs.ready(await self.programs.start(f"agent-{hall.id}", argv, env=env))

    @property
    def _mqtt(self) -> str:
        """The embedded broker knows 3.1.1 only and leaves those who ask for 5 waiting."""
        return "3.1.1" if self.broker.kind == "embedded" else "auto"


def _doors(
    hall: DemoHall, agent: AgentDoor, files: dict[str, HallFile], simulated: dict[str, SimulatedHall]
) -> HallDoors:
    keypads = keypad_counters(files[hall.id])

    def press(keypad: str) -> Callable[[str], Awaitable[None]]:
        async def pressed(key: str) -> None:
            simulated[hall.id].devices[keypad].key(key)

        return pressed

    def touch(tablet: str) -> Callable[[int], bool]:
        def touched(score: int) -> bool:
            device = simulated[hall.id].devices[tablet]
            if not device.shows()["asking"]:
                return False
            device.key(f"rate-{score}")
            return True

        return touched

    tablets = {d.counter: d.name for d in files[hall.id].devices if d.profile == "rate.ws-tablet"}
    counters = tuple(
        Counter(
            str(n),
            services,
            press(keypads[str(n)]) if str(n) in keypads else None,
            touch(tablets[str(n)]) if str(n) in tablets else None,
        )
        for n, (services, _) in enumerate(hall.counters, 1)
    )
    return HallDoors(hall.id, agent, tuple(s.id for s in hall.services), counters, hall.arrivals)


async def _all_ready(client: httpx2.AsyncClient, urls: dict[str, str], tell: Teller) -> None:
    """Until every hall may give numbers, which needs a grant of the controller. Raises NoAnswer."""
    waiting = dict(urls)
    last: dict[str, str] = {}
    try:
        async with asyncio.timeout(_READY_S):
            while waiting:
                for hall, url in list(waiting.items()):
                    answer = await client.get(f"{url}/readyz")
                    last[hall] = answer.text
                    if answer.status_code == 200:
                        del waiting[hall]
                await asyncio.sleep(_LOOK_S if waiting else 0)
    except TimeoutError as error:
        said = "; ".join(f"{hall}: {last[hall]}" for hall in waiting)
        msg = f"not ready after {_READY_S:.0f} s: {said}"
        raise NoAnswer(msg) from error
    tell.say("三个大厅均可取号", "all halls give numbers")


def _addresses(
    urls: dict[str, str], controller: str, broker: Broker, logins: Logins, sms: str, wall: str
) -> dict[str, Any]:
    return {
        "controller": {
            "url": controller,
            "admin": {"user": ADMIN, "password": logins.admin_password},
            "api_key": logins.api_key,
        },
        "broker": {"url": broker.url("controller"), "kind": broker.kind},
        "sms_gateway": {"url": sms},
        "halls": [
            {
                "id": hall.id,
                "name": hall.name,
                "level": hall.level,
                "agent_url": urls[hall.id],
                "staff": {"user": CLERK, "password": logins.staff_passwords[hall.id]},
                "staff_token": logins.staff_tokens[hall.id],
                "wall_url": f"{wall}/halls/{hall.id}",
            }
            for hall in HALLS
        ],
    }
