"""A citizen's page, a hall for everybody, on a phone."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.fake_centre import TOKEN

MINE = f"/t/{TOKEN}"


def test_the_page_is_small(centre: Any, window: Any) -> None:
    page = window(PHONE)
    sizes: dict[str, int] = {}
    page.on("response", lambda r: sizes.update({r.url: len(r.body())}))
    page.goto(centre.url + MINE, wait_until="networkidle")
    assert 0 < sum(sizes.values()) <= 30 * 1024
    assert all(url.startswith(centre.url) for url in sizes)


def test_everything_is_said_without_scripts(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    expect(page.locator(".label")).to_have_text("A018")
    expect(page.locator(".ahead")).to_have_text("前面还有 12 位")
    expect(page.locator(".range")).to_have_text("约 25–40 分钟")
    expect(page.locator(".near")).to_have_text("请在 1、2、3、4号窗口 附近等候")
    expect(page.locator("meta[http-equiv=refresh]")).to_have_attribute("content", "20")


def test_cancelling_asks_first_and_needs_no_script(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    page.click("#cancel")
    assert centre.fake.acts == []
    page.get_by_role("button", name="确定取消").click()
    expect(page.locator(".state")).to_have_text("已取消")
    assert centre.fake.acts == [("cancel", TOKEN)]


def test_a_number_that_cannot_be_cancelled_says_why(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.goto(f"{centre.url}{MINE}?ask=cancel")
    centre.fake.mine["state"] = "serving"
    page.get_by_role("button", name="确定取消").click()
    expect(page.locator(".notice")).to_contain_text("不能执行「取消」")


def test_the_call_reaches_the_phone_by_itself(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.clock.install()
    page.goto(centre.url + MINE)
    centre.fake.mine.update(state="called", counter="c3", ahead=None)
    page.clock.run_for(21_000)
    expect(page.locator(".slip.called .state")).to_contain_text("请到 3号窗口")


def test_a_lost_connection_is_said_on_the_page(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.clock.install()
    page.goto(centre.url + MINE)
    expect(page.locator(".gone")).to_be_hidden()
    page.context.set_offline(offline=True)
    page.clock.run_for(21_000)
    expect(page.locator(".gone")).to_be_visible()
    page.context.set_offline(offline=False)
    page.clock.run_for(21_000)
    expect(page.locator(".gone")).to_be_hidden()


def test_old_figures_are_marked(centre: Any, window: Any) -> None:
    centre.fake.mine["stale"] = True
    page = window(PHONE)
    page.goto(centre.url + MINE)
    expect(page.locator(".notice")).to_contain_text("以现场叫号为准")


def test_large_type_is_kept(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.goto(centre.url + MINE)
    assert page.locator(".label").evaluate("e => getComputedStyle(e).fontSize") == "72px"
    page.get_by_role("link", name="大字版").click()
    page.goto(centre.url + MINE)
    assert page.locator(".label").evaluate("e => getComputedStyle(e).fontSize") == "100px"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_english_is_one_touch_away(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.goto(centre.url + MINE)
    page.get_by_role("link", name="English").click()
    expect(page.locator(".ahead")).to_have_text("12 ahead of you")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize(
    "state", ["waiting", "called", "serving", "held", "no-show", "finished", "cancelled", "lapsed"]
)
def test_every_state_has_its_sentence(centre: Any, window: Any, state: str) -> None:
    centre.fake.mine.update(state=state, counter="c3", ahead=5 if state == "waiting" else None)
    page = window(PHONE)
    page.goto(centre.url + MINE)
    expect(page.locator(".state")).not_to_be_empty()


def test_an_unknown_link_is_explained(centre: Any, window: Any) -> None:
    page = window(PHONE)
    answer = page.goto(f"{centre.url}/t/unknown")
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("找不到这个号码")


def test_a_hall_tells_everybody_its_waits(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}/h/binjiang")
    expect(page.locator(".services li").first).to_contain_text("等候 12 人")
    expect(page.locator(".services .shut")).to_contain_text("区民政局 3 楼办理")
