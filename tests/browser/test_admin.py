"""The administrator's pages."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.narrow import SMALL, look_narrow

DESK = {"width": 1440, "height": 900}


def test_nobody_sees_the_overview_without_a_login(centre: Any, window: Any) -> None:
    centre.fake.who = None
    page = window(DESK)
    page.goto(f"{centre.url}/halls/binjiang")
    expect(page.locator("#user")).to_be_visible()
    page.fill("#user", "li")
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#failed")).not_to_be_empty()
    page.fill("#password", "right")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("滨江街道政务服务中心")


def test_the_session_cookie_is_out_of_reach_of_scripts(centre: Any, window: Any) -> None:
    centre.fake.who = None
    page = window(DESK, java_script_enabled=False)
    page.goto(f"{centre.url}/login")
    page.fill("#user", "li")
    page.fill("#password", "right")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{centre.url}/")
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


def test_another_sites_form_logs_nobody_out(centre: Any, window: Any) -> None:
    page = window(DESK)
    page.goto(f"{centre.url}/login")
    answer = page.request.post(
        f"{centre.url}/login",
        headers={"Sec-Fetch-Site": "cross-site"},
        form={"user": "li", "password": "right"},
    )
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_district_street_and_community_stand_in_order(centre: Any, window: Any) -> None:
    page = window(DESK)
    page.goto(centre.url)
    expect(page.locator(".tile h3")).to_have_text(
        ["滨江区行政审批服务中心", "滨江街道政务服务中心", "春晓社区便民服务站", "迎宾社区便民服务站"]
    )


def test_a_hall_out_of_contact_is_grey_and_says_since_when(centre: Any, window: Any) -> None:
    page = window(DESK)
    page.goto(centre.url)
    tile = page.locator(".tile", has_text="春晓社区")
    expect(tile.locator(".pill")).to_have_text("本地运行中 (失联 12 分)")
    red, green, blue = tile.locator(".pill").evaluate(
        "e => getComputedStyle(e).color.match(/\\d+/g).map(Number)"
    )
    assert max(red, green, blue) - min(red, green, blue) < 32


def test_a_faulty_device_is_named_on_its_halls_tile(centre: Any, window: Any) -> None:
    page = window(DESK)
    page.goto(centre.url)
    tile = page.locator(".tile", has_text="滨江街道")
    expect(tile.locator(".pill")).to_have_text("部分可用")
    expect(tile.locator(".dev")).to_contain_text("printer-1、strip-3")


def test_the_overview_follows_the_halls(centre: Any, window: Any) -> None:
    page = window(DESK)
    page.clock.install()
    page.goto(centre.url)
    centre.fake.all[0]["services"][0]["waiting"] = 99
    page.clock.run_for(61_000)
    expect(page.locator(".tile", has_text="滨江街道").locator("dd").first).to_have_text("107")


def test_a_device_nobody_can_read_back_is_not_called_fine(centre: Any, window: Any) -> None:
    page = window(DESK)
    page.goto(f"{centre.url}/halls/binjiang")
    expect(page.locator("#devices tr", has_text="strip-1").locator(".pill")).to_have_text("未确认")
    expect(page.locator("#tickets tbody tr")).to_have_count(6)


def test_halls_in_a_ring_do_not_hang_the_page(centre: Any, window: Any) -> None:
    centre.fake.all[0]["parent"], centre.fake.all[1]["parent"] = "district-1", "binjiang"
    page = window(DESK)
    assert page.goto(centre.url).ok


@pytest.mark.parametrize(
    "path", ["/", "/halls/binjiang", "/halls/chunxiao", "/halls/yingbin", "/halls/binjiang/order"]
)
def test_the_smallest_telephone_never_scrolls_sideways(centre: Any, window: Any, path: str) -> None:
    look_narrow(window(SMALL), centre.url + path)
