"""Whole ways of a citizen in a browser: a real controller, a real agent, the broker between, a message house."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import KIOSK, PHONE
from tests.browser.fair_scene import shot
from tests.browser.whole_town import ADMIN, CLERK, HALL, WholeTown, whole_town

DESK = {"width": 1280, "height": 900}
CONSOLE = {"width": 360, "height": 640}


pytestmark = pytest.mark.slow


@pytest.fixture
def town(tmp_path: Path) -> Iterator[WholeTown]:
    with whole_town(tmp_path) as town:
        yield town


@pytest.fixture
def clerk(town: WholeTown, window: Any) -> Any:
    """The console of counter 1, which is open."""
    page = window(CONSOLE)
    _log_in(page, town.hall_url, "/counter/1", CLERK, town.clerk_password)
    page.click("#a-open")
    expect(page.locator(".mode")).to_have_text("空闲")
    return page


def _log_in(page: Any, url: str, path: str, user: str, password: str) -> None:
    page.goto(f"{url}/login?next={path}")
    page.fill("#user", user)
    page.fill("#password", password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}{path}")


def _changes_to(town: WholeTown, citizen: Any, state: str, words: str) -> None:
    """The citizen does nothing: the page looks again by its own clock, which is put forward."""
    town.knows(citizen.url, state)
    citizen.clock.fast_forward("00:20")
    expect(citizen.locator(".state")).to_contain_text(words)


def _serve(clerk: Any) -> None:
    clerk.click("#a-start")
    clerk.click("#a-finish")
    expect(clerk.locator(".mode")).to_have_text("空闲")


def test_a_number_taken_at_home_is_told_called_and_rated(town: WholeTown, clerk: Any, window: Any) -> None:
    citizen, chief = window(PHONE), window(DESK)
    _log_in(chief, town.centre_url, "/ratings", ADMIN, town.admin_password)
    expect(chief.locator("#list tbody tr")).to_have_text("没有符合条件的评价")
    town.somebody_waits()

    citizen.clock.install()
    citizen.goto(f"{town.centre_url}/h/{HALL}")
    citizen.get_by_role("link", name="社保医保 现在取号").click()
    number = f"13{random.randrange(10**9):09d}"
    citizen.get_by_label("手机号（可不填）").fill(number)
    citizen.get_by_role("button", name="取号").click()
    citizen.wait_for_url("**/t/*")
    expect(citizen.locator(".label")).to_have_text("A002")
    expect(citizen.locator(".ahead")).to_contain_text("1")
    expect(citizen.locator(".range")).to_contain_text("分钟")
    shot(citizen, "journey-waiting")
    assert "A002" in town.message("confirmation")

    for label in ("A001", "A002"):
        clerk.click("#a-next")
        expect(clerk.locator(".hand .label")).to_have_text(label)
        if label == "A001":
            _serve(clerk)
    called = town.message("called")
    assert "A002" in called
    assert "1号窗口" in called
    _changes_to(town, citizen, "called", "请到 1号窗口")
    shot(citizen, "journey-called")
    shot(clerk, "journey-console")
    assert {row["to"] for row in town.house.messages} == {f"{number[:3]}****{number[-4:]}"}

    _serve(clerk)
    _changes_to(town, citizen, "finished", "已办结")
    citizen.get_by_role("button", name="非常满意").click()
    expect(citizen.locator(".rated")).to_contain_text("感谢您的评价")
    shot(citizen, "journey-rated")
    chief.reload()
    [row] = chief.locator("#list tbody tr").all()
    expect(row).to_contain_text("A002")
    expect(row).to_contain_text("非常满意")
    expect(row).to_contain_text("1号窗口")
    shot(chief, "journey-ratings")


def test_an_appointment_is_kept_while_the_line_is_cut(town: WholeTown, clerk: Any, window: Any) -> None:
    citizen, kiosk = window(PHONE), window(KIOSK)
    citizen.clock.install()
    citizen.goto(f"{town.centre_url}/h/{HALL}")
    citizen.get_by_role("link", name="社保医保 预约").click()
    citizen.locator(".slots a").first.click()
    expect(citizen.locator(".when")).to_contain_text("10:30–11:00")
    citizen.get_by_role("button", name="确定预约").click()
    citizen.wait_for_url("**/t/*")
    expect(citizen.locator(".state")).to_have_text("已预约")
    expect(citizen.locator(".qr svg")).to_be_visible()
    code = citizen.locator(".digits").inner_text().replace(" ", "")
    shot(citizen, "journey-booked")
    town.expected()

    town.cut()
    expect(clerk.locator(".link")).to_have_text("本厅离线运行")
    kiosk.goto(f"{town.hall_url}/kiosk")
    kiosk.click("#arrive")
    kiosk.keyboard.type(code)
    kiosk.click("#code-done")
    expect(kiosk.locator("#t-label")).to_have_text("A001")
    expect(kiosk.locator("#t-service")).to_have_text("社保医保")
    shot(kiosk, "journey-kiosk")
    clerk.click("#a-next")
    expect(clerk.locator(".hand .label")).to_have_text("A001")
    shot(clerk, "journey-console-offline")
    citizen.reload()
    expect(citizen.locator(".state")).to_have_text("已预约")

    town.heal()
    _changes_to(town, citizen, "called", "请到 1号窗口")
    expect(citizen.locator(".label")).to_have_text("A001")
    shot(citizen, "journey-healed")
    _serve(clerk)
    _changes_to(town, citizen, "finished", "已办结")
