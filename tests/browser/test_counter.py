"""The clerk's console in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

STRIP = {"width": 360, "height": 640}


def serve(hall: Any, index: int, **changes: Any) -> None:
    hall.fake.now_state["counters"][index].update(changes)
    hall.fake.change()


@pytest.mark.parametrize(
    ("counter", "key", "action"),
    [
        ("c2", "Space", "call-next"),
        ("c2", "F9", "call-next"),
        ("c3", "Space", "start"),
        ("c3", "r", "recall"),
        ("c3", "m", "no-show"),
        ("c3", "H", "hold"),
        ("c1", "Space", "finish"),
        ("c4", "Space", "resume"),
        ("c6", "Space", "open"),
    ],
)
def test_each_key_is_one_wish(hall: Any, window: Any, counter: str, key: str, action: str) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/{counter}")
    with page.expect_response(f"**/api/counters/{counter}/{action}"):
        page.keyboard.press(key)
    [(told, wish)] = hall.fake.received
    assert told == action
    assert len(wish["request_id"]) == 32


def test_a_key_that_means_nothing_now_does_nothing(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    for key in ("r", "m", "h"):
        page.keyboard.press(key)
    with page.expect_response("**/call-next"):
        page.keyboard.press("Space")
    assert [action for action, _ in hall.fake.received] == ["call-next"]


def test_a_double_click_is_one_call(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    with page.expect_response("**/call-next"):
        page.dblclick("#a-next", delay=0)
    assert [action for action, _ in hall.fake.received] == ["call-next"]


def test_a_transfer_asks_where_to(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c3")
    page.keyboard.press("t")
    with page.expect_response("**/transfer"):
        page.click("#m-transfer [data-service=household]")
    assert hall.fake.received[0][1]["to_service"] == "household"


def test_a_pause_carries_its_reason(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    page.click("#a-pause")
    with page.expect_response("**/pause"):
        page.get_by_role("button", name="午休").click()
    assert hall.fake.received[0][1]["reason"] == "午休"


def test_who_was_set_aside_can_be_called_again(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    page.click("#aside summary")
    with page.expect_response("**/api/counters/c2/call"):
        page.get_by_role("button", name="叫号 A015").click()
    assert hall.fake.received[0][1]["ticket"] == "t-A015"


def test_the_panel_follows_the_hall(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    expect(page.locator(".mode")).to_have_text("空闲")
    serve(hall, 1, ticket={"id": "t-A019", "label": "A019", "state": "called"})
    expect(page.locator(".hand .label")).to_have_text("A019")
    expect(page.locator("#a-start")).to_be_visible()


def test_a_refusal_is_told_in_its_own_words(hall: Any, window: Any) -> None:
    hall.fake.refuse = {"type": "nobody-waiting", "status": 409, "title": "目前无人等候", "detail": "Nobody"}
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    page.keyboard.press("Space")
    expect(page.locator("#told")).to_have_text("目前无人等候")


def test_without_the_agent_nothing_can_be_pressed(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.clock.install()
    page.goto(f"{hall.url}/counter/c2")
    hall.fake.silent = True
    page.clock.fast_forward("01:30")
    expect(page.locator("#lost")).to_have_text("叫号不可用，请口头叫号")
    expect(page.locator("#a-next")).to_be_disabled()
    expect(page.locator(".next")).to_contain_text("A019")
    page.keyboard.press("Space")
    assert hall.fake.received == []


def test_without_the_controller_a_chip_says_so_and_nothing_else_changes(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    hall.fake.now_state["uplink"]["connected"] = False
    hall.fake.change()
    expect(page.locator(".link")).to_have_text("本厅离线运行")
    expect(page.locator("#a-next")).to_be_enabled()


def test_the_console_needs_no_wider_window_than_360_px(hall: Any, window: Any) -> None:
    page = window(STRIP)
    for counter in ("c1", "c2", "c3", "c4", "c6"):
        page.goto(f"{hall.url}/counter/{counter}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_clerk_logs_in_and_comes_back_to_the_counter(hall: Any, window: Any) -> None:
    hall.fake.clerk = None
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c3")
    page.fill("#user", "wang")
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#failed")).to_have_text("用户名或密码不正确，请重试")
    page.fill("#password", "right")
    page.keyboard.press("Enter")
    expect(page.locator(".hand .label")).to_have_text("B032")


@pytest.mark.parametrize("foreign", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_a_login_leads_to_no_other_site(hall: Any, window: Any, foreign: str) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/login?next={foreign}")
    assert page.locator("[name=next]").input_value() == "/counter/c1"
