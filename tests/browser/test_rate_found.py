"""Rating a visit at the 24-hour terminal and at the ticket machine: the slip's code is scanned first."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.test_kiosk import fits
from tests.browser.test_readers import KIOSK, opened, reading

LINK = f"http://127.0.0.1:8080/t/{'k' * 26}"
OVER = {"state": "finished", "rating": None}


def scanned(hall: Any, window: Any, size: str = "normal", **about: Any) -> Any:
    hall.fake.about_ticket = {**OVER, **about}
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal?size={size}")
    page.keyboard.type(LINK)
    page.keyboard.press("Enter")
    expect(page.locator("#found .label")).to_have_text("B033")
    return page


def received(hall: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(what, {k: v for k, v in said.items() if k != "request_id"}) for what, said in hall.fake.received]


def test_one_touch_rates_a_scanned_visit(hall: Any, window: Any) -> None:
    page = scanned(hall, window)
    page.get_by_text("基本满意", exact=True).click()
    expect(page.locator(".rating .answer")).to_have_text("感谢您的评价")
    expect(page.locator(".rating .why")).to_be_hidden()
    expect(page.locator(".rating .levels")).to_be_hidden()
    assert received(hall) == [("ratings", {"ticket": "t-B033", "score": 3, "channel": "terminal"})]


def test_a_bad_rating_is_sent_at_once_and_its_reasons_after_it(hall: Any, window: Any) -> None:
    page = scanned(hall, window)
    page.click("[data-level='1']")
    for reason in ("sent-away", "other"):
        page.click(f"[data-why='{reason}']")
    assert [what for what, _ in received(hall)] == ["ratings"]
    page.click("[data-tell]")
    expect(page.locator(".rating .answer")).to_have_text("已记下您的意见")
    told = {"ticket": "t-B033", "counter": "c3", "reasons": ["sent-away", "other"]}
    assert received(hall)[1] == ("reason", told)


def test_a_refusal_is_said_in_its_own_words(hall: Any, window: Any) -> None:
    page = scanned(hall, window)
    hall.fake.refuse = {
        "type": "illegal-transition",
        "status": 409,
        "title": "B033 已评价",
        "detail": "rated",
    }
    page.click("[data-level='5']")
    expect(page.locator(".rating .answer")).to_have_text("B033 已评价")


def test_a_lost_answer_may_be_sent_again_under_the_same_id(hall: Any, window: Any) -> None:
    page = scanned(hall, window)
    lost: list[dict[str, Any]] = []

    def lose(route: Any) -> None:
        lost.append(route.request.post_data_json)
        route.abort()

    page.route("**/api/ratings", lose)
    page.click("[data-level='5']")
    expect(page.locator(".rating .answer")).to_have_text("评价没有送出")
    page.unroute("**/api/ratings")
    page.click("[data-level='5']")
    expect(page.locator(".rating .answer")).to_have_text("感谢您的评价")
    assert hall.fake.received == [("ratings", lost[0])]


@pytest.mark.parametrize("about", [{"rating": 4}, {"state": "serving"}])
def test_what_is_rated_or_not_over_is_not_asked_for(hall: Any, window: Any, about: dict[str, Any]) -> None:
    expect(scanned(hall, window, **about).locator(".rating")).to_have_count(0)


def test_whoever_only_types_a_label_rates_for_nobody(hall: Any, window: Any) -> None:
    hall.fake.about_ticket = OVER
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    page.keyboard.type("B032")
    page.keyboard.press("Enter")
    expect(page.locator("#found .label")).to_have_text("B032")
    expect(page.locator(".rating")).to_have_count(0)


def test_the_ticket_machine_rates_what_its_scanner_has_read(hall: Any, window: Any) -> None:
    hall.fake.about_ticket = OVER
    page = opened(hall, window)
    hall.fake.read.append(reading(result="found", ticket_id="t-A019", label="A019"))
    page.click("#read-found [data-level='2']")
    expect(page.locator("#read-found .why")).to_be_visible()
    assert received(hall) == [("ratings", {"ticket": "t-A019", "score": 2, "channel": "terminal"})]
    found = Axe().run(page)
    assert [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("size", ["normal", "large"])
def test_levels_and_reasons_fit_on_the_terminal(hall: Any, window: Any, size: str) -> None:
    page = scanned(hall, window, size)
    fits(page)
    page.click("[data-level='1']")
    expect(page.locator(".rating .why")).to_be_visible()
    for inside in ("#found .label", "#found .service", "[data-tell]"):
        expect(page.locator(inside)).to_be_in_viewport(ratio=1)
    fits(page)
    found = Axe().run(page)
    assert [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")] == []
