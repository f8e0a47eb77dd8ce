"""What is scanned beside a kiosk or a terminal, and pagers on the clerk's console, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

KIOSK = {"width": 1080, "height": 1920}
STRIP = {"width": 360, "height": 640}


def reading(**more: Any) -> dict[str, Any]:
    return {"n": 1, "device": "scanner-1", "counter": None, "kind": "code-scanned", **more}


def opened(hall: Any, window: Any, path: str = "/kiosk") -> Any:
    page = window(KIOSK)
    page.goto(hall.url + path)
    listens(hall, page)
    return page


def listens(hall: Any, page: Any) -> None:
    """Returns when the page hears the hall: it has seen that the printer is gone."""
    hall.fake.change(devices=[])
    gone = page.locator("body[data-prints=never], #can:has-text('本机不打印')")
    expect(gone.first).to_be_attached()


@pytest.mark.parametrize(
    ("result", "said"),
    [("found", "您扫的号码"), ("returned", "已为您恢复排队"), ("checked-in", "签到成功")],
)
def test_a_scanned_ticket_is_shown_on_the_kiosk(hall: Any, window: Any, result: str, said: str) -> None:
    page = opened(hall, window)
    hall.fake.read.append(reading(result=result, ticket_id="t-A019", label="A019"))
    expect(page.locator("#read-title")).to_have_text(said)
    expect(page.locator("#read-found .label")).to_have_text("A019")
    page.locator("#read [data-close]").click()
    expect(page.locator("#read")).to_be_hidden()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"result": "unknown"}, "没有找到这个号码"),
        ({"result": "damaged"}, "二维码没有读全"),
        ({"result": "foreign"}, "这不是取号二维码"),
        ({"result": "refused", "title": "还没到签到时间", "detail": "too early"}, "还没到签到时间"),
        ({"result": "card", "kind": "card-read", "masked": "23010" + "*" * 9 + "0017"}, "证件尾号 0017"),
    ],
)
def test_what_is_no_ticket_is_told_in_words(hall: Any, window: Any, more: dict[str, Any], said: str) -> None:
    page = opened(hall, window)
    hall.fake.read.append(reading(**more))
    expect(page.locator("#read")).to_contain_text(said)
    expect(page.locator("#read-found")).to_be_empty()


def test_in_english_and_large_type_the_same_is_said_and_the_reader_is_remembered(
    hall: Any, window: Any
) -> None:
    page = opened(hall, window, "/kiosk?reader=scanner-1")
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**lang=en*reader=scanner-1")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    hall.fake.reset()
    page.reload()
    listens(hall, page)
    hall.fake.read.append(reading(result="refused", title="不行", detail="Too early"))
    expect(page.locator("#read")).to_contain_text("Too early")


def test_a_kiosk_shows_nothing_of_another_ones_reader_or_of_a_counters(hall: Any, window: Any) -> None:
    page = opened(hall, window, "/kiosk?reader=scanner-1")
    hall.fake.read.append(reading(device="scanner-2", result="foreign"))
    hall.fake.read.append(reading(counter="c1", result="foreign"))
    hall.fake.read.append(reading(result="damaged"))
    expect(page.locator("#read-title")).to_have_text("二维码没有读全")


def test_a_terminal_shows_what_its_own_scanner_reads(hall: Any, window: Any) -> None:
    page = opened(hall, window, "/terminal?reader=scanner-1")
    hall.fake.read.append(reading(device="scanner-2", result="foreign"))
    hall.fake.read.append(reading(result="returned", ticket_id="t-A019", label="A019"))
    expect(page.locator("#found .state.none")).to_have_text("已为您恢复排队")
    expect(page.locator("#found .label")).to_have_text("A019")


@pytest.mark.parametrize(
    ("page_of", "said"),
    [
        ("pending", "正在呼叫寻呼机"),
        ("unconfirmed", "已呼叫寻呼机，无法确认"),
        ("expired", "寻呼未发出，请喊号"),
    ],
)
def test_the_clerk_sees_the_pager_and_that_nobody_can_confirm_it(
    hall: Any, window: Any, page_of: str, said: str
) -> None:
    hall.fake.about_ticket = {"pager": 12, "page": page_of}
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c3")
    expect(page.locator(".paged")).to_contain_text("寻呼机 12")
    expect(page.locator(".paged")).to_contain_text(said)
    expect(page.locator(".paged svg")).to_have_count(1)


def test_a_clerk_hands_a_pager_out_and_takes_it_back(hall: Any, window: Any) -> None:
    hall.fake.change(pages=True)
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    page.click("#a-pager")
    page.fill("[name=ticket]", "a021")
    page.fill("[name=pager]", "12")
    with page.expect_response("**/api/tickets/A021/pager"):
        page.click("#pager [value=give]")
    page.click("#a-pager")
    page.fill("[name=ticket]", "A021")
    with page.expect_response("**/api/tickets/A021/pager"):
        page.click("#pager [value=back]")
    assert [(t, w["pager"]) for t, w in hall.fake.received] == [("A021", 12), ("A021", None)]


def test_a_pager_in_use_is_told_to_the_clerk(hall: Any, window: Any) -> None:
    hall.fake.change(pages=True)
    hall.fake.refuse = {"type": "pager-in-use", "status": 409, "title": "12 号寻呼机正由 A018 使用"}
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    page.click("#a-pager")
    page.fill("[name=ticket]", "A021")
    page.fill("[name=pager]", "12")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("A018")


def test_without_a_transmitter_the_console_offers_no_pagers(hall: Any, window: Any) -> None:
    page = window(STRIP)
    page.goto(f"{hall.url}/counter/c2")
    expect(page.locator("#a-next")).to_be_visible()
    expect(page.locator("#a-pager")).to_have_count(0)
