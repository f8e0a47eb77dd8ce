"""Composition root of the agent: builds everything and runs it in one TaskGroup."""

import asyncio
import contextlib
import logging
import random
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from importlib.metadata import version as installed_version

from ulid import ULID

from device_drivers import open_driver
from device_drivers.bus import BusPool, NamedScreens, Neighbours
from edge_agent.accounts import Accounts
from edge_agent.box_care import BoxCare, Kept, open_box
from edge_agent.devices import Devices
from edge_agent.hall import Hall
from edge_agent.journal import Journal
from edge_agent.override import Overrides
from edge_agent.self_tests import SelfTests, neighbour_of
from edge_agent.settings import AgentSettings, load_hall_file
from edge_agent.signed_time import SignedTime
from edge_agent.site import SiteFile
from edge_agent.slips import Slips
from edge_agent.uplink import Identity, Uplink
from edge_agent.web.app import web_app
from edge_agent.web.security import Guard
from edge_agent.web.view import View
from firmware_profiles import beside
from hall_core.clock import SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.devices.profile import Profile
from hall_core.errors import Refused, SettingsInvalid, StorageUnavailable
from hall_core.hosts import is_loopback
from hall_core.queueing.commands import ConfigureHall, GrantZone
from hall_core.queueing.queue import Queue
from hall_ui.serving import Server, bound

__all__ = ["run_agent"]

logger = logging.getLogger(__name__)

#: a box without any controller grants itself numbers for this long, again and again
STANDALONE_DAYS = 14


def new_id() -> str:
    """A fresh identifier: ULID, so that ids sort by time."""
    return str(ULID())


