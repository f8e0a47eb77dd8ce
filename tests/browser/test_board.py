"""The call board in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BOARD
from tests.browser.fake_hall import call

#: a refused stream is opened again after 5 s at most
AGAIN_MS = 15_000
#: parts that stick out of the card or row they stand in
OUTSIDE = """() => [...document.querySelectorAll('.card > *, .card li, .kv, .row > *')]
  .filter((e) => e.checkVisibility())
  .filter((e) => {
    const own = e.getBoundingClientRect();
    const around = e.parentElement.closest('.card, .row').getBoundingClientRect();
    return own.bottom > around.bottom + 1 || own.right > around.right + 1;
  }).map((e) => e.className || e.tagName)"""


def test_the_first_paint_is_complete_without_scripts(hall: Any, window: Any) -> None:
    page = window(BOARD, java_script_enabled=False)
    page.goto(f"{hall.url}/board")
    expect(page.locator("#calls .label")).to_have_text(["B032", "A018", "A017", "C005", "D011"])
    expect(page.locator("#services")).to_contain_text("社保医保12 人")
    expect(page.locator("#missed")).to_contain_text("A015")


def test_a_new_call_stands_first_and_changes_its_colour_three_times(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{hall.url}/board")
    hall.fake.add_call(call("A019", "c2", 0))
    first = page.locator("#calls .row").first
    expect(first.locator(".label")).to_have_text("A019")
    expect(first.locator(".place")).to_have_text("2 号窗口")
    told = first.evaluate(
        "e => { const s = getComputedStyle(e); return [s.animationIterationCount, s.animationDuration] }"
    )
    assert told == ["3", "1.8s"]
    expect(page.locator("#calls .row")).to_have_count(5)


def test_a_call_shown_before_does_not_blink_again(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{hall.url}/board")
    hall.fake.change(missed=["A001"])
    expect(page.locator("#missed")).to_have_text("A001")
    expect(page.locator(".blink")).to_have_count(0)


def test_a_recall_moves_up_and_says_so(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{hall.url}/board")
    hall.fake.add_call(call("A017", "c2", 0, call_no=2))
    first = page.locator("#calls .row").first
    expect(first.locator(".label")).to_have_text("A017")
    expect(first.locator(".again")).to_be_visible()
    expect(page.locator("#calls .label", has_text="A017")).to_have_count(1)


def test_yellow_ends_after_the_call(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.clock.install()
    page.goto(f"{hall.url}/board")
    hall.fake.add_call(call("A019", "c2", 0))
    row = page.locator("#calls .row").first
    expect(row).to_contain_class("new")
    page.clock.run_for(30_000)
    expect(row).not_to_contain_class("new")


def test_old_news_are_not_shown_as_current(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.clock.install()
    page.goto(f"{hall.url}/board")
    expect(page.locator("#bar")).to_be_hidden()
    hall.fake.silent = True
    page.route("**/board", lambda route: route.abort())  # a hall that is away serves no page to reload
    page.clock.fast_forward("00:20")
    expect(page.locator("body")).to_have_attribute("data-fresh", "quiet")
    expect(page.locator("#bar")).to_be_hidden()
    page.clock.fast_forward("00:50")
    expect(page.locator("#bar")).to_be_visible()
    expect(page.locator("#bar")).to_contain_text("信息更新中，以窗口叫号为准")
    expect(page.locator("#services")).to_be_visible()
    page.clock.fast_forward("04:30")
    expect(page.locator("body")).to_have_attribute("data-fresh", "dark")
    expect(page.locator("#services")).to_be_hidden()
    expect(page.locator("#calls time").first).to_be_visible()
    hall.fake.silent = False
    page.clock.run_for(10_000)
    expect(page.locator("#bar")).to_be_hidden(timeout=AGAIN_MS)
    expect(page.locator("#services")).to_be_visible()


def test_the_clock_is_the_halls_not_the_browsers(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.clock.install(time="2020-01-01T00:00:00")
    page.goto(f"{hall.url}/board")
    expect(page.locator("#clock")).to_have_text(hall.fake.state()["now"][11:16])


def test_at_night_the_board_tells_the_hours(hall: Any, window: Any) -> None:
    shut = [{**s, "open": False} for s in hall.fake.now_state["services"]]
    hall.fake.change(services=shut, calls=[])
    page = window(BOARD)
    page.goto(f"{hall.url}/board")
    expect(page.locator("#idle .hours")).to_contain_text("09:00-17:00")


@pytest.mark.parametrize("services", [8, 16])
@pytest.mark.parametrize("size", [BOARD, {"width": 1366, "height": 768}, {"width": 3840, "height": 2160}])
def test_the_board_fits_every_panel(hall: Any, window: Any, size: dict[str, int], services: int) -> None:
    rows = hall.fake.now_state["services"]
    hall.fake.change(
        services=[{**rows[0], "id": f"s{n}"} for n in range(services)],
        missed=[f"A{n:03}" for n in range(1, 9)],
    )
    page = window(size)
    page.goto(f"{hall.url}/board")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OUTSIDE) == []
    # Nor in any of the places the picture is moved to, so that nothing burns in.
    for step in "0123":
        page.evaluate("step => { document.body.dataset.shift = step }", step)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
