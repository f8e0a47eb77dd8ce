"""One number for several services, chosen at the ticket machine, followed on the console and the terminal."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import KIOSK, PHONE

SOCIAL, HOUSEHOLD = "[data-service=social]", "[data-service=household]"
VARIANTS = ["", "?size=large", "?lang=en", "?lang=en&size=large"]


def test_several_tiles_give_one_number(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk")
    page.click("#several")
    expect(page.locator("#heading")).to_contain_text("最多 5 件")
    expect(page.locator("#several-go")).to_be_disabled()
    page.click(HOUSEHOLD)
    page.click(SOCIAL)
    page.click("[data-service=general]")
    page.click("[data-service=general]")
    expect(page.locator(HOUSEHOLD)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-service=general]")).to_have_attribute("aria-pressed", "false")
    page.click("#several-go:has-text('2 件')")
    expect(page.locator("#c-name")).to_have_text("户籍证件、社保医保")
    page.clock.run_for(500)
    page.click("#take")
    expect(page.locator("#t-label")).to_have_text("A019")
    expect(page.locator("#t-service")).to_have_text("户籍证件")
    expect(page.locator("#t-then")).to_have_text("办完接着办：社保医保")
    [(_, wish)] = hall.fake.received
    wish.pop("request_id")
    assert wish == {"services": ["household", "social"], "channel": "kiosk"}


def test_one_tile_chosen_among_several_is_an_ordinary_number(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk")
    page.click("#several")
    page.click(SOCIAL)
    page.click("#several-go")
    page.clock.run_for(500)
    page.click("#take")
    expect(page.locator("#t-then")).to_be_hidden()
    assert hall.fake.received[0][1]["service"] == "social"


def test_whoever_changes_their_mind_touches_one_tile_again(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/kiosk")
    page.click("#several")
    page.click(SOCIAL)
    page.click("#several")
    expect(page.locator("#several-go")).to_be_hidden()
    page.click(SOCIAL)
    expect(page.locator("#choose")).to_be_visible()


@pytest.mark.parametrize("variant", VARIANTS)
def test_choosing_several_fits_the_screen_in_every_language_and_size(
    hall: Any, window: Any, variant: str
) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/kiosk{variant}")
    page.click("#several")
    for tile in page.locator(".tiles:not([hidden]) .tile[data-service]:not([disabled])").all():
        tile.click()
    for part in ("body", "#menu", "#several-bar", "#several", "#several-go", "header"):
        cut = page.locator(part).evaluate(
            "e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1"
        )
        assert not cut, part
    for tile in page.locator(".tiles:not([hidden]) .tile").all():
        assert tile.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), tile.inner_text()


def test_the_clerk_sees_what_comes_next_for_whoever_is_here_and_who_was_sent_on(
    hall: Any, window: Any
) -> None:
    hall.fake.about_ticket = {"visits": ["household"]}
    page = window(PHONE)
    page.goto(f"{hall.url}/counter/c1")
    expect(page.locator(".hand .about")).to_contain_text("接着办：户籍证件")
    hall.fake.sent_on = {"label": "A018", "service": "household"}
    page.goto(f"{hall.url}/counter/c2")
    expect(page.locator(".hand")).to_contain_text("A018 接着办：户籍证件")


def test_the_terminal_tells_the_holder_what_comes_after(hall: Any, window: Any) -> None:
    hall.fake.about_ticket = {"visits": ["household"], "ahead": 2}
    page = window(KIOSK)
    page.goto(f"{hall.url}/found/t-A019")
    expect(page.locator("body")).to_contain_text("办完接着办：户籍证件")
