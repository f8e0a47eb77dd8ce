"""A box that cannot store sends people to the desk at once, and back when it can."""

from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import KIOSK


def test_the_kiosk_says_where_to_go_while_nothing_can_be_stored(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/kiosk")
    expect(page.locator("#lost")).to_be_hidden()
    hall.fake.change(storage="full")
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lost")).to_contain_text("请到咨询台取号")
    hall.fake.change(storage="ok")
    expect(page.locator("#lost")).to_be_hidden()


def test_a_kiosk_opened_meanwhile_says_so_in_its_first_paint(hall: Any, window: Any) -> None:
    hall.fake.change(storage="broken")
    page = window(KIOSK, java_script_enabled=False)
    page.goto(f"{hall.url}/kiosk")
    expect(page.locator("#lost")).to_be_visible()
