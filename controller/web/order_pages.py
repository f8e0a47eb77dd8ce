"""The order of a day's calls for staff, and why one number was called before another."""

from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.use_cases.waits import ENOUGH
from controller.web.forms import for_staff
from controller.web.hall_pages import missing
from controller.web.services import Services
from controller.web.showing import names, time_of
from hall_core.errors import BadRequest, Refused
from hall_ui.screens import Screens, language, remember

__all__ = ["add_order_pages"]

#: a label is no longer than this
LABEL = 8


def add_order_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/halls/{hall}/order`, for administrators, and filters for what other pages show of it."""
    screens.filters["enough"] = lambda told: told["n"] >= ENOUGH
    # Rounded down: nothing is shown as better than it is.
    screens.filters["percent_down"] = lambda told: told["held"] * 100 // told["n"]

    @router.get("/halls/{hall}/order")
    async def order(hall: str, request: Request) -> Response:
        """The day's calls, and the answer for any two labels."""
        viewer = await services.viewer(request)
        if viewer is None:
            goal = f"/halls/{hall}/order?{urlencode(list(request.query_params.multi_items()))}"
            return RedirectResponse(f"/login?next={quote(goal)}", 303)
        return await _order(services, screens, request, hall, viewer)


async def _order(services: Services, screens: Screens, request: Request, hall: str, viewer: str) -> Response:
    lang, asked = language(request), request.query_params
    one, other = (asked.get(name, "").strip().upper()[:LABEL] for name in ("one", "other"))
    refused: Refused | None = None
    day: date | None = None
    try:
        row = await services.hall(hall)
        try:
            day = _day(asked.get("day", ""))
            found = await services.desk.order(hall, day, one, other)
        except Refused as error:
            refused, found = error, await services.desk.order(hall, day, "", "")
    except Refused as error:
        return missing(screens, request, error)
    context: dict[str, Any] = {
        **for_staff(request, viewer),
        "hall": row,
        "found": found,
        "one": one,
        "other": other,
        "refused": refused.sentence(lang) if refused else "",
        "service_names": names(row["services"], lang),
        "counter_names": {c["id"]: c["name"] for c in row["counters"]},
        "clock_of": lambda at: f"{time_of(at):%H:%M:%S}",
    }
    return remember(request, screens.page("order.html", lang, refused.status if refused else 200, **context))


def _day(text: str) -> date | None:
    """The day that was asked for; none: the present one. Raises BadRequest."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadRequest(what="day") from error
