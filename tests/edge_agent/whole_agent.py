"""A hall's whole agent in this loop: queue, keepers, pages and API on a real port, with a clock of the test's."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn

import firmware_profiles
from device_drivers import open_driver
from device_drivers.bus import BusPool, NamedScreens, Neighbours
from edge_agent.accounts import Accounts
from edge_agent.devices import Devices
from edge_agent.hall import Hall
from edge_agent.keeper import DeviceKeeper
from edge_agent.override import Overrides
from edge_agent.self_tests import SelfTests, neighbour_of
from edge_agent.site import SiteFile
from edge_agent.web.app import web_app
from edge_agent.web.security import Guard
from edge_agent.web.view import View
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile, Timing
from tests.edge_agent.conftest import hall_setup, running

__all__ = ["WholeAgent", "whole_agent"]

#: how often keepers look at a device here, so that a test need not wait for them
PROBE_S = 0.05


@dataclass
class WholeAgent:
    """A running agent."""

    url: str
    clock: FixedClock
    hall: Hall
    devices: Devices
    screens: NamedScreens
    accounts: Accounts
    tests: SelfTests

    def keeper(self, name: str) -> DeviceKeeper:
        """The keeper of a device."""
        return next(k for k in self.devices.keepers if k.setup.name == name)

    async def until(self, truth: Callable[[], bool]) -> None:
        """Wait until it is true; asked when something is known anew, and again and again."""
        async with asyncio.timeout(60):
            while not truth():
                try:
                    async with asyncio.timeout(0.02):
                        await self.devices.bell.wait_past(self.devices.bell.count)
                except TimeoutError:
                    continue


@asynccontextmanager
async def whole_agent(
    folder: Path, clock: FixedClock, *devices: dict[str, Any], granted: bool = True, override_key: str = ""
) -> AsyncIterator[WholeAgent]:
    """The agent of a hall with these devices; they are probed often. `granted`: it holds numbers."""
    async with running(folder / "journal.db", clock, hall_setup(), granted=granted) as hall:
        screens = NamedScreens(clock, lambda: hall.journal.last)
        around = Neighbours()
        pool = BusPool(clock=clock, screens=screens, neighbours=around, pause=_pause(clock))
        async with pool as buses, asyncio.TaskGroup() as tasks:
            kept = _devices(hall, folder, buses, clock, devices)
            around.look = neighbour_of(kept)
            tests = SelfTests(hall, kept, folder / "self-tests", _ids("test"))
            accounts = Accounts(folder / "accounts.json", clock)
            site = SiteFile(folder / "site.json", "")
            view = View(hall, kept, None, site, Guard(accounts, "haitang"), hall.bell)
            view.overrides = Overrides(hall, hall_setup().hall, lambda: override_key, accounts.pepper)
            app = web_app(view, new_id=_ids(), version="test", screens=screens, tests=tests)
            sock = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(
                uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
            )
            keeping = tasks.create_task(kept.run(), name="devices")
            serving = tasks.create_task(server.serve(sockets=[sock]), name="web")
            url = f"http://127.0.0.1:{sock.getsockname()[1]}"
            try:
                yield WholeAgent(url, clock, hall, kept, screens, accounts, tests)
            finally:
                view.stopping = True
                hall.bell.ring()
                server.should_exit = True
                await serving
                keeping.cancel()


def _devices(
    hall: Hall, folder: Path, buses: BusPool, clock: FixedClock, devices: tuple[dict[str, Any], ...]
) -> Devices:
    setups = [DeviceSetup.model_validate(device) for device in devices]
    profiles = [firmware_profiles.load(setup.profile) for setup in setups]
    often = [p.model_copy(update={"timing": _timing(p)}) for p in profiles]
    return Devices(
        hall,
        list(zip(setups, often, strict=True)),
        lambda setup, profile: open_driver(setup, profile, buses, clock),
        new_id=_ids(),
        jitter=lambda: 0.0,
        ticket_url=SiteFile(folder / "site.json", "").ticket_url,
        bell=hall.bell,
    )


def _timing(profile: Profile) -> Timing:
    """Probed often; a busy machine is no silent device."""
    wire = {} if profile.family == "screen_web" else {"response_timeout_ms": 10_000}
    return profile.timing.model_copy(update={"probe_s": PROBE_S, **wire})


def _pause(clock: FixedClock) -> Callable[[float], Awaitable[None]]:
    """Pauses on a wire move the clock."""

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    return pause


def _ids(of: str = "id") -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{of}-{next(numbers)}"
