"""The draw of a new booking day on the open pages: taking part, and what everybody needs to check it."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.web.forms import address_of, ask_of, common
from controller.web.hall_pages import missing
from controller.web.services import Services
from controller.web.showing import dated, time_of
from hall_core.errors import BadRequest, Refused, UnknownDraw
from hall_ui import words
from hall_ui.screens import Screens, language, remember

__all__ = ["add_draw_pages", "draw_part", "register"]

#: wishes on the form
CHOICES = 3
#: characters of a registration's id
LONGEST = 64
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def add_draw_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/draws/{draw}`; the form that registers is sent by the booking page."""

    @router.get("/draws/{draw}")
    async def one_draw(draw: str, request: Request) -> Response:
        """Commitment, seed, registrations and order; with `mine` the place of one registration."""
        lang = language(request)
        mine = request.query_params.get("mine", "").strip()[:LONGEST]
        try:
            if not _ID.fullmatch(draw):
                raise UnknownDraw
            row = await services.fair.draw(draw)
        except Refused as error:
            return missing(screens, request, error)
        path, order = f"/draws/{quote(draw)}", row["order"] or []
        context = {
            **common(request, path, {"mine": mine} if mine else None),
            "draw": row,
            "mine": mine,
            "place": order.index(mine) + 1 if mine in order else 0,
            "page": f"{services.public_url}{path}",
            **_times(row, lang),
        }
        return remember(request, screens.page("draw.html", lang, **context))


async def register(services: Services, request: Request, sent: FormData) -> Response:
    """Take part as the form says. Raises a Refused."""
    draw = str(sent.get("draw", ""))
    if not _ID.fullmatch(draw):
        raise UnknownDraw
    token = await services.fair.register(draw, ask_of(sent), _wishes(sent), address_of(request))
    return RedirectResponse(f"/t/{quote(token)}", 303)


def _wishes(sent: FormData) -> list[datetime]:
    """Slots that were chosen, each once, by their beginning on the day's clock face. Raises BadRequest."""
    chosen = dict.fromkeys(text for n in range(1, CHOICES + 1) if (text := str(sent.get(f"wish{n}", ""))))
    day, offset = str(sent.get("day", "")), str(sent.get("offset", ""))
    try:
        wishes = [datetime.fromisoformat(f"{day}T{text[:5]}{offset}") for text in chosen]
    except ValueError:
        wishes = []
    if not wishes or any(at.tzinfo is None for at in wishes):
        raise BadRequest(what="wishes")
    return wishes


async def draw_part(services: Services, hall: str, service: str, day: Any, lang: str) -> dict[str, Any]:
    """For the booking page: the `draw` that decides about this day, and the one that is `coming`; places are
    given `by_person` where there are draws at all.
    """
    rows = [row for row in await services.fair.draws(hall) if row["service"] == service]
    running = (row for row in rows if row["state"] not in ("to-come", "allotted"))
    draw = next((row for row in running if day is not None and row["day"] == day.isoformat()), None)
    coming = next((row for row in rows if row["state"] == "to-come"), None)
    return {
        "draw": {**draw, **_times(draw, lang)} if draw else None,
        "coming": {**coming, **_times(coming, lang)} if coming else None,
        "by_person": bool(rows),
        "choices": range(1, CHOICES + 1),
    }


def _times(row: dict[str, Any], lang: str) -> dict[str, Any]:
    w = words(lang)
    opens, closes = time_of(row["opens_at"]), time_of(row["closes_at"])
    when = dated(opens.date(), w)
    return {
        "opening_day": when,
        "window": f"{opens:%H:%M}–{closes:%H:%M}",
        "until": f"{closes:%H:%M}",
        "for_day": dated(datetime.fromisoformat(row["day"]).date(), w),
    }
