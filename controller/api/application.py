"""The HTTP application: API routers, pages, and every error as problem details."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse

from controller.api import (
    appeals,
    appointments,
    calendar,
    citizens,
    draws,
    events,
    halls,
    health,
    lists,
    order,
    public,
    ratings,
    receipts,
    time,
)
from controller.api.deps import Parts
from controller.api.problems import install_problems
from controller.use_cases.telling_time import TimeTeller
from hall_core.errors.described import PROBLEMS

__all__ = ["application"]


def application(parts: Parts | None = None, pages: Sequence[APIRouter] = ()) -> FastAPI:
    """The whole application. Without `parts` it can only describe itself: `application().openapi()`."""
    app = FastAPI(
        title="Quiethall controller",
        version="1",
        description="Halls, tickets and notices of a district. Errors are RFC 9457 problem details.",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
    )
    app.state.parts = parts
    if parts is not None:
        app.state.time = TimeTeller(parts.context.clock, parts.context.phones.time_seed)
    install_problems(app)
    booking = (appointments, draws, appeals)
    citizens_and_staff = (public, halls, *booking, calendar, citizens, order, lists, ratings)
    for module in (*citizens_and_staff, receipts, events, health, time):
        app.include_router(module.router)
    app.add_api_route("/docs", _docs, include_in_schema=False)
    for router in pages:
        app.include_router(router)
    return app


async def _docs() -> RedirectResponse:
    """Whoever looks for the documentation finds the description itself; no page loads scripts from afar."""
    return RedirectResponse("/openapi.json")
