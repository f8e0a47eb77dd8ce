"""The draw of a new day on a phone: without a script, from the booking page to the proof of the order."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hall_core.clock import FixedClock
from tests.browser.conftest import PHONE
from tests.browser.fair_scene import Town, shot, town_of
from tests.browser.test_everywhere import look as checked
from tests.controller.draw_scene import TO_OPENING, WINDOW, announced, draw_hall, enter, look

BOOK = "/h/haitang/book?service=household"


@pytest.fixture
def town(tmp_path: Path, clock: FixedClock) -> Iterator[Town]:
    with town_of(tmp_path, clock) as made:
        made.run(draw_hall(made.centre, made.box))
        yield made


def test_a_citizen_registers_waits_and_learns_the_outcome(town: Town, window: Any) -> None:
    draw = town.run(announced(town.centre))
    clock: Any = town.centre.clock
    page = window(PHONE, java_script_enabled=False)
    page.goto(town.url + BOOK)
    expect(page.get_by_text("将于 11月23日 周一 10:00–10:05 登记摇号")).to_be_visible()
    clock.advance(TO_OPENING)
    for _ in range(5):
        town.run(enter(town.centre, draw, 0, 1))
    page.goto(f"{town.url}{BOOK}&day={draw['day']}")
    page.get_by_label("第一志愿").select_option(index=1)
    page.get_by_label("第二志愿").select_option(index=2)
    shot(page, "draw-form")
    page.get_by_label("本人手机号").fill(f"13{random.randrange(10**9):09d}")
    page.get_by_role("button", name="登记").dblclick()
    expect(page.locator(".state")).to_have_text("已登记摇号")
    shot(page, "draw-registered")
    mine = page.url
    assert len(town.centre.rows("DRAW_ENTRIES")) == 6
    clock.advance(WINDOW)
    town.run(look(town.centre))
    page.goto(mine)
    outcome = page.locator(".state").inner_text()
    assert outcome in ("已预约", "候补中")
    page.goto(f"{town.url}/draws/{draw['draw_id']}")
    expect(page.get_by_text("已分配完毕")).to_be_visible()
    expect(page.get_by_text("6 人登记")).to_be_visible()
    page.locator(".passed summary").click()
    shot(page, "draw-proof")


def test_pages_of_a_draw_are_narrow_and_without_barriers(town: Town, window: Any) -> None:
    draw = town.run(announced(town.centre))
    town.centre.clock.advance(TO_OPENING)  # type: ignore[attr-defined]
    links = [town.run(enter(town.centre, draw, 0)).registration["token"] for _ in range(3)]
    paths = [f"{BOOK}&day={draw['day']}", f"/t/{links[0]}", f"/t/{links[0]}?ask=cancel"]
    for path in [*paths, f"/draws/{draw['draw_id']}"]:
        _narrow(window, f"{town.url}{path}")
    town.centre.clock.advance(WINDOW)  # type: ignore[attr-defined]
    town.run(look(town.centre))
    last = max(town.centre.rows("DRAW_ENTRIES"), key=lambda row: row["rank"])
    for path in (f"/t/{last['token']}", f"/draws/{draw['draw_id']}"):
        _narrow(window, f"{town.url}{path}")
    page = window(PHONE)
    page.goto(f"{town.url}/t/{last['token']}")
    shot(page, "draw-waiting")


def allotted(town: Town) -> tuple[dict[str, Any], list[str]]:
    """Three people drawn; their links."""
    draw = town.run(announced(town.centre))
    town.centre.clock.advance(TO_OPENING)  # type: ignore[attr-defined]
    links = [town.run(enter(town.centre, draw, 0)).registration["token"] for _ in range(3)]
    town.centre.clock.advance(WINDOW)  # type: ignore[attr-defined]
    town.run(look(town.centre))
    return draw, links


def test_everybody_gets_from_their_own_page_to_their_checked_place(town: Town, window: Any) -> None:
    _, links = allotted(town)
    page = window(PHONE)
    places = []
    for link in links:
        page.goto(f"{town.url}/t/{link}")
        page.get_by_role("link", name="核对我的摇号位置").click()
        told = page.locator(".rated").inner_text()
        places.append(int(told.removeprefix("您排在第 ").removesuffix(" 位，共 3 人")))
        expect(page.locator("#checked")).to_contain_text("种子没有换过，3 个编号的顺序与公布的一致")
        expect(page.locator("#checked")).to_contain_text(f"您的编号算出来也是第 {places[-1]} 位")
    assert sorted(places) == [1, 2, 3]
    shot(page, "draw-place")
    page.get_by_label("您的登记编号").fill("nobody")
    page.get_by_role("button", name="查我的位置").click()
    expect(page.locator(".notice")).to_contain_text("没有这个编号")


@pytest.mark.parametrize("wrong", ["seed", "commitment", "order"])
def test_the_visitors_own_browser_says_when_a_draw_is_not_the_promised_one(
    town: Town, window: Any, wrong: str
) -> None:
    draw, _ = allotted(town)
    page = window(PHONE)

    def changed(route: Any) -> None:
        answer = route.fetch()
        shown = answer.json()
        was = shown[wrong]
        shown[wrong] = was[::-1] if wrong == "order" else "00" * 32
        route.fulfill(response=answer, json=shown)

    page.route("**/api/public/draws/*", changed)
    page.goto(f"{town.url}/draws/{draw['draw_id']}")
    expect(page.locator("#checked.wrong")).to_contain_text("与公布的不一致")


def test_without_scripts_the_place_is_told_and_how_to_check_it(town: Town, window: Any) -> None:
    draw, links = allotted(town)
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{town.url}/t/{links[0]}?lang=en")
    page.get_by_role("link", name="Check my place").click()
    expect(page.locator(".rated")).to_contain_text("of 3")
    expect(page.locator("#checked")).to_contain_text("below is how to do it")
    page.locator(".proof summary").first.click()
    expect(page.locator("code", has_text="draw verify")).to_contain_text(f"/draws/{draw['draw_id']}")


def _narrow(window: Any, url: str) -> None:
    for choice in ("lang=zh", "lang=en&size=large"):
        page = window(PHONE)
        checked(page, f"{url}{'&' if '?' in url else '?'}{choice}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], url
        page.context.close()
