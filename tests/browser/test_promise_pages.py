"""Warnings, appeals and credits in a browser: what the citizen sees, and what the manager does about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hall_core.clock import FixedClock
from tests.browser.conftest import PHONE
from tests.browser.fair_scene import Town, shot, town_of
from tests.browser.narrow import SMALL, look_narrow
from tests.browser.test_everywhere import look
from tests.controller.promise_scene import REASON, a_phone, booking_hall, checked_in, keep, missed
from tests.controller.web import web_of

DESK = {"width": 1440, "height": 1000}


@pytest.fixture
def town(tmp_path: Path, clock: FixedClock) -> Iterator[Town]:
    with town_of(tmp_path, clock) as made:
        made.run(booking_hall(made.centre, made.box))
        yield made


def two_missed(town: Town) -> list[str]:
    """The links of two appointments somebody did not come to."""

    async def work() -> list[str]:
        async with web_of(town.centre, "li", "app") as web:
            phone, clock = a_phone(), town.centre.clock
            return [(await missed(web, town.centre, town.box, clock, phone))["token"] for _ in range(2)]

    return list(town.run(work()))


def kept_waiting(town: Town) -> str:
    """The link of somebody who was called too late."""

    async def work() -> str:
        async with web_of(town.centre, "wu", "phone") as web:
            clock = town.centre.clock
            made = await checked_in(web, town.centre, town.box, clock, a_phone())
            clock.advance(46 * 60)
            await town.centre.talk(town.box, town.box.report())
            await keep(town.centre)
            return str(made["token"])

    return str(town.run(work()))


def desk(town: Town, window: Any, path: str) -> Any:
    page = window(DESK, java_script_enabled=False)
    page.goto(town.url + "/login")
    page.locator("[name=user]").fill("chief")
    page.locator("[name=password]").fill(town.password)
    page.get_by_role("button").last.click()
    page.goto(town.url + path)
    return page


def test_a_pause_says_why_and_until_when_and_an_appeal_is_heard(town: Town, window: Any) -> None:
    _, last = two_missed(town)
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{town.url}/t/{last}")
    expect(page.locator("#standing")).to_contain_text("前暂停网上预约")
    expect(page.locator("#standing")).to_contain_text("30 天内有 2 天预约了没有来")
    shot(page, "promise-paused")
    page.get_by_role("link", name="申诉").click()
    page.get_by_label("请说明没有来的原因").fill(REASON)
    shot(page, "promise-appeal")
    page.get_by_role("button", name="提交申诉").dblclick()
    expect(page.locator("#standing")).to_contain_text("申诉已提交")
    expect(page.locator("#standing")).to_contain_text("可以照常预约")
    shot(page, "promise-suspended")
    manager = desk(town, window, "/appeals")
    expect(manager.locator("#waiting")).to_contain_text(REASON)
    shot(manager, "appeals-waiting")
    manager.get_by_label("给群众的答复").fill("情况属实，祝孩子早日康复。")
    manager.get_by_role("button", name="申诉成立").click()
    expect(manager.locator("#waiting")).to_contain_text("没有待处理的申诉")
    expect(manager.locator("tbody")).to_contain_text("成立")
    shot(manager, "appeals-decided")
    page.goto(f"{town.url}/t/{last}")
    expect(page.locator("main")).to_contain_text("这次不计爽约")
    expect(page.locator("main")).to_contain_text("祝孩子早日康复")


def test_the_first_time_is_a_warning(town: Town, window: Any) -> None:
    async def work() -> str:
        async with web_of(town.centre, "wu", "phone") as web:
            made = await missed(web, town.centre, town.box, town.centre.clock, a_phone())
            return str(made["token"])

    token = town.run(work())
    page = window(PHONE)
    page.goto(f"{town.url}/t/{token}")
    expect(page.locator("#standing")).to_contain_text("提醒：您预约了没有来")
    shot(page, "promise-warning")


def test_a_hall_that_was_late_says_so(town: Town, window: Any) -> None:
    token = kept_waiting(town)
    page = window(PHONE)
    page.goto(f"{town.url}/t/{token}")
    expect(page.locator("#credit")).to_contain_text("提前 10 分钟排队")
    shot(page, "promise-credit")


def test_pages_are_narrow_and_without_barriers(town: Town, window: Any) -> None:
    first, last = two_missed(town)
    credit = kept_waiting(town)
    for path in (f"/t/{first}", f"/t/{last}", f"/t/{last}?ask=appeal", f"/t/{credit}"):
        for choice in ("lang=zh", "lang=en&size=large"):
            page = window(PHONE)
            look(page, f"{town.url}{path}{'&' if '?' in path else '?'}{choice}")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            page.context.close()
    page = desk(town, window, "/appeals?lang=en")
    assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]


def test_appeals_are_decided_on_the_smallest_telephone(town: Town, window: Any) -> None:
    _, last = two_missed(town)
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{town.url}/t/{last}?ask=appeal")
    page.get_by_label("请说明没有来的原因").fill(REASON + "A" * 60)
    page.get_by_role("button", name="提交申诉").click()
    expect(page.locator("#standing")).to_contain_text("申诉已提交")
    manager = desk(town, window, "/appeals")
    small = window(SMALL)
    small.context.add_cookies(manager.context.cookies())
    look_narrow(small, f"{town.url}/appeals")
    manager.get_by_label("给群众的答复").fill("情况属实，祝孩子早日康复。")
    manager.get_by_role("button", name="申诉成立").click()
    expect(manager.locator("tbody")).to_contain_text("成立")
    look_narrow(small, f"{town.url}/appeals")
