"""Why somebody was called first, and how well the times told held, as people see it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from tests.browser.conftest import PHONE, serving
from tests.browser.narrow import SMALL, look_narrow
from tests.browser.test_admin import DESK
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.controller.web import Web, web_of


async def _morning(centre: Centre, clock: FixedClock) -> tuple[Box, Web]:
    """An elder and a special call pass somebody who waits; 36 others had come and gone."""
    box = await centre.meet(Box(clock).open())
    for counter in ("1", "3"):
        box.do(c.OpenCounter(counter=counter))
    for n in range(36):
        box.issue(f"early-{n}", service="tax" if n % 3 == 0 else "household")
        clock.advance(40 if n % 5 else 900)
        box.call("1")
    clock.advance(60)
    box.issue("me")
    clock.advance(240)
    box.issue("elder", priority="elder")
    box.issue("chosen")
    box.call("3")
    box.do(c.Start(counter="3"))
    box.do(c.Finish(counter="3"))
    box.do(c.Call(counter="3", ticket="chosen", reason="材料补交"))
    await centre.talk(box)
    async with web_of(centre) as web:
        return box, web


@pytest.fixture
def town(tmp_path: Path, clock: FixedClock) -> Iterator[tuple[Box, Web, str]]:
    centre = Centre(f"sqlite:///{tmp_path / 'controller.db'}", tmp_path, clock)
    centre.enrol()
    with asyncio.Runner() as runner:
        box, web = runner.run(_morning(centre, clock))
    with serving(web.app) as url:
        yield box, web, url
    centre.close()


def inside(page: Any, url: str, path: str, web: Web) -> None:
    page.goto(f"{url}/login?next={path}")
    page.fill("#user", "chief")
    page.fill("#password", web.password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}{path}")


def bars(web: Web) -> int:
    """One for each service, and for each hour, in which somebody was told a time."""
    rows = [row for row in web.centre.rows("WAITS") if row["low"] is not None]
    return len({row["service"] for row in rows}) + len({row["hour"] for row in rows})


def test_who_was_passed_finds_out_why_without_a_script(town: tuple[Box, Web, str], window: Any) -> None:
    box, _, url = town
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{url}/t/token-haitang-me")
    details = page.locator("#passed")
    expect(details.locator("summary")).to_have_text("有 2 个号在我之后来、先被叫到，为什么？")
    expect(details.locator("li").first).not_to_be_visible()
    details.locator("summary").click()
    elder, chosen = (box.queue.tickets[name].label for name in ("elder", "chosen"))
    expect(details.locator("li").nth(1)).to_contain_text(f"{elder} 属于优先办理人群")
    expect(details.locator("li").nth(0)).to_contain_text(f"{chosen} 由窗口工作人员特别叫号")
    assert "材料补交" not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_staff_ask_about_any_two_numbers(town: tuple[Box, Web, str], window: Any) -> None:
    box, web, url = town
    page = window(DESK)
    inside(page, url, "/halls/haitang", web)
    expect(page.locator("#calibration meter")).to_have_count(bars(web))
    page.get_by_role("link", name="叫号顺序").click()
    elder, me = (box.queue.tickets[name].label for name in ("elder", "me"))
    expect(page.locator("#calls tbody tr")).to_have_count(38)
    page.get_by_label("先叫的号").fill(elder.lower())
    page.get_by_label("后叫的号").fill(me)
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#answer")).to_contain_text(f"{elder} 属于优先办理人群")
    expect(page.locator("#answer")).to_contain_text("优先类别：70岁以上")
    page.get_by_label("后叫的号").fill("A999")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("alert").last).to_contain_text("A999")


def test_everybody_reads_how_well_the_times_held(town: tuple[Box, Web, str], window: Any) -> None:
    page = window(PHONE)
    page.goto(f"{town[2]}/h/haitang")
    expect(page.locator("#services")).to_contain_text("的等候时间与我们报的一致")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_share_of_a_few_visitors_is_not_published(centre: Any, window: Any) -> None:
    centre.fake.desk.told["n"] = 29
    page = window(PHONE)
    page.goto(f"{centre.url}/h/binjiang")
    expect(page.locator("#services")).not_to_contain_text("一致")
    page.goto(f"{centre.url}/halls/binjiang")
    expect(page.locator("#calibration")).to_contain_text("人数不多")


def test_staff_read_the_order_on_the_smallest_telephone(town: tuple[Box, Web, str], window: Any) -> None:
    box, web, url = town
    page = window(SMALL)
    inside(page, url, "/halls/haitang", web)
    look_narrow(page, f"{url}/halls/haitang")
    elder, me = (box.queue.tickets[name].label for name in ("elder", "me"))
    look_narrow(page, f"{url}/halls/haitang/order?one={elder}&other={me}")
