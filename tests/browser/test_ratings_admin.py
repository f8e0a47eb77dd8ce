"""The administrator's pages about ratings, served by a real controller on a real database."""

import asyncio
import random
import re
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from controller.api.application import application
from controller.api.deps import Parts
from controller.use_cases.people import People, add_admin
from controller.use_cases.rating_cases import CaseKeeper
from controller.web.live_services import LiveServices
from controller.web.pages import pages
from hall_core.clock import FixedClock
from tests.browser.conftest import PHONE, serving
from tests.browser.fair_scene import shot
from tests.browser.narrow import SMALL, look_narrow
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.controller.rating_scene import rated, visited
from tests.controller.web import Link

DESK = {"width": 1440, "height": 1000}


@dataclass
class Office:
    """A controller with some ratings; `run` does work beside the browser's own loop."""

    url: str
    centre: Centre
    box: Box
    password: str

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work).result(timeout=30)


def filled(centre: Centre, box: Box) -> Coroutine[Any, Any, None]:
    async def fill() -> None:
        for n in range(24):
            await rated(centre, box, f"t{n}", 5 if n % 8 else 3)
        await rated(centre, box, "bad1", 1, "slow", "unclear")
        await rated(centre, box, "bad2", 2)
        await visited(centre, box, "t99")
        other = Box(centre.clock, "chunxiao", "chunxiao").open()
        for n in range(3):
            await rated(centre, other, f"c{n}", 5)

    return fill()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = FixedClock(datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    centre = Centre(f"sqlite:///{tmp_path / 'controller.db'}", tmp_path, clock)
    for hall in ("haitang", "chunxiao"):
        centre.enrol(hall)
    password = centre.database.write_now(lambda tx: add_admin(tx, "李主任", clock))
    people = People(centre.database, clock)
    parts = Parts(centre.context, people, Link(), centre.metrics)  # type: ignore[arg-type]
    box = Box(clock).open()
    with serving(application(parts, [pages(LiveServices(centre.context, people))])) as url:
        made = Office(url, centre, box, password)
        made.run(filled(centre, box))
        yield made
        centre.context.hub.close()
    centre.close()


@pytest.fixture
def desk(office: Office, window: Any) -> Any:
    """`desk(path)` is a logged-in page."""

    def opened(path: str, size: dict[str, int] = DESK, **options: Any) -> Any:
        page = window(size, **options)
        page.goto(f"{office.url}/login?next={path}")
        page.fill("#user", "李主任")
        page.fill("#password", office.password)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{office.url}{path}")
        return page

    return opened


def no_barrier(page: Any) -> None:
    found = Axe().run(page)
    assert [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")] == []


def test_nobody_reads_ratings_without_a_login(office: Office, window: Any) -> None:
    page = window(DESK)
    for path in ("/ratings", "/ratings/1"):
        page.goto(office.url + path)
        expect(page.locator("#password")).to_be_visible()


def test_open_cases_ranking_and_ratings_stand_on_one_page(office: Office, desk: Any) -> None:
    page = desk("/ratings")
    rows = page.locator("#cases tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first.locator("th, td")).to_contain_text(
        ["A025", "答复期限", "待交办", "非常不满意", "办理太慢、没有讲清楚", "1号窗口", "—"]
    )
    expect(rows.first).to_contain_text("答复期限 11-24 09:30")
    ranked = page.locator("#ranking tbody tr")
    expect(ranked.nth(0)).to_contain_text("92.3%")
    expect(ranked.nth(0).locator("td").first).to_have_text("1")
    expect(ranked.nth(1)).to_contain_text("评价太少，不排名")
    assert page.locator("#ranking .bar .share").first.get_attribute("width") == "92.31"
    expect(page.locator("#list tbody tr")).to_have_count(29)
    no_barrier(page)


def test_the_alarm_on_the_first_page_leads_to_where_it_is_answered(office: Office, desk: Any) -> None:
    page = desk("/")
    page.click("#alarms >> text=A026 评价 2 分")
    page.wait_for_url(f"{office.url}/ratings")
    expect(page.locator("#cases tbody tr")).to_have_count(2)


def test_on_a_telephone_a_case_is_read_without_scrolling(office: Office, desk: Any) -> None:
    page = desk("/ratings", PHONE)
    for cell in page.locator("#cases tbody tr").first.locator("th, td").all():
        box = cell.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= PHONE["width"]
    for link in page.locator("header nav a").all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] < 50, link.text_content()
    no_barrier(page)


def test_a_case_goes_its_way_without_any_script(office: Office, desk: Any) -> None:
    page = desk("/ratings/1", java_script_enabled=False)
    page.fill("#to", "王主任")
    page.click("#forms button >> text=交办")
    expect(page.locator("#strip")).to_contain_text("已交办")
    page.fill("#text-answer", "已加开一个窗口")
    page.click("#forms button >> text=写答复")
    page.check("input[value=satisfied]")
    page.fill("#text-call-back", "")
    page.click("#forms button >> text=登记回访")
    page.click("#forms button >> text=办结")
    expect(page.locator("#strip")).to_contain_text("已办结")
    expect(page.locator("#forms form")).to_have_count(0)
    expect(page.locator(".steps b")).to_have_text(
        ["收到差评", "已交办 → 王主任", "已答复", "已回访 · 对处理满意", "已办结"]
    )
    expect(page.locator(".steps")).to_contain_text("李主任 · 09:30")
    page.goto(f"{office.url}/ratings")
    expect(page.locator("#cases tbody tr")).to_have_count(1)


def test_what_was_done_meanwhile_is_said_and_not_done_again(office: Office, desk: Any) -> None:
    late = desk("/ratings/1")
    expect(late.locator("#to")).to_be_visible()
    other = desk("/ratings/1")
    for page, name in ((other, "王主任"), (late, "王主任")):
        page.fill("#to", name)
        page.click("#forms button >> text=交办")
        expect(page.locator(".steps li")).to_have_count(2)
    answer = late.request.post(
        f"{office.url}/ratings/1/close", form={"text": ""}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status == 409
    assert "现在不能「办结」" in answer.text()
    foreign = late.request.post(
        f"{office.url}/ratings/1/assign", form={"to": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status == 403
    assert late.request.get(f"{office.url}/ratings/77").status == 404
    assert late.request.get(f"{office.url}/ratings/x").status == 404


def test_a_bad_rating_comes_to_the_open_page_by_itself(office: Office, desk: Any) -> None:
    page = desk("/ratings?hall=haitang")
    expect(page.locator("#cases tbody tr")).to_have_count(2)
    answer = page.request.post(
        f"{office.url}/api/t/token-haitang-t99/rating",
        data={"score": 1, "comment": "等了一上午", "reasons": ["waited"]},
    )
    assert answer.ok
    expect(page.locator("#cases tbody tr")).to_have_count(3, timeout=5_000)
    expect(page.locator("#cases")).to_contain_text("等候太久")
    expect(page.locator("#list tbody tr").first).to_contain_text("等了一上午群众手机")


def test_a_passed_deadline_is_said_in_words(office: Office, desk: Any) -> None:
    office.centre.clock.advance(25 * 3600)
    office.run(CaseKeeper(office.centre.context).look())
    page = desk("/ratings")
    expect(page.locator("#cases b.late").first).to_contain_text("答复已超期")
    page.click("#cases tbody a >> nth=0")
    expect(page.locator(".steps .overdue")).to_contain_text(re.compile(r"答复超期，已报警\s+系统"))
    no_barrier(page)


def test_ratings_are_searched_and_paged(office: Office, desk: Any) -> None:
    page = desk("/ratings")
    page.select_option("select[name=score]", "2")
    page.click("button >> text=搜索")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.fill("input[name=q]", "nothing like this")
    page.click("button >> text=搜索")
    expect(page.locator("#list")).to_contain_text("没有符合条件的评价")
    office.run(more(office))
    page.goto(f"{office.url}/ratings")
    expect(page.locator("#list tbody tr")).to_have_count(50)
    page.click("#list a.button")
    expect(page.locator("#list tbody tr")).to_have_count(9)


async def more(office: Office) -> None:
    for n in range(30):
        await rated(office.centre, office.box, f"m{n}", 4)


def test_a_managers_number_is_typed_once_and_shown_masked(office: Office, desk: Any) -> None:
    phone = f"13{random.randrange(10**9):09d}"
    page = desk("/ratings?hall=haitang", java_script_enabled=False)
    page.fill("input[name=phone]", f"+86 {phone[:3]} {phone[3:]}")
    page.click("button >> text=保存号码")
    expect(page.locator("#phone")).to_contain_text(f"现在通知 {phone[:3]}****{phone[-4:]}")
    assert phone not in page.content()
    page.fill("input[name=phone]", "123")
    page.click("button >> text=保存号码")
    expect(page.locator(".refused")).to_have_text("手机号码不正确，请核对")
    page.click("button >> text=不再通知")
    expect(page.locator("#phone")).to_contain_text("现在不发短信")


def test_the_table_is_downloaded_in_the_language_of_the_page(office: Office, desk: Any) -> None:
    page = desk("/ratings?lang=en")
    with page.expect_download() as download:
        page.click("text=Download table")
    text = Path(download.value.path()).read_text("utf-8-sig")
    assert text.startswith("Place,Hall id")
    assert re.search(r"^1,haitang,海棠街道便民服务中心,26,", text, re.MULTILINE)


LONG_REMARK = "等了一上午也没有人说要等多久，材料还不齐 https://example.org/" + "a" * 80


@pytest.mark.parametrize("path", ["/ratings", "/ratings?hall=haitang", "/ratings/1", "/ratings/3"])
def test_the_smallest_telephone_shows_everything_without_scrolling_sideways(
    office: Office, desk: Any, path: str
) -> None:
    page = desk("/ratings", SMALL)
    answer = page.request.post(
        f"{office.url}/api/t/token-haitang-t99/rating",
        data={"score": 1, "comment": LONG_REMARK, "reasons": ["waited", "slow"]},
    )
    assert answer.ok
    look_narrow(page, office.url + path)


@pytest.mark.parametrize("path", ["/ratings", "/ratings/1"])
def test_a_passed_deadline_fits_the_smallest_telephone(office: Office, desk: Any, path: str) -> None:
    office.centre.clock.advance(25 * 3600)
    office.run(CaseKeeper(office.centre.context).look())
    page = desk(path, SMALL)
    look_narrow(page, office.url + path)
    shot(page, f"late-{path[1:].replace('/', '-')}")


def test_rows_are_cards_on_a_telephone_and_rows_of_a_table_on_a_desk(office: Office, desk: Any) -> None:
    page = desk("/ratings", SMALL)
    row = page.locator("#cases tbody tr").first
    tops = {round(cell.bounding_box()["y"]) for cell in row.locator("th, td").all()}
    assert len(tops) == 7
    shown = "e => getComputedStyle(e, '::before').content"
    assert row.locator("td").first.evaluate(shown) == '"期限"'
    page.set_viewport_size(DESK)
    tops = {round(cell.bounding_box()["y"]) for cell in row.locator("th, td").all()}
    assert len(tops) == 1
    assert row.locator("td").first.evaluate(shown) == "none"
    expect(page.locator("#cases thead")).to_be_visible()


def test_large_type_is_chosen_once_for_every_page(office: Office, desk: Any) -> None:
    page = desk("/ratings", SMALL)
    size = "getComputedStyle(document.querySelector('#cases td, .said dd')).fontSize"
    assert page.evaluate(size) == "15px"
    page.get_by_role("link", name="大字版").click()
    page.click("#cases tbody a >> nth=0")
    page.wait_for_url(f"{office.url}/ratings/*")
    assert page.evaluate(size) == "21px"
    page.get_by_role("link", name="标准字号").click()
    expect(page.locator("html.large")).to_have_count(0)
