"""The ticket machine in a real browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import KIOSK

SOCIAL = "[data-service=social]"
VARIANTS = ["", "?size=large", "?lang=en", "?lang=en&size=large"]
NEITHER_TAP_NOR_PAUSE = 500
#: a refused stream is opened again after 5 s at most
AGAIN_MS = 15_000


def choose(page: Any, url: str, variant: str = "", service: str = SOCIAL) -> None:
    """The first touch, and the moment a person needs before the second."""
    page.clock.install()
    page.goto(f"{url}/kiosk{variant}")
    page.click(service)
    page.clock.run_for(NEITHER_TAP_NOR_PAUSE)


def test_two_touches_give_a_number(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.click("#take")
    expect(page.locator("#t-label")).to_have_text("A019")
    expect(page.locator("#t-ahead")).to_have_text("前面还有 12 位")
    expect(page.locator("#t-range")).to_have_text("约 25–40 分钟")
    expect(page.locator("#t-near")).to_have_text("办理窗口：1、2、3、4号窗口")
    [(what, wish)] = hall.fake.received
    assert what == "tickets"
    assert re.fullmatch(r"[0-9a-f]{32}", wish.pop("request_id"))
    assert wish == {"service": "social", "channel": "kiosk"}


def test_the_code_of_an_appointment_gives_a_number(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/kiosk")
    page.click("#arrive")
    for digit in "402":
        page.click(f"#code-pad [data-digit='{digit}']")
    expect(page.locator("#code-done")).to_be_disabled()
    page.keyboard.type("917")
    expect(page.locator("#code-digits")).to_have_text("402917")
    page.click("#code-done")
    expect(page.locator("#t-label")).to_have_text("A019")
    expect(page.locator("#t-service")).to_have_text("社保医保")
    [(what, wish)] = hall.fake.received
    assert what == "tickets"
    assert len(wish.pop("request_id")) == 32
    assert wish == {"appointment": "402917", "channel": "kiosk"}


def test_a_wrong_code_is_said_in_the_halls_words(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    hall.fake.refuse = {
        "type": "unknown-appointment",
        "status": 404,
        "title": "没有找到这个预约",
        "detail": "none",
    }
    page.goto(f"{hall.url}/kiosk")
    page.click("#arrive")
    page.keyboard.type("000000")
    page.click("#code-done")
    expect(page.locator("#sorry-text")).to_have_text("没有找到这个预约")
    expect(page.locator("#retry")).to_be_hidden()


def test_the_number_is_200_px_high(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.click("#take")
    assert page.locator("#t-label").evaluate("e => getComputedStyle(e).fontSize") == "200px"


def test_a_double_tap_is_one_wish(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.evaluate("() => ['take', 'take'].forEach((name) => document.getElementById(name).click())")
    expect(page.locator("#ticket")).to_be_visible()
    assert len(hall.fake.received) == 1


TAKE_AND_TAP_ON = """() => new Promise((told) => {
  const ticket = document.getElementById("ticket");
  new MutationObserver(() => {
    document.getElementById("done").click();
    told(ticket.hidden);
  }).observe(ticket, { attributes: true });
  document.getElementById("take").click();
})"""


def test_a_double_tap_that_lands_on_the_number_does_not_put_it_away(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    assert page.evaluate(TAKE_AND_TAP_ON) is False
    expect(page.locator("#t-label")).to_have_text("A019")
    page.clock.run_for(NEITHER_TAP_NOR_PAUSE)
    page.click("#done")
    expect(page.locator("#menu")).to_be_visible()


def test_a_double_tap_on_a_tile_takes_no_number(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk")
    page.click(SOCIAL)
    page.evaluate("document.getElementById('take').click()")
    assert hall.fake.received == []
    expect(page.locator("#choose")).to_be_visible()


def test_a_lost_answer_is_asked_for_again_under_the_same_id(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    lost: list[dict[str, Any]] = []

    def lose(route: Any) -> None:
        lost.append(route.request.post_data_json)
        route.abort()

    page.route("**/api/tickets", lose)
    choose(page, hall.url)
    page.click("#take")
    expect(page.locator("#sorry-text")).to_contain_text("没有取到号")
    page.unroute("**/api/tickets")
    page.click("#retry")
    expect(page.locator("#t-label")).to_have_text("A019")
    assert hall.fake.received == [("tickets", lost[0])]


def test_a_refusal_is_said_in_its_own_words(hall: Any, window: Any) -> None:
    hall.fake.refuse = {
        "type": "hall-closed",
        "status": 409,
        "title": "大厅未开放取号，请在开放时间再来",
        "detail": "Closed",
    }
    page = window(KIOSK)
    choose(page, hall.url)
    page.click("#take")
    expect(page.locator("#sorry-text")).to_have_text("大厅未开放取号，请在开放时间再来")
    expect(page.locator("#retry")).to_be_hidden()


def test_without_a_working_printer_the_page_asks_for_a_photograph_and_stays(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    hall.fake.now_state["devices"][0].update(state="degraded", detail="缺纸，请装纸后重试 (out of paper)")
    choose(page, hall.url)
    page.click("#take")
    expect(page.locator(".paper.no")).to_be_visible()
    page.clock.run_for(30_000)
    expect(page.locator("#t-label")).to_be_visible()


def test_a_printer_that_fails_while_the_number_is_shown_keeps_it_longer(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.click("#take")
    expect(page.locator(".paper.yes")).to_be_visible()
    hall.fake.now_state["devices"][0]["state"] = "offline"
    hall.fake.change()
    expect(page.locator(".paper.no")).to_be_visible()
    page.clock.run_for(20_000)
    expect(page.locator("#t-label")).to_be_visible()


def test_the_number_leaves_the_screen_by_itself(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.click("#take")
    expect(page.locator("#t-label")).to_have_text("A019")
    page.clock.run_for(13_000)
    expect(page.locator("#menu")).to_be_visible()
    expect(page.locator("#t-label")).to_have_text("")


def test_an_abandoned_page_asks_and_then_goes_home(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url, "?lang=en")
    page.clock.run_for(31_000)
    expect(page.locator("#still")).to_be_visible()
    page.clock.run_for(16_000)
    expect(page.locator("#heading")).to_have_text("请选择业务")


def test_a_touch_keeps_the_page(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.clock.run_for(31_000)
    page.click("#still [data-close]")
    expect(page.locator("#still")).to_be_hidden()
    page.clock.run_for(20_000)
    expect(page.locator("#choose")).to_be_visible()


def test_a_phone_number_is_masked_as_typed_and_sent_once(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.click("#phone-open")
    number = "13" + "0" * 9
    for digit in number:
        page.click(f"#pad [data-digit='{digit}']")
    expect(page.locator("#digits")).to_have_text("130****0000")
    page.click("#phone-done")
    expect(page.locator("#phone-label")).to_have_text("130****0000")
    page.click("#take")
    expect(page.locator("#t-label")).to_have_text("A019")
    assert hall.fake.received[0][1]["phone"] == number
    assert number not in page.content()


def test_a_priority_is_chosen_with_one_touch(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    choose(page, hall.url)
    page.click("[data-priority=elder]")
    page.click("#take")
    expect(page.locator("#t-label")).to_have_text("A019")
    assert hall.fake.received[0][1]["priority"] == "elder"


def test_a_closed_service_says_where_to_go(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/kiosk")
    tile = page.locator("[data-service=marriage]")
    expect(tile).to_be_disabled()
    expect(tile).to_contain_text("区民政局 3 楼办理")


def test_waits_change_on_the_menu_without_a_reload(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.goto(f"{hall.url}/kiosk")
    hall.fake.now_state["services"][0]["waiting"] = 13
    hall.fake.change()
    expect(page.locator(f"{SOCIAL} .w1")).to_have_text("等候 13 人")


def test_the_key_pad_reaches_a_number_without_touch(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk")
    page.keyboard.press("2")
    expect(page.locator("#c-name")).to_have_text("户籍证件")
    page.clock.run_for(NEITHER_TAP_NOR_PAUSE)
    page.keyboard.press("#")
    expect(page.locator("#t-label")).to_have_text("A019")


def test_a_silent_agent_is_said_and_mended_by_itself(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk")
    hall.fake.silent = True
    page.clock.fast_forward("01:30")
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lost")).to_contain_text("请到咨询台取号")
    hall.fake.silent = False
    page.clock.run_for(10_000)
    expect(page.locator("#lost")).to_be_hidden(timeout=AGAIN_MS)


def test_more_services_than_tiles_are_turned_like_pages(hall: Any, window: Any) -> None:
    rows = hall.fake.now_state["services"]
    hall.fake.change(services=[{**rows[0], "id": f"s{n}", "name": f"业务{n}"} for n in range(11)])
    page = window(KIOSK)
    page.goto(f"{hall.url}/kiosk")
    expect(page.locator("[data-service=s8]")).to_be_hidden()
    page.click("#more")
    expect(page.locator("[data-service=s8]")).to_be_visible()


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_scrolls_and_everything_can_be_touched(hall: Any, window: Any, variant: str) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk{variant}")
    fits(page)
    page.click(SOCIAL)
    page.clock.run_for(NEITHER_TAP_NOR_PAUSE)
    fits(page)
    page.click("#phone-open")
    fits(page)
    page.click("#phone-drop")
    page.click("#take")
    expect(page.locator("#ticket")).to_be_visible()
    fits(page)


def fits(page: Any) -> None:
    """Nothing scrolls, no text is cut off, no box leaves its page, every target is 60 px or more."""
    found = page.evaluate(
        """() => {
          const seen = (e) => e.checkVisibility() && !e.classList.contains('sr');
          const box = (e) => e.getBoundingClientRect();
          const modal = document.querySelector('dialog[open]') ?? document.body;
          const small = [...modal.querySelectorAll('button, a')].filter(seen)
            .filter((e) => box(e).width < 60 || box(e).height < 60);
          const main = box(document.querySelector('main'));
          const out = [...document.querySelectorAll('.screen:not([hidden]) *')].filter(seen)
            .filter((e) => box(e).bottom > main.bottom + 1 || box(e).right > main.right + 1);
          const cut = [...document.querySelectorAll('.tile, .card, .act, nav > *, .acts > *, .big')].filter(seen)
            .filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1);
          const name = (e) => e.id || e.className || e.tagName;
          return {
            scrolls: document.documentElement.scrollHeight > innerHeight || document.body.scrollWidth > innerWidth,
            small: small.map(name), out: out.map(name), cut: cut.map(name),
          };
        }"""
    )
    assert found == {"scrolls": False, "small": [], "out": [], "cut": []}
