"""The calendar for administrators: a year of a hall on one page, and a form for a day that is different."""

import calendar
import re
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.web.forms import for_staff, read_form
from controller.web.services import Services
from controller.web.showing import names
from hall_core.errors import BadRequest, Refused
from hall_ui.screens import Screens, language, remember

__all__ = ["add_calendar_pages"]

FIRST_YEAR, LAST_YEAR = 2020, 2099
EVERYWHERE = "*"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: what a form may say about a day
KINDS = ("closed", "like", "spans", "services", "ordinary", "remove")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~至]\s*(\d{1,2}):(\d{2})")


def add_calendar_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/calendar`, for administrators; it works without a script."""

    @router.get("/calendar")
    async def year(request: Request) -> Response:
        """The special days of a hall's year."""
        viewer = await services.viewer(request)
        if viewer is None:
            return RedirectResponse(f"/login?next={quote('/calendar')}", 303)
        return await _page(services, screens, request, viewer, dict(request.query_params))

    @router.post("/calendar")
    async def say(request: Request) -> Response:
        """One day is different, or like any other again."""
        viewer = await services.viewer(request)
        if viewer is None:
            return RedirectResponse(f"/login?next={quote('/calendar')}", 303)
        asked: dict[str, str] = {}
        try:
            form = await read_form(request)
            asked = {key: str(form.get(key, "")) for key in ("hall", "day", "scope", "kind", "name", "spans")}
            scope, day = asked["scope"] or asked["hall"], _day(asked["day"])
            if asked["kind"] == "remove":
                await services.calendar.clear_day(scope, day)
            else:
                await services.calendar.set_day(scope, day, _body(form), f"admin:{viewer}")
        except Refused as error:
            return await _page(services, screens, request, viewer, asked, refused=error)
        query = urlencode({"hall": asked["hall"], "year": day.year, "day": day.isoformat()})
        return RedirectResponse(f"/calendar?{query}", 303)


def _day(text: str) -> date:
    """Raises BadRequest."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(what="day") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadRequest(what="day")
    return day


def _body(form: FormData) -> dict[str, Any] | None:
    """What the form says of the day; None: it is like any other. Raises BadRequest."""
    kind = str(form.get("kind", ""))
    if kind not in KINDS:
        raise BadRequest(what="kind")
    if kind == "ordinary":
        return None
    body: dict[str, Any] = {"name": str(form.get("name", "")).strip()[:24], "closed": kind == "closed"}
    if kind == "like":
        body["like"] = str(form.get("like", ""))
    elif kind == "spans":
        body["spans"] = _spans(str(form.get("spans", "")))
    elif kind == "services":
        body["services"] = [str(name) for name in form.getlist("services")]
    return body


def _spans(text: str) -> list[str]:
    """`9:00-12:00 13:00-17:00`, as people write it. Raises BadRequest for what is none of these."""
    found = [f"{int(a):02}:{b}-{int(c):02}:{d}" for a, b, c, d in _SPAN.findall(text)]
    if not found or _SPAN.sub("", text).strip(" ,，;；、\n\t"):
        raise BadRequest(what="hours, such as 9:00-12:00 13:00-17:00")
    return found


async def _page(
    services: Services,
    screens: Screens,
    request: Request,
    viewer: str,
    asked: dict[str, str],
    refused: Refused | None = None,
) -> Response:
    lang, today = language(request), services.clock.now().date()
    halls = {row["id"]: row for row in await services.halls()}
    hall = asked.get("hall", "") if asked.get("hall") in halls else next(iter(halls), "")
    chosen = _chosen(asked.get("day", ""))
    wanted = asked.get("year", "")
    year = int(wanted) if wanted.isdecimal() and len(wanted) == 4 else (chosen or today).year
    year = min(max(year, FIRST_YEAR), LAST_YEAR)
    days = {row["day"]: row for row in await services.calendar.days(hall, year)} if hall else {}
    context = {
        **for_staff(request, viewer),
        "halls": {key: row["name"] for key, row in halls.items()},
        "hall": hall,
        "service_names": names(halls[hall]["services"], lang) if hall else {},
        "year": year,
        "today": today,
        "months": [_month(year, month) for month in range(1, 13)],
        "days": days,
        "weekdays": WEEKDAYS,
        "chosen": chosen,
        "said": days.get(chosen.isoformat()) if chosen else None,
        "asked": asked,
        "alarms": [row for row in await services.alarms() if row["kind"] == "calendar-missing"],
        "refused": refused.sentence(lang) if refused else "",
    }
    status = refused.status if refused else 200
    return remember(request, screens.page("calendar.html", lang, status, **context))


def _chosen(text: str) -> date | None:
    try:
        return _day(text)
    except BadRequest:
        return None


def _month(year: int, month: int) -> list[list[date | None]]:
    """Its weeks, from Monday; none where a day is of another month."""
    weeks = calendar.Calendar().monthdatescalendar(year, month)
    return [[day if day.month == month else None for day in week] for week in weeks]
