"""Somebody's relative, who is told when a call is not answered: asked for at the kiosk, seen on the console."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import KIOSK, PHONE

SOCIAL = "[data-service=social]"
HOLDER, RELATIVE = "138" + "0" * 8, "139" + "0" * 8


def type_number(page: Any, opens: str, dialog: str, number: str) -> None:
    page.click(opens)
    page.keyboard.type(number)
    page.click(f"{dialog} [data-key=done]")


def fits(page: Any) -> None:
    assert page.locator("#choose").evaluate(
        """part => {
          const end = document.querySelector('main').getBoundingClientRect().bottom;
          return [...part.querySelectorAll('*')].every((e) => e.getBoundingClientRect().bottom <= end + 1);
        }"""
    )


@pytest.mark.parametrize("variant", ["", "?size=large", "?lang=en", "?lang=en&size=large"])
def test_a_second_number_is_asked_for_after_the_first_and_only_with_consent(
    hall: Any, window: Any, variant: str
) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk{variant}")
    page.click(SOCIAL)
    page.clock.run_for(500)
    expect(page.locator("#relative-open")).to_be_hidden()
    type_number(page, "#phone-open", "#pad", HOLDER)
    fits(page)
    page.click("#relative-open")
    expect(page.locator("#relative-pad")).to_contain_text("agree" if "en" in variant else "同意")
    page.keyboard.type(RELATIVE)
    page.click("#relative-done")
    expect(page.locator("#relative-label")).to_have_text("139****0000")
    fits(page)
    page.click("#take")
    expect(page.locator("#t-label")).to_have_text("A019")
    [(_, wish)] = hall.fake.received
    assert (wish["phone"], wish["relative_phone"]) == (HOLDER, RELATIVE)


def test_whoever_takes_the_first_number_back_names_nobody(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk")
    page.click(SOCIAL)
    page.clock.run_for(500)
    type_number(page, "#phone-open", "#pad", HOLDER)
    type_number(page, "#relative-open", "#relative-pad", RELATIVE)
    page.click("#phone-open")
    page.click("#phone-drop")
    expect(page.locator("#relative-open")).to_be_hidden()
    page.click("#take")
    expect(page.locator("#t-label")).to_have_text("A019")
    assert "relative_phone" not in hall.fake.received[0][1]


def test_the_clerk_sees_how_loud_the_call_has_become(hall: Any, window: Any) -> None:
    hall.fake.about_ticket = {"escalated": ["again", "sms"]}
    page = window(PHONE)
    page.goto(f"{hall.url}/counter/c3")
    expect(page.locator(".hand")).to_contain_text("无人应答 · 已再次显示 · 已再发短信")


def test_the_board_shows_an_unanswered_call_anew(hall: Any, window: Any) -> None:
    page = window({"width": 1920, "height": 1080})
    page.goto(f"{hall.url}/board")
    row = page.locator(".row").filter(has_text="B032")
    expect(row.locator(".again")).to_be_hidden()
    calls = hall.fake.now_state["calls"]
    hall.fake.change(calls=[{**calls[0], "again": True}, *calls[1:]])
    expect(row.locator(".again")).to_be_visible()
