"""The web application of one hall: API, stream, pages, problems."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from edge_agent.web.api import api_routes
from edge_agent.web.login import login_routes
from edge_agent.web.more_pages import more_pages
from edge_agent.web.pages import pages
from edge_agent.web.problems import install_problems
from edge_agent.web.stream import stream_routes
from edge_agent.web.view import View
from hall_ui.screens import Screens

__all__ = ["web_app"]


def web_app(view: View, *, new_id: Callable[[], str], version: str) -> FastAPI:
    """Everything a hall serves over HTTP. Nothing of it comes from another host."""
    app = FastAPI(title="Quiethall hall agent", version=version, docs_url=None, redoc_url=None)
    install_problems(app)
    app.include_router(api_routes(view, new_id))
    app.include_router(stream_routes(view))
    app.include_router(login_routes(view.guard), include_in_schema=False)
    app.include_router(pages(view))
    app.include_router(more_pages(view, Screens(Path(__file__).parent)), include_in_schema=False)

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        """The kiosk is what a box shows first."""
        return RedirectResponse("/kiosk")

    return app
