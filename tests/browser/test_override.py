"""The page for the telephone: read a number out, type a code in. It needs no script."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hall_core.clock import FixedClock
from hall_core.queueing.override import Override, box_tail, write_code
from tests.browser.agent import Agent, agent_of
from tests.browser.conftest import PHONE
from tests.browser.test_everywhere import DESK, look
from tests.edge_agent.conftest import DAY, STREAM

KEY = bytes(range(32))
CODE = write_code(Override("binjiang", box_tail(STREAM), 3, DAY, DAY + timedelta(days=6)), KEY)


@pytest.fixture
def agent(tmp_path: Path, clock: FixedClock) -> Iterator[Agent]:
    """A box that holds no numbers."""
    with agent_of(tmp_path, clock, granted=False, override_key=base64.b64encode(KEY).decode()) as agent:
        yield agent


def logged_in(agent: Agent, window: Any, size: dict[str, int], **options: Any) -> Any:
    """The page, after the login it asks for."""
    password = agent.inside.accounts.add_password("wang")
    page = window(size, **options)
    page.goto(f"{agent.url}/override")
    page.fill("#user", "wang")
    page.fill("#password", password)
    page.click("button")
    expect(page.locator(".tail")).to_have_text("0000 0000")
    return page


@pytest.mark.parametrize(("size", "lang"), [(PHONE, "zh"), (PHONE, "en"), (DESK, "zh")])
def test_a_clerk_reads_the_box_out_and_types_the_code_in(
    agent: Agent, window: Any, size: dict[str, int], lang: str
) -> None:
    page = logged_in(agent, window, size, java_script_enabled=False)
    page.goto(f"{agent.url}/override?lang={lang}")
    expect(page.locator(".none")).to_be_visible()
    page.fill("#code", "0000-0000-0000")
    page.click("button")
    expect(page.locator("#said")).to_contain_text("应急码不正确" if lang == "zh" else "Not an override code")
    expect(page.locator("#code")).to_have_value("0000-0000-0000")
    page.fill("#code", CODE.lower().replace("-", " "))
    page.click("button")
    expect(page.locator("#done")).to_be_visible()
    expect(page.locator("dl")).to_contain_text("3001–3999")
    expect(page.locator("dl")).to_contain_text("2026-11-29")
    expect(page.locator(".none")).to_have_count(0)
    assert page.evaluate("document.body.scrollWidth <= innerWidth")


def test_the_page_has_no_serious_barrier(agent: Agent, window: Any) -> None:
    look(logged_in(agent, window, PHONE), f"{agent.url}/override")
