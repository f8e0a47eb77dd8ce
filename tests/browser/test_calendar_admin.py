"""The administrator's calendar, served by a real controller on a real database."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from controller.api.application import application
from controller.api.deps import Parts
from controller.store import calendar as calendar_store
from controller.use_cases.calendars import CalendarKeeper
from controller.use_cases.people import People, add_admin
from controller.web.live_services import LiveServices
from controller.web.pages import pages
from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from tests.browser.conftest import serving
from tests.browser.narrow import SMALL, look_narrow
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.controller.web import Link

OUT = Path(__file__).parent / "out"
SIZE = {"width": 1600, "height": 1100}


@dataclass
class Desk:
    """A controller with one hall that keeps the national days."""

    url: str
    centre: Centre
    password: str

    def said(self) -> list[tuple[str, date, str]]:
        """What stands in the database."""
        first, last = date(2026, 1, 1), date(2027, 12, 31)
        rows = self.centre.database.read_now(lambda tx: calendar_store.days_between(tx, first, last))
        return [(row["scope"], row["day"], row["body"]) for row in rows]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = FixedClock(datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    centre = Centre(f"sqlite:///{tmp_path / 'controller.db'}", tmp_path, clock)
    centre.enrol("haitang")
    box = Box(clock).open()
    assert box.queue.setup
    box.do(c.ConfigureHall(setup=box.queue.setup.model_copy(update={"holidays": "CN"})))

    async def told() -> None:
        await centre.meet(box)

    with ThreadPoolExecutor(1) as thread:  # the browser's loop counts as running in this one
        thread.submit(asyncio.run, told()).result(timeout=30)
    password = centre.database.write_now(lambda tx: add_admin(tx, "李主任", clock))
    people = People(centre.database, clock)
    parts = Parts(centre.context, people, Link(), centre.metrics)  # type: ignore[arg-type]
    with serving(application(parts, [pages(LiveServices(centre.context, people))])) as url:
        yield Desk(url, centre, password)
        centre.context.hub.close()
    centre.close()


@pytest.fixture
def page(desk: Desk, window: Any) -> Any:
    """The calendar, for an administrator whose browser runs no scripts."""
    page = window(SIZE, java_script_enabled=False)
    page.goto(f"{desk.url}/login?next=/calendar")
    page.fill("#user", "李主任")
    page.fill("#password", desk.password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{desk.url}/calendar")
    return page


def test_nobody_sets_a_day_without_a_login(desk: Desk, window: Any) -> None:
    page = window(SIZE)
    page.goto(f"{desk.url}/calendar")
    expect(page.locator("#password")).to_be_visible()


def test_a_year_shows_its_national_days_at_a_glance(desk: Desk, page: Any) -> None:
    expect(page.locator(".month")).to_have_count(12)
    national = page.locator("a[href*='day=2026-10-01']").first
    expect(national).to_have_class("closed")
    expect(national).to_have_attribute("title", re.compile("国庆节.*休息"))
    page.screenshot(path=OUT / "calendar.png")


def test_overtime_on_one_day_is_set_shown_and_taken_back(desk: Desk, page: Any) -> None:
    page.click("a[href*='day=2026-12-05']")
    page.select_option("#scope", "*")
    page.fill("#name", "延时服务")
    page.check("input[value=spans]")
    page.fill("input[name=spans]", "9:00-12:00 13:30至17:00")
    page.click("#day button")
    expect(page.locator("a[href*='day=2026-12-05']").first).to_have_class("own local chosen")
    expect(page.locator("section tr", has_text="延时服务")).to_contain_text("09:00-12:00，13:30-17:00")
    assert [(scope, day) for scope, day, _ in desk.said()] == [("*", date(2026, 12, 5))]
    page.screenshot(path=OUT / "calendar-set.png")
    page.check("input[value=remove]")
    page.click("#day button")
    expect(page.locator("section tr", has_text="延时服务")).to_have_count(0)
    assert desk.said() == []


def test_a_make_up_day_for_one_hall_works_like_a_friday(desk: Desk, page: Any) -> None:
    page.click("a[href*='day=2026-12-12']")
    page.select_option("#scope", "haitang")
    page.fill("#name", "补班")
    page.check("input[value=like]")
    page.select_option("select[name=like]", "fri")
    page.click("#day button")
    expect(page.locator("section tr", has_text="补班")).to_contain_text("上班，同周五")
    expect(page.locator("section tr", has_text="补班")).to_contain_text("本厅")


def test_hours_nobody_can_read_are_refused_and_nothing_is_stored(desk: Desk, page: Any) -> None:
    page.click("a[href*='day=2026-12-05']")
    page.fill("#name", "延时服务")
    page.check("input[value=spans]")
    page.fill("input[name=spans]", "nine to five")
    page.click("#day button")
    expect(page.locator(".refused")).to_be_visible()
    expect(page.locator("#name")).to_have_value("延时服务")
    assert desk.said() == []


def test_missing_make_up_days_of_next_year_stand_on_top(desk: Desk, page: Any) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, CalendarKeeper(desk.centre.context).look()).result(timeout=30)
    page.reload()
    expect(page.locator(".alarms")).to_contain_text("2027 年调休安排尚未导入")


def test_the_calendar_has_no_barriers_in_either_language(desk: Desk, page: Any, window: Any) -> None:
    other = window(SIZE)
    other.context.add_cookies(page.context.cookies())
    for lang in ("zh", "en"):
        other.goto(f"{desk.url}/calendar?lang={lang}&day=2026-10-01")
        found = Axe().run(other).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_the_calendar_fits_the_smallest_telephone(desk: Desk, page: Any, window: Any) -> None:
    small = window(SMALL)
    small.context.add_cookies(page.context.cookies())
    look_narrow(small, f"{desk.url}/calendar?day=2026-10-01")
