"""A controller with a draw, on a clock and a database of the test's own, for a browser."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.api.application import application
from controller.api.deps import Parts
from controller.use_cases.people import People, add_admin
from controller.web.live_services import LiveServices
from controller.web.pages import pages
from hall_core.clock import FixedClock
from tests.browser.conftest import serving
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.controller.web import Link

#: pictures for whoever wants to look; git ignores the folder
OUT = Path(__file__).parent / "out"


def shot(page: Any, name: str) -> None:
    OUT.mkdir(exist_ok=True)
    page.screenshot(path=str(OUT / f"{name}.png"), full_page=True)


@dataclass
class Town:
    """The address of the pages, what is behind them, and the administrator's password."""

    url: str
    centre: Centre
    box: Box
    password: str

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Work beside the browser's own loop."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work).result(timeout=30)


@contextmanager
def town_of(folder: Path, clock: FixedClock) -> Iterator[Town]:
    centre = Centre(f"sqlite:///{folder / 'controller.db'}", folder, clock)
    centre.enrol()
    password = centre.database.write_now(lambda tx: add_admin(tx, "chief", clock))
    people = People(centre.database, clock)
    parts = Parts(centre.context, people, Link(), centre.metrics)  # type: ignore[arg-type]
    with serving(application(parts, [pages(LiveServices(centre.context, people))])) as url:
        yield Town(url, centre, Box(clock).open(), password)
    centre.close()
