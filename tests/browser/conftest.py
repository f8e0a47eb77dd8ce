"""One Chromium for the whole run, a fresh window per test, and the pages on a real server.

Journeys use `browser`, `window` and `serving` with the real programs; the `hall` and `centre`
fixtures serve the same pages over values that stand still.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KIOSK = {"width": 1080, "height": 1920}
BOARD = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 780}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[Any, asyncio.AbstractEventLoop]]:
    """The machine's Chromium, started once. Its absence fails in CI and skips elsewhere."""
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        remedy = "chromium not found: apt install chromium fonts-noto-cjk"
        if os.environ.get("CI") == "true":
            pytest.fail(remedy)
        pytest.skip(remedy)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield opened, loop
        asyncio._set_running_loop(loop)
        opened.close()


@pytest.fixture
def browser(chromium: tuple[Any, asyncio.AbstractEventLoop]) -> Iterator[Any]:
    """The browser, for this test. Playwright's loop counts as running in this thread for as long as it
    lives; it is laid aside between tests, so that tests with loops of their own can run in any order.
    """
    opened, loop = chromium
    asyncio._set_running_loop(loop)
    yield opened
    asyncio._set_running_loop(None)


@pytest.fixture
def window(browser: Any) -> Iterator[Callable[..., Any]]:
    """`window(size, **options)` gives a page of its own; a script error fails the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def opened(size: dict[str, int], **options: Any) -> Any:
        # A kept page would answer for the server under test.
        context = browser.new_context(viewport=size, **{"service_workers": "block", **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application on a free port of this machine; gives its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    listening.listen(128)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="pages")
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A fake and the address of its pages."""

    fake: Any
    url: str


@pytest.fixture(scope="session")
def hall_server() -> Iterator[Served]:
    from tests.browser.fake_hall import FakeHall, hall_app

    fake = FakeHall()
    with serving(hall_app(fake)) as url:
        yield Served(fake, url)
        fake.silent = True


@pytest.fixture
def hall(hall_server: Served) -> Iterator[Served]:
    """A hall's pages over a fixed state; streams end with the test."""
    hall_server.fake.reset()
    yield hall_server
    hall_server.fake.silent = True


@pytest.fixture(scope="session")
def centre_server() -> Iterator[Served]:
    from tests.browser.fake_centre import FakeCentre, centre_app

    fake = FakeCentre()
    with serving(centre_app(fake)) as url:
        yield Served(fake, url)


@pytest.fixture
def centre(centre_server: Served) -> Served:
    """The controller's pages over fixed values."""
    centre_server.fake.reset()
    return centre_server
