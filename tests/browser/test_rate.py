"""The rating tablet of a counter in a real browser."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tests.browser.fake_hall import call, counter, hall_app, stamp
from tests.browser.test_everywhere import look
from tests.browser.test_kiosk import fits

TABLET = {"width": 1280, "height": 800}
LEVELS = ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]


def serve(hall: Any, label: str, ticket_state: str = "serving") -> None:
    others = hall.fake.now_state["counters"][1:]
    hall.fake.change(counters=[counter(1, ticket=label, ticket_state=ticket_state), *others])


def finish(hall: Any, label: str, seconds_ago: float) -> None:
    hall.fake.ended[f"t-{label}"] = stamp(seconds_ago)
    hall.fake.add_call(call(label, "c1", 300, state="finished"))
    hall.fake.change(counters=[counter(1), *hall.fake.now_state["counters"][1:]])


def test_the_first_paint_names_the_ticket_and_five_levels(hall: Any, window: Any) -> None:
    page = window(TABLET, java_script_enabled=False)
    page.goto(f"{hall.url}/rate/c1")
    expect(page.locator(".ask h2")).to_contain_text("A018 请评价本次服务")
    expect(page.locator(".levels b")).to_have_text(LEVELS)
    expect(page.locator(".levels .face")).to_have_count(5)


@pytest.mark.parametrize(("score", "level"), list(zip((5, 4, 3, 2, 1), LEVELS, strict=True)))
def test_one_touch_sends_the_level(hall: Any, window: Any, score: int, level: str) -> None:
    page = window(TABLET)
    page.goto(f"{hall.url}/rate/c1")
    page.get_by_text(level, exact=True).click()
    expect(page.locator("#thanks")).to_be_visible()
    [(what, wish)] = hall.fake.received
    assert what == "ratings"
    assert re.fullmatch(r"[0-9a-f]{32}", wish.pop("request_id"))
    assert wish == {"counter": "c1", "score": score}


def test_thanks_stay_four_seconds_and_the_visit_is_not_asked_for_again(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.clock.install()
    page.goto(f"{hall.url}/rate/c1")
    page.click("[data-score='5']")
    expect(page.locator("#thanks")).to_contain_text("A018")
    expect(page.locator("#why")).to_be_hidden()
    page.clock.run_for(2_500)
    expect(page.locator("#thanks")).to_be_visible()
    page.clock.run_for(2_500)
    expect(page.locator(".idle")).to_contain_text("1 号窗口")
    expect(page.locator(".ask")).to_be_hidden()
    page.clock.run_for(30_000)
    expect(page.locator(".ask")).to_be_hidden()


def test_the_next_citizen_is_asked_again(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.clock.install()
    page.goto(f"{hall.url}/rate/c1")
    page.click("[data-score='4']")
    expect(page.locator("#thanks")).to_be_visible()
    serve(hall, "A019")
    page.clock.run_for(6_000)
    expect(page.locator(".ask h2")).to_contain_text("A019")


def test_a_bad_rating_is_sent_before_its_reason(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.goto(f"{hall.url}/rate/c1")
    page.click("[data-score='1']")
    expect(page.locator("#why")).to_be_visible()
    assert [what for what, _ in hall.fake.received] == ["ratings"]
    expect(page.locator("#send")).to_be_disabled()
    for reason in ("slow", "other", "system", "other"):
        page.click(f"[data-reason='{reason}']")
    page.click("#send")
    expect(page.locator("#heard")).to_be_visible()
    what, said = hall.fake.received[1]
    said.pop("request_id")
    assert (what, said) == ("reason", {"counter": "c1", "ticket": "t-A018", "reasons": ["slow", "system"]})


def test_what_was_ticked_and_not_sent_is_sent_when_the_time_is_over(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.clock.install()
    page.goto(f"{hall.url}/rate/c1")
    page.click("[data-score='2']")
    page.click("[data-reason='waited']")
    page.clock.run_for(14_000)
    assert [what for what, _ in hall.fake.received] == ["ratings"]
    page.clock.run_for(3_000)
    expect(page.locator("#heard")).to_be_visible()
    assert hall.fake.received[1][1]["reasons"] == ["waited"]
    page.clock.run_for(5_000)
    expect(page.locator(".idle")).to_be_visible()


def test_a_hall_that_keeps_no_reasons_asks_for_none(hall: Any, window: Any) -> None:
    with serving(hall_app(hall.fake, reasons=False)) as url:
        page = window(TABLET)
        page.goto(f"{url}/rate/c1")
        page.click("[data-score='1']")
        expect(page.locator("#thanks")).to_be_visible()
        expect(page.locator("[data-reason]")).to_have_count(0)
        hall.fake.silent = True


def test_a_refusal_is_said_in_its_own_words_and_not_repeated(hall: Any, window: Any) -> None:
    hall.fake.refuse = {
        "type": "illegal-transition",
        "status": 409,
        "title": "A018 已评价",
        "detail": "A018 is rated",
    }
    page = window(TABLET)
    page.clock.install()
    page.goto(f"{hall.url}/rate/c1")
    page.click("[data-score='5']")
    expect(page.locator("#sorry-zh")).to_have_text("A018 已评价")
    page.clock.run_for(6_000)
    expect(page.locator(".idle")).to_be_visible()


def test_a_lost_answer_is_asked_for_again_under_the_same_id(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.clock.install()
    lost: list[dict[str, Any]] = []

    def lose(route: Any) -> None:
        lost.append(route.request.post_data_json)
        route.abort()

    page.route("**/api/ratings", lose)
    page.goto(f"{hall.url}/rate/c1")
    page.click("[data-score='5']")
    expect(page.locator("#sorry-zh")).to_have_text("请再试一次")
    page.unroute("**/api/ratings")
    page.clock.run_for(6_000)
    page.click("[data-score='5']")
    expect(page.locator("#thanks")).to_be_visible()
    assert hall.fake.received == [("ratings", lost[0])]


def test_a_visit_that_has_just_ended_is_still_asked_for(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.goto(f"{hall.url}/rate/c2")
    expect(page.locator(".ask")).to_be_hidden()
    finish(hall, "A020", 5)
    page.goto(f"{hall.url}/rate/c1")
    expect(page.locator(".ask h2")).to_contain_text("A020")


def test_a_visit_that_ended_long_ago_or_was_rated_elsewhere_is_not(hall: Any, window: Any) -> None:
    finish(hall, "A020", 600)
    page = window(TABLET)
    page.goto(f"{hall.url}/rate/c1")
    expect(page.locator(".idle")).to_be_visible()
    serve(hall, "A018")
    hall.fake.about_ticket = {"rating": 5}
    page.goto(f"{hall.url}/rate/c1")
    expect(page.locator(".idle")).to_be_visible()


def test_the_visit_comes_to_the_screen_without_a_reload(hall: Any, window: Any) -> None:
    serve(hall, "A019", "called")
    page = window(TABLET)
    page.goto(f"{hall.url}/rate/c1")
    expect(page.locator(".idle")).to_be_visible()
    serve(hall, "A019")
    expect(page.locator(".ask h2")).to_contain_text("A019")


def test_a_paused_counter_says_so_and_an_unknown_one_is_not_found(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.goto(f"{hall.url}/rate/c4")
    expect(page.locator(".shut")).to_contain_text("窗口暂停服务")
    assert page.request.get(f"{hall.url}/rate/nowhere").status == 404


def test_a_silent_agent_is_said(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.clock.install()
    page.goto(f"{hall.url}/rate/c1")
    hall.fake.silent = True
    page.clock.fast_forward("01:30")
    expect(page.locator("#lost")).to_contain_text("评价暂不可用")


@pytest.mark.parametrize("place", ["c1", "c2", "c4"])
def test_no_serious_barrier_and_everything_fits(hall: Any, window: Any, place: str) -> None:
    page = window(TABLET)
    look(page, f"{hall.url}/rate/{place}")
    fits(page)


def test_the_chips_have_no_serious_barrier_and_fit(hall: Any, window: Any) -> None:
    page = window(TABLET)
    page.goto(f"{hall.url}/rate/c1")
    page.click("[data-score='2']")
    expect(page.locator("#why")).to_be_visible()
    fits(page)
    for inside in ("#t-text", "#send"):
        expect(page.locator(inside)).to_be_in_viewport(ratio=1)
    found = Axe().run(page)
    assert [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")] == []
