import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from edge_agent.accounts import Accounts
from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.hall import Hall
from edge_agent.journal import Journal
from edge_agent.site import SiteFile
from edge_agent.web.security import Guard
from edge_agent.web.stream import _events, _News
from edge_agent.web.view import View
from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from hall_core.queueing.setup import CounterSetup, HallSetup, ServiceSetup
from hall_core.schedule.hours import Hours
from tests.loops import of_the_programs as pytest_asyncio_loop_factories  # noqa: F401 - a hook

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 23)
STREAM = "01KB0000000000000000000000"


def hall_setup(**changes):
    values = {
        "hall": "binjiang",
        "name": "滨江街道政务服务中心",
        "level": "street",
        "hours": Hours.always(),
        "services": (
            ServiceSetup(id="social", name="社保医保", prefix="A"),
            ServiceSetup(id="household", name="户籍证件", prefix="B"),
        ),
        "counters": (
            CounterSetup(id="1", name="1号窗口", services=("social",)),
            CounterSetup(id="2", name="2号窗口", services=("social", "household")),
        ),
    }
    return HallSetup(**{**values, **changes})


@pytest.fixture
def clock():
    return FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI))


@pytest.fixture
def setup():
    return hall_setup()


@pytest.fixture
def journal_path(tmp_path):
    return tmp_path / "journal.db"


def open_journal(path):
    return Journal.open(path, new_id=STREAM, stamp="20261123T020000")


@asynccontextmanager
async def running(path, clock, setup, *, granted=True) -> AsyncIterator[Hall]:
    """A hall with its writer, set up, with its day opened and numbers granted."""
    journal = open_journal(path)
    hall = Hall(journal, clock, setup.tz, Bell())
    try:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(hall.run(), name="hall")
            if hall.queue.setup is None:
                await hall.handle(c.ConfigureHall(setup=setup))
                await hall.handle(c.OpenBusinessDay(day=DAY))
                if granted:
                    await hall.handle(
                        c.GrantZone(
                            grant_id="g0",
                            incarnation=journal.stream,
                            zone=0,
                            first_day=DAY,
                            last_day=DAY + timedelta(days=14),
                        )
                    )
            try:
                yield hall
            finally:
                writer.cancel()
    finally:
        journal.close()


@pytest.fixture
async def hall(journal_path, clock, setup):
    async with running(journal_path, clock, setup) as hall:
        yield hall


@pytest.fixture
def new_id():
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


@pytest.fixture
def view(hall, tmp_path, clock, new_id):
    accounts = Accounts(tmp_path / "accounts.json", clock)
    site = SiteFile(tmp_path / "site.json", "http://hall.example")
    bell = hall.bell
    devices = Devices(
        hall,
        [],
        lambda setup, profile: pytest.fail("no devices here"),
        new_id=new_id,
        jitter=lambda: 0.0,
        ticket_url=site.ticket_url,
        bell=bell,
    )
    return View(hall, devices, None, site, Guard(accounts, "haitang"), bell)


def issue(n, service="social", **more):
    return c.IssueTicket(request_id=f"r{n}", ticket_id=f"t{n}", token=f"k{n}", service=service, **more)


async def heard_by_a_screen(view: View, after: int) -> AsyncIterator[str]:
    """What the hall's stream tells a screen that has the facts up to `after`."""
    async with aclosing(_events(view, after, _News(view))) as events:
        async for text in events:
            yield text.decode()
