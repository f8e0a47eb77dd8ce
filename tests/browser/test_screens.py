"""The hall's pages as devices, in a real browser before a real agent."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from tests.browser.agent import Agent, agent_of
from tests.browser.conftest import BOARD, KIOSK, PHONE
from tests.edge_agent.conftest import issue

DEVICES: list[dict[str, Any]] = [
    {"name": "hall-board", "profile": "screen.board", "address": "web://hall-board"},
    {"name": "kiosk-1", "profile": "screen.kiosk", "address": "web://kiosk-1"},
    {"name": "terminal-1", "profile": "screen.terminal", "address": "web://terminal-1"},
    {"name": "info-1", "profile": "screen.info", "address": "web://info-1"},
    {"name": "rate-1", "profile": "screen.evaluator", "address": "web://rate-1", "counter": "1"},
]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    clock = FixedClock(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))
    with agent_of(tmp_path, clock, *DEVICES) as agent:
        yield agent


def until(truth: Callable[[], bool], page: Page | None = None) -> None:
    """Ask again and again; the page lives meanwhile."""
    deadline = time.monotonic() + 30
    while not truth():
        assert time.monotonic() < deadline
        if page is None:
            time.sleep(0.02)
        else:
            page.wait_for_timeout(20)


def call_one(agent: Agent) -> None:
    agent.handle(c.OpenCounter(counter="1"))
    agent.handle(issue(1))
    agent.handle(c.CallNext(counter="1"))


def live(page: Page, agent: Agent, seconds: int) -> None:
    """Time passes for the page and for the hall."""
    for _ in range(seconds):
        page.clock.run_for(1000)
        agent.clock.advance(1)
        page.wait_for_timeout(20)


def test_a_board_goes_online_and_a_call_is_applied_because_the_screen_says_so(
    agent: Agent, window: Any
) -> None:
    page = window(BOARD)
    assert agent.device("hall-board")["state"] in ("unknown", "offline")
    page.goto(f"{agent.url}/board?screen=hall-board")
    until(lambda: agent.device("hall-board")["state"] == "online", page)
    call_one(agent)
    expect(page.locator("#calls .label")).to_have_text(["A001"])
    until(lambda: agent.device("hall-board")["outcome"] == "applied", page)


def test_a_board_whose_picture_is_old_is_not_applied(agent: Agent, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{agent.url}/board?screen=hall-board")
    until(lambda: agent.device("hall-board")["outcome"] == "applied", page)
    page.route("**/api/stream", lambda route: route.abort())
    page.reload()
    page.wait_for_timeout(100)
    call_one(agent)
    until(lambda: agent.device("hall-board")["outcome"] == "unconfirmed", page)


def test_a_page_that_freezes_is_offline_within_15_s(agent: Agent, window: Any) -> None:
    page = window(BOARD)
    page.clock.install()
    page.goto(f"{agent.url}/board?screen=hall-board")
    until(lambda: agent.device("hall-board")["state"] == "online", page)
    live(page, agent, 30)
    assert agent.device("hall-board")["state"] == "online"
    page.evaluate("setTimeout(() => { for (;;); }, 0)")
    agent_only = 0
    while agent.device("hall-board")["state"] == "online":
        agent.clock.advance(1)
        agent_only += 1
        assert agent_only <= 15
        time.sleep(0.15)  # three looks of the keeper
    found = agent.device("hall-board")
    assert found["state"] == "offline"
    assert "/board?screen=hall-board" in found["detail"]


@pytest.mark.parametrize(
    ("name", "path", "size"),
    [
        ("kiosk-1", "/kiosk", KIOSK),
        ("terminal-1", "/terminal", KIOSK),
        ("info-1", "/info", BOARD),
        ("rate-1", "/rate/1", {"width": 1280, "height": 800}),
    ],
)
def test_every_page_reports_under_its_name(
    agent: Agent, window: Any, name: str, path: str, size: dict[str, int]
) -> None:
    page = window(size)
    page.goto(f"{agent.url}{path}?screen={name}")
    until(lambda: agent.device(name)["state"] == "online", page)
    assert page.url == f"{agent.url}{path}"
    assert agent.device(name)["detail"] == ""


def test_a_page_without_a_name_says_nothing(agent: Agent, window: Any) -> None:
    page = window(PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{agent.url}/board")
    expect(page.locator("#clock")).to_be_visible()
    page.wait_for_timeout(300)
    assert [url for url in asked if "/api/screens/" in url] == []


def test_a_name_is_kept_over_a_restart_of_the_page_and_of_the_window(agent: Agent, window: Any) -> None:
    page = window(BOARD)
    page.goto(f"{agent.url}/board?screen=hall-board")
    with page.expect_request("**/api/screens/hall-board/beat"):
        page.reload()
    another = page.context.new_page()
    with another.expect_request("**/api/screens/hall-board/beat"):
        another.goto(f"{agent.url}/board")


def test_a_terminal_keeps_its_name_on_the_kiosks_page_and_its_machine_may_be_a_board_too(
    agent: Agent, window: Any
) -> None:
    page = window(KIOSK)
    page.goto(f"{agent.url}/terminal?screen=terminal-1")
    with page.expect_request("**/api/screens/terminal-1/beat"):
        page.goto(f"{agent.url}/kiosk?home=terminal")
    board = page.context.new_page()
    with board.expect_request("**/api/screens/hall-board/beat"):
        board.goto(f"{agent.url}/board?screen=hall-board")
    again = page.context.new_page()
    with again.expect_request("**/api/screens/terminal-1/beat"):
        again.goto(f"{agent.url}/terminal")


def test_an_old_page_loads_anew_when_nobody_uses_it(agent: Agent, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{agent.url}/kiosk?screen=kiosk-1")
    until(lambda: agent.device("kiosk-1")["state"] == "online", page)
    page.evaluate("document.body.dataset.version = 'older'; window.mine = true")
    page.locator("[data-service]").first.click()
    live(page, agent, 6)
    assert agent.device("kiosk-1")["detail"].startswith("页面有新版本")
    assert page.evaluate("window.mine") is True, "somebody takes a number"
    page.locator("#back").click()
    live(page, agent, 18)
    assert page.evaluate("window.mine") is True, "somebody still stands there"
    with page.expect_navigation():
        page.clock.run_for(8000)
    until(lambda: agent.device("kiosk-1")["detail"] == "", page)


def test_a_rating_page_says_whom_it_asks(agent: Agent, window: Any) -> None:
    page = window({"width": 1280, "height": 800})
    page.goto(f"{agent.url}/rate/1?screen=rate-1")
    call_one(agent)
    with page.expect_request(
        lambda request: request.url.endswith("/rate-1/beat") and request.post_data_json["showing"] == ["A001"]
    ) as asked:
        agent.handle(c.Start(counter="1"))
    assert asked.value.post_data_json["counter"] == "1"
    expect(page.locator("#visit .ask")).to_be_visible()
    until(lambda: agent.device("rate-1")["outcome"] == "applied", page)
