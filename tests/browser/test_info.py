"""The city information screen in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BOARD, KIOSK
from tests.browser.test_everywhere import look
from tests.browser.test_kiosk import fits

SIZES = [BOARD, KIOSK]
VARIANTS = [
    "",
    "?service=social",
    "?lang=en&service=household",
    "?size=large&service=company",
    "?lang=en&size=large",
]
#: parts that stick out of the box they stand in, which would cut them off
CUT = """() => [...document.querySelectorAll('.tile > *, .tile .head > *, .cell > *, .card > *, .hours > *, .plain > *')]
  .filter((e) => e.checkVisibility() && !e.classList.contains('sr'))
  .filter((e) => {
    const own = e.getBoundingClientRect();
    const around = e.parentElement.closest('.tile, .cell, .card, .hours, .plain').getBoundingClientRect();
    return own.top < around.top - 1 || own.bottom > around.bottom + 1 || own.right > around.right + 1;
  }).map((e) => `${e.parentElement.className} ${e.textContent}`)"""


def test_the_first_paint_is_complete_without_scripts(hall: Any, window: Any) -> None:
    page = window(BOARD, java_script_enabled=False)
    page.goto(f"{hall.url}/info")
    social = page.locator("[data-service=social]")
    expect(social).to_contain_text("等候 12 人 · 约 25–40 分钟")
    expect(social).to_contain_text("办理窗口 1、2、3、4号窗口")
    expect(social).to_contain_text("正在办理")
    expect(page.locator("[data-service=marriage]")).to_contain_text("区民政局 3 楼办理")
    expect(page.locator(".hours")).to_contain_text("09:00-17:00")
    expect(page.locator("#about")).to_contain_text("本周六上午加开社保专场")
    expect(page.locator(".cell.paused")).to_contain_text("暂停")


def test_a_touch_shows_the_counters_of_a_service(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{hall.url}/info")
    expect(page.locator(".hit")).to_have_count(0)
    page.click("[data-service=household]")
    expect(page.locator("#about")).to_contain_text("居住证 迁移 证明")
    hits = page.locator(".hit")
    expect(hits).to_have_count(2)
    assert hits.evaluate_all("all => all.map((e) => e.dataset.counter)") == ["c1", "c2"]


def test_a_closed_counter_is_never_pointed_to(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{hall.url}/info?service=company")
    expect(page.locator("[data-counter=c6]")).not_to_contain_class("hit")
    expect(page.locator("[data-counter=c3]")).to_contain_class("hit")


def test_waits_and_counters_change_without_a_reload(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{hall.url}/info?service=social")
    page.evaluate("window.same = true")
    hall.fake.now_state["services"][0]["waiting"] = 13
    hall.fake.now_state["counters"][1]["state"] = "closed"
    hall.fake.change()
    expect(page.locator("[data-service=social]")).to_contain_text("等候 13 人")
    expect(page.locator("[data-counter=c2]")).to_contain_class("closed")
    assert page.evaluate("window.same")


def test_an_abandoned_page_goes_home(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.clock.install()
    page.goto(f"{hall.url}/info?lang=en&size=large&service=social")
    page.clock.run_for(40_000)
    assert "service=social" in page.url
    page.clock.run_for(6_000)
    page.wait_for_url(f"{hall.url}/info")
    expect(page.locator(".hit")).to_have_count(0)


def test_the_code_leads_to_the_public_page_and_is_missing_without_one(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{hall.url}/info")
    expect(page.locator(".code img")).to_have_attribute("src", "/hall-qr.svg")
    hall.fake.public_url, kept = "", hall.fake.public_url
    try:
        page.goto(f"{hall.url}/info")
        expect(page.locator(".code")).to_have_count(0)
    finally:
        hall.fake.public_url = kept


def test_a_shut_hall_tells_when_it_opens(hall: Any, window: Any) -> None:
    hall.fake.at = "2026-11-20T18:00:00+08:00"
    hall.fake.change(services=[{**s, "open": False} for s in hall.fake.now_state["services"]])
    page = window(BOARD)
    page.goto(f"{hall.url}/info")
    expect(page.locator(".hours")).to_contain_text("下次开放 星期一 09:00")


def test_old_news_are_said_to_be_old(hall: Any, window: Any) -> None:
    page = window(BOARD)
    page.clock.install()
    page.goto(f"{hall.url}/info")
    hall.fake.silent = True
    page.clock.fast_forward("01:30")
    expect(page.locator("#bar")).to_be_visible()
    page.clock.fast_forward("05:00")
    expect(page.locator(".tile .wait").first).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_no_serious_barrier_and_everything_fits(
    hall: Any, window: Any, size: dict[str, int], variant: str
) -> None:
    page = window(size)
    look(page, f"{hall.url}/info{variant}")
    fits(page)
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("variant", ["?", "?lang=en", "?size=large", "?lang=en&size=large"])
def test_a_large_hall_fits(hall: Any, window: Any, size: dict[str, int], variant: str) -> None:
    rows, counters = hall.fake.now_state["services"], hall.fake.now_state["counters"]
    hall.fake.change(
        services=[{**rows[n % 4], "id": f"s{n}"} for n in range(11)],
        counters=[
            {**counters[n % 5], "id": f"c{n}", "name": f"{n}号窗口", "services": ["s1"]} for n in range(33)
        ],
    )
    page = window(size)
    page.goto(f"{hall.url}/info{variant}&service=s1")
    fits(page)
    assert page.evaluate(CUT) == []
    page.click("#more")
    page.wait_for_url("**page=1")
    fits(page)
