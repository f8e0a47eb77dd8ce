"""From the list of halls to the rating, in a browser without scripts, on the real rules and a real database."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from controller.api.application import application
from controller.api.deps import Parts
from controller.use_cases.people import People
from controller.web.live_services import LiveServices
from controller.web.pages import pages
from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from hall_core.schedule.slots import SlotPlan
from tests.browser.conftest import serving
from tests.controller.box import Box, hall_setup
from tests.controller.centre import Centre
from tests.controller.web import Link

PHONE = {"width": 390, "height": 844}


class Town:
    """A controller and the box of its hall, which speak with each other beside every request."""

    def __init__(self, folder: Path, clock: FixedClock) -> None:
        self.clock = clock
        self.centre = Centre(f"sqlite:///{folder / 'controller.db'}", folder, clock)
        self.centre.enrol()
        self.box = Box(clock).open()
        household, tax = hall_setup().services
        booking = household.model_copy(update={"appointments": SlotPlan(places=2, days_ahead=3)})
        self.box.do(c.ConfigureHall(setup=hall_setup().model_copy(update={"services": (booking, tax)})))
        self.box.do(c.OpenCounter(counter="1"))
        people = People(self.centre.database, clock)
        parts = Parts(self.centre.context, people, Link(), self.centre.metrics)  # type: ignore[arg-type]
        self._app = application(parts, [pages(LiveServices(self.centre.context, people))])
        self._talking: asyncio.Task[None] | None = None
        self._quiet = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._talking is None:
            await self.centre.meet(self.box)
            self._talking = asyncio.create_task(self._answer(), name="hall")
        async with self._quiet:
            await self.centre.talk(self.box, self.box.state(), self.box.report())
        await self._app(scope, receive, send)

    async def _answer(self) -> None:
        while True:
            await self.centre.context.sender.bell.heard(30)
            async with self._quiet:
                await self.centre.talk(self.box)


@pytest.fixture
def town(tmp_path: Path, clock: FixedClock) -> Iterator[tuple[Town, str]]:
    made = Town(tmp_path, clock)
    with serving(made) as url:  # type: ignore[arg-type]
        yield made, url
    made.centre.close()


def test_from_the_list_of_halls_to_the_rating(town: tuple[Town, str], window: Any) -> None:
    made, url = town
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{url}/near")
    page.get_by_role("link", name="户籍业务").click()
    page.get_by_role("link", name="预约").click()
    page.locator(".slots a").first.click()
    page.get_by_role("button", name="确定预约").dblclick()
    expect(page.locator(".state")).to_have_text("已预约")
    booked = made.centre.one("APPOINTMENTS")
    made.clock.advance((booked["starts_at"] - made.clock.now()).total_seconds() - 300)
    page.reload()
    page.get_by_role("button", name="我到了，签到").dblclick()
    expect(page.locator(".label")).to_have_text("A001")
    expect(page.locator(".ahead")).to_have_text("您是下一位")
    made.box.call()
    page.reload()
    expect(page.locator(".state")).to_contain_text("请到 1号窗口")
    made.box.do(c.Start(counter="1"))
    made.box.do(c.Finish(counter="1"))
    page.reload()
    page.get_by_role("button", name="非常满意").dblclick()
    expect(page.locator(".rated")).to_contain_text("感谢您的评价")
    assert (made.centre.one("RATINGS")["score"], len(made.centre.rows("TICKETS"))) == (5, 1)


def test_a_double_click_takes_one_number(town: tuple[Town, str], window: Any) -> None:
    made, url = town
    for scripts in (True, False):
        page = window(PHONE, java_script_enabled=scripts)
        page.goto(f"{url}/h/haitang/take?service=household")
        page.get_by_role("button", name="取号").dblclick()
        expect(page.locator(".label")).to_be_visible()
        page.reload()
    assert len(made.box.queue.tickets) == len(made.centre.rows("TICKETS")) == 2
