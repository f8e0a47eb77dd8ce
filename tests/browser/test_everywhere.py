"""What holds for every page of both programs."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import BOARD, KIOSK, PHONE
from tests.browser.fake_centre import TOKEN

DESK = {"width": 1280, "height": 800}
HALL_PAGES = [
    ("/kiosk", KIOSK),
    ("/kiosk?lang=en&size=large", KIOSK),
    ("/board", BOARD),
    ("/counter/c1", PHONE),
    ("/counter/c3", DESK),
    ("/counter/c4", PHONE),
    ("/login", PHONE),
    ("/offline", KIOSK),
]
CENTRE_PAGES = [
    ("/", DESK),
    ("/?lang=en", PHONE),
    ("/login", DESK),
    ("/halls/binjiang", DESK),
    ("/halls/chunxiao", PHONE),
    (f"/t/{TOKEN}", PHONE),
    (f"/t/{TOKEN}?ask=cancel&size=large", PHONE),
    ("/t/unknown", PHONE),
    ("/h/binjiang", PHONE),
]


def look(page: Any, url: str) -> None:
    """No serious barrier, nothing from another host, nothing the page's own policy forbids."""
    hosts: set[str] = set()
    said: list[str] = []
    page.on("request", lambda r: hosts.add("/".join(r.url.split("/")[:3])))
    page.on("console", lambda m: said.append(m.text) if "Content Security Policy" in m.text else None)
    answer = page.goto(url)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy
    found = Axe().run(page)
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"]) for v in serious] == []
    assert hosts == {"/".join(url.split("/")[:3])}
    assert [s for s in said if "axe" not in s] == []


@pytest.mark.parametrize(("path", "size"), HALL_PAGES)
def test_a_halls_page_has_no_serious_barrier(hall: Any, window: Any, path: str, size: dict[str, int]) -> None:
    look(window(size), hall.url + path)


@pytest.mark.parametrize(("path", "size"), CENTRE_PAGES)
def test_a_controllers_page_has_no_serious_barrier(
    centre: Any, window: Any, path: str, size: dict[str, int]
) -> None:
    look(window(size), centre.url + path)


def test_a_hidden_screen_of_the_kiosk_has_no_serious_barrier(hall: Any, window: Any) -> None:
    page = window(KIOSK)
    page.clock.install()
    page.goto(f"{hall.url}/kiosk")
    page.click("[data-service=social]")
    page.clock.run_for(500)
    page.click("#take")
    page.wait_for_selector("#ticket:not([hidden])")
    found = Axe().run(page)
    assert [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")] == []


def test_the_kept_page_answers_while_the_agent_is_away(hall: Any, window: Any) -> None:
    page = window(KIOSK, service_workers="allow")
    page.goto(f"{hall.url}/kiosk")
    page.evaluate("() => navigator.serviceWorker.ready")
    page.context.set_offline(offline=True)
    page.goto(f"{hall.url}/board")
    assert page.locator("h1").inner_text() == "取号机维护中"


def test_files_change_their_address_with_their_content(hall: Any, window: Any) -> None:
    page = window(DESK)
    page.goto(f"{hall.url}/board")
    sheet = page.locator("link[href*='board.css']").get_attribute("href")
    assert "immutable" in page.request.get(hall.url + sheet).headers["cache-control"]
    assert page.request.get(f"{hall.url}/static/board.css").headers["cache-control"] == "no-cache"
    assert page.request.get(f"{hall.url}/static/../pages.py").status == 404
    assert page.request.get(f"{hall.url}/static/%2e%2e/pages.py").status == 404