async def run_agent(settings: AgentSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises SettingsInvalid before anything has started."""
    clock = SystemClock(believed=settings.believe_clock)
    layout = load_hall_file(settings.hall)
    shelf = beside(settings.hall)
    profiles = {device.profile: shelf.load(device.profile) for device in layout.devices}
    accounts = Accounts(settings.accounts_file, clock)
    if not is_loopback(settings.host) and accounts.empty:
        msg = (
            f"host {settings.host} is reachable from other machines, but no staff account exists: "
            f"make one with `hall-agent staff add NAME --data {settings.data}`, or bind to 127.0.0.1"
        )
        raise SettingsInvalid(msg)
    kept = open_box(settings, layout.hall.hall, clock, new_id)
    try:
        with bound(settings.host, settings.port) as sock:
            await _Agent(settings, layout, profiles, accounts, kept, clock).run(sock)
    finally:
        kept.journal.close()


class _Agent:
    def __init__(
        self,
        settings: AgentSettings,
        layout: HallFile,
        profiles: dict[str, Profile],
        accounts: Accounts,
        kept: Kept,
        clock: SystemClock,
    ) -> None:
        self._settings, self._layout, self._clock = settings, layout, clock
        self._profiles, self._guard = profiles, Guard(accounts, layout.hall.hall)
        self._version = installed_version("quiethall")
        self._bell = kept.storage.bell
        self._hall = Hall(kept.journal, clock, layout.hall.tz, self._bell, kept.storage)
        self._care = BoxCare(self._hall, kept, settings, layout.hall.hall)
        self._screens = NamedScreens(clock, lambda: self._hall.journal.last)
        self._site = SiteFile(settings.data / "site.json", settings.public_url)
        name = layout.hall.hall
        self._slips = Slips(name, settings.data / "slip.key", lambda: self._site.site.slip_key)
        given = settings.override_key
        self._overrides = Overrides(
            self._hall, name, lambda: given or self._site.site.override_key, accounts.pepper
        )
        self._signed_time = self._telling(clock) if settings.time_url else None

    async def run(self, sock: socket.socket) -> None:
        """Serve until a signal comes; then stop intake first, links last."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, stop.set)
        async with self._devices() as devices, asyncio.TaskGroup() as tasks:
            uplink = self._uplink(devices)
            devices.notices.linked = lambda: bool(uplink and uplink.connected)
            devices.box, devices.signed = self._care.health.reports, self._slips.link
            devices.readers.slips = self._slips.read
            view = View(self._hall, devices, uplink, self._site, self._guard, self._bell)
            view.mirror, view.slips, view.overrides = self._care.mirror, self._slips, self._overrides
            tests = SelfTests(self._hall, devices, self._settings.data / "self-tests", new_id)
            app = web_app(view, new_id=new_id, version=self._version, screens=self._screens, tests=tests)
            server = Server(app, goodbye_s=1)
            running = [tasks.create_task(self._hall.run(), name="hall")]
            if self._signed_time:
                await self._signed_time.before_start()
                running.append(tasks.create_task(self._signed_time.run(), name="time"))
            await self._prepare()
            running.append(tasks.create_task(self._hall.keep_day(), name="hall.day"))
            running.append(tasks.create_task(self._care.run(), name="box"))
            running.append(tasks.create_task(devices.run(), name="devices"))
            running.append(tasks.create_task(tests.run(), name="self-tests"))
            if uplink:
                running.append(tasks.create_task(uplink.run(), name="uplink"))
            elif self._settings.standalone:
                running.append(tasks.create_task(self._renew(), name="hall.grant"))
            serving = tasks.create_task(server.serve(sockets=[sock]), name="web")
            await stop.wait()
            view.stopping = True
            self._bell.ring()
            server.should_exit = True
            await serving
            for task in running:
                task.cancel()

    @asynccontextmanager
    async def _devices(self) -> AsyncIterator[Devices]:
        around = Neighbours()
        async with BusPool(
            clock=self._clock,
            screens=self._screens,
            neighbours=around,
            broker_ca=self._settings.local_broker_ca,
        ) as buses:

            def opener(setup: DeviceSetup, profile: Profile) -> AbstractAsyncContextManager[Driver]:
                return open_driver(setup, profile, buses, self._clock)

            devices = Devices(
                self._hall,
                [(d, self._profiles[d.profile]) for d in self._layout.devices],
                opener,
                new_id=new_id,
                jitter=random.random,
                ticket_url=self._site.ticket_url,
                bell=self._bell,
            )
            around.look = neighbour_of(devices)
            yield devices

    def _telling(self, clock: SystemClock) -> SignedTime:
        told = SignedTime(
            clock,
            self._hall.time,
            url=self._settings.time_url,
            key=self._settings.time_key,
            jitter=random.random,
        )
        told.unused = lambda: self._hall.journal.gave_none
        self._care.health.watch("time", told.trouble)
        return told

    def _uplink(self, devices: Devices) -> Uplink | None:
        if self._settings.broker is None:
            return None
        who = Identity(self._settings.agent or self._layout.hall.hall, self._version)
        return Uplink(
            self._hall,
            devices,
            self._site,
            self._settings,
            who=who,
            jitter=random.random,
            bell=self._bell,
        )

    async def _prepare(self) -> None:
        """Bring the queue up to the hall file and the day."""
        if self._hall.queue.setup != self._layout.hall:
            try:
                await self._hall.handle(ConfigureHall(setup=self._layout.hall))
            except Refused as error:
                if self._hall.queue.setup is None:
                    raise
                # People wait for what the new file no longer has: the hall goes on as it was.
                logger.warning("hall file not applied, the hall keeps its set-up: %s", error)
        try:
            await self._hall.open_day()
            if self._settings.standalone:
                await self._grant()
        except StorageUnavailable:
            logger.warning("disk full: the day is opened when there is room")

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(3600)
            with contextlib.suppress(StorageUnavailable):
                await self._grant()

    async def _grant(self) -> None:
        """A zone for this box alone, while nobody else gives numbers: 0, or the next after a lost journal."""
        day, mine = self._hall.queue.day, self._hall.journal.stream
        assert day is not None
        last = max((g.last_day for g in self._hall.queue.grants if g.incarnation == mine), default=day)
        if last - day >= timedelta(days=STANDALONE_DAYS // 2):
            return
        grant = GrantZone(
            grant_id=new_id(),
            incarnation=mine,
            zone=_own_zone(self._hall.queue, self._hall.journal),
            first_day=day,
            last_day=day + timedelta(days=STANDALONE_DAYS),
        )
        await self._hall.handle(grant)


def _own_zone(queue: Queue, journal: Journal) -> int:
    """The zone this incarnation holds, else one that no earlier incarnation of this box can have held."""
    mine = [g.zone for g in queue.grants if g.incarnation == journal.stream]
    others = [g.zone for g in queue.grants if g.incarnation != journal.stream]
    return mine[-1] if mine else max(journal.replaced, 1 + max(others, default=-1))
