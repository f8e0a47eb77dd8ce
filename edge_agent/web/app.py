"""The web application of one hall: API, stream, pages, problems."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from device_drivers.bus import NamedScreens
from edge_agent.self_tests import SelfTests
from edge_agent.web.api import api_routes
from edge_agent.web.appointments import appointment_routes
from edge_agent.web.device_routes import device_routes
from edge_agent.web.login import login_routes
from edge_agent.web.more_pages import more_pages
from edge_agent.web.override import override_routes
from edge_agent.web.pagers import pager_routes
from edge_agent.web.pages import pages
from edge_agent.web.ratings import rating_routes
from edge_agent.web.screens import screen_routes
from edge_agent.web.slips import slip_routes
from edge_agent.web.stream import stream_routes
from edge_agent.web.view import View
from hall_core.errors.described import PROBLEMS
from hall_ui.problems import install_problems
from hall_ui.screens import Screens

__all__ = ["web_app"]


def web_app(
    view: View,
    *,
    new_id: Callable[[], str],
    version: str,
    screens: NamedScreens | None = None,
    tests: SelfTests | None = None,
) -> FastAPI:
    """Everything a hall serves over HTTP. Nothing of it comes from another host.

    `screens` are the browsers that report under a name, `tests` the self-tests of the hall's terminals.
    """
    app = FastAPI(
        title="Quiethall hall agent", version=version, docs_url=None, redoc_url=None, responses=PROBLEMS
    )
    install_problems(app)
    app.include_router(api_routes(view, new_id))
    app.include_router(appointment_routes(view))
    app.include_router(pager_routes(view))
    app.include_router(rating_routes(view))
    app.include_router(slip_routes(view))
    app.include_router(stream_routes(view))
    app.include_router(login_routes(view.guard), include_in_schema=False)
    app.include_router(pages(view))
    rendered = Screens(Path(__file__).parent)
    app.include_router(more_pages(view, rendered, reasons=True), include_in_schema=False)
    app.include_router(override_routes(view, rendered, new_id))
    if screens is not None:
        screens.version = rendered.assets.version()
        app.include_router(screen_routes(screens))
    if tests is not None:
        app.include_router(device_routes(view, tests))

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        """The kiosk is what a box shows first."""
        return RedirectResponse("/kiosk")

    return app
