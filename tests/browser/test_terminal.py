"""The 24-hour terminal in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import KIOSK
from tests.browser.test_everywhere import look
from tests.browser.test_kiosk import VARIANTS, fits

LINK = f"http://127.0.0.1:8080/t/{'k' * 26}"


def shut(hall: Any, at: str) -> None:
    hall.fake.at = at
    hall.fake.change(
        services=[{**s, "open": False, "range_min": None} for s in hall.fake.now_state["services"]]
    )


def type_label(page: Any, label: str) -> None:
    page.click("#ask")
    for key in label:
        page.click(f"[data-key='{key}']")


def test_the_first_paint_says_what_can_be_done(hall: Any, window: Any) -> None:
    page = window(KIOSK, java_script_enabled=False)
    page.goto(f"{hall.url}/terminal")
    expect(page.locator("#now")).to_contain_text("现在可以取号")
    assert page.locator("#take").get_attribute("href").startswith("/kiosk?lang=zh")
    expect(page.locator("#can li")).to_have_text(["取号可以", "查号码进度可以", "打印小票可以"])
    expect(page.locator(".help")).to_contain_text("12345")


def test_taking_a_number_is_the_kiosks_flow(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal?lang=en")
    page.click("#take")
    expect(page.locator("#menu [data-service=social]")).to_contain_text("Social insurance")


def test_a_shut_hall_offers_no_number_and_tells_the_next_opening(hall: Any, window: Any) -> None:
    shut(hall, "2026-11-23T07:30:00+08:00")
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    expect(page.locator("#now")).to_contain_text("现在不在取号时间")
    expect(page.locator("#now .next")).to_have_text("下次开放 今日 09:00")
    expect(page.locator("#take")).to_have_count(0)
    expect(page.locator("#can li").first).to_have_text("取号暂不可以")


def test_the_hall_opens_without_a_reload(hall: Any, window: Any) -> None:
    shut(hall, "2026-11-23T08:59:50+08:00")
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    hall.fake.change(services=[{**s, "open": True} for s in hall.fake.now_state["services"]])
    expect(page.locator("#take")).to_be_visible()


def test_a_printer_without_paper_is_said_at_once(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    hall.fake.now_state["devices"][0].update(state="degraded", detail="缺纸，请装纸后重试 (out of paper)")
    hall.fake.change()
    expect(page.locator("#can li").last).to_have_text("打印小票暂不能打印，可扫码")


def test_a_number_is_followed_by_its_label(hall: Any, window: Any) -> None:
    hall.fake.about_ticket = {"state": "waiting", "ahead": 3, "range_min": [10, 15]}
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    type_label(page, "A18")
    expect(page.locator("#typed")).to_have_text("A18")
    page.click("#go")
    expect(page.locator("#found .label")).to_have_text("A018")
    expect(page.locator("#found")).to_contain_text("前面还有 3 位")
    expect(page.locator("#found")).to_contain_text("约 10–15 分钟")
    expect(page.locator("#found")).to_contain_text("1、2、3、4号窗口")


def test_a_called_number_is_sent_to_its_counter(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    type_label(page, "B032")
    page.click("#go")
    expect(page.locator("#found .state.called")).to_have_text("请到 3号窗口")


def test_a_scanned_link_finds_its_ticket_and_is_never_shown(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(f"{hall.url}/terminal")
    page.keyboard.type(LINK)
    expect(page.locator("#typed")).to_have_text("正在读码…")
    page.keyboard.press("Enter")
    expect(page.locator("#found .label")).to_have_text("B033")
    assert "kkkk" not in page.content()
    assert not [url for url in asked if "kkkk" in url]


@pytest.mark.parametrize("text", ["D001", "http://127.0.0.1:8080/t/unknownunknownunknown", "A", "<b>x</b>"])
def test_what_nobody_holds_is_not_found(hall: Any, window: Any, text: str) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_contain_text("没有找到这个号码")
    page.click("#another")
    expect(page.locator("#typed")).to_have_text("")


def test_everything_is_wiped_when_the_person_has_gone(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/terminal?size=large")
    type_label(page, "B032")
    page.click("#go")
    expect(page.locator("#found .label")).to_have_text("B032")
    page.clock.run_for(35_000)
    expect(page.locator("#left")).to_contain_text("秒后返回首页")
    page.clock.run_for(12_000)
    page.wait_for_url(f"{hall.url}/terminal")
    expect(page.locator("#start")).to_be_visible()
    assert "B032" not in page.content()


def test_leaving_wipes_even_while_the_hall_is_away(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/terminal")
    type_label(page, "B032")
    page.click("#go")
    expect(page.locator("#found .label")).to_have_text("B032")
    hall.fake.silent = True
    page.clock.fast_forward("01:30")
    expect(page.locator("#lost")).to_be_visible()
    page.clock.run_for(46_000)
    assert "B032" not in page.content()


def test_no_appointments_are_offered(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/terminal")
    assert "预约" not in page.content()


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_serious_barrier_and_everything_fits(hall: Any, window: Any, variant: str) -> None:
    page = window(KIOSK)
    look(page, f"{hall.url}/terminal{variant}")
    fits(page)
    type_label(page, "A018")
    fits(page)
    hall.fake.about_ticket = {"state": "waiting", "ahead": 3, "range_min": [10, 15]}
    page.click("#go")
    expect(page.locator("#found .label")).to_be_visible()
    fits(page)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_shut_hall_fits(hall: Any, window: Any, variant: str) -> None:
    shut(hall, "2026-11-23T18:30:00+08:00")
    hall.fake.change(devices=[])
    page = window(KIOSK)
    look(page, f"{hall.url}/terminal{variant}")
    fits(page)
