"""Appointments on the pages: a day, a time, a confirmation; and another time for one that is made."""

from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.web.draw_pages import draw_part, register
from controller.web.forms import address_of, ask_of, common, key_of, read_form, sentence
from controller.web.hall_pages import hall_part, missing, service_of
from controller.web.services import Services
from controller.web.showing import day_words, names, tile
from hall_core.errors import BadRequest, IllegalTransition, Refused
from hall_ui import words
from hall_ui.screens import Screens, language, remember

__all__ = ["add_booking_pages"]

#: slots on one page
TIMES = 48


def add_booking_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/h/{hall}/book` and `/t/{token}/reschedule`."""
    _add_book(router, services, screens)
    _add_reschedule(router, services, screens)


def _add_book(router: APIRouter, services: Services, screens: Screens) -> None:
    @router.get("/h/{hall}/book")
    async def book_form(hall: str, request: Request) -> Response:
        """Day and time as buttons; with a time chosen, the confirmation."""
        return await _book(services, screens, request, hall, {**request.query_params})

    @router.post("/h/{hall}/book")
    async def book(hall: str, request: Request) -> Response:
        """An appointment, or a place in the day's draw; the same form again leads to the same one."""
        form: dict[str, Any] = {}
        try:
            sent = await read_form(request)
            form = {name: str(value) for name, value in sent.items()}
            if "draw" in sent:
                return await register(services, request, sent)
            token = await services.book(hall, ask_of(sent), _time(form), address_of(request))
        except Refused as error:
            return await _book(services, screens, request, hall, form, error)
        return RedirectResponse(f"/t/{quote(token)}", 303)


def _add_reschedule(router: APIRouter, services: Services, screens: Screens) -> None:
    @router.get("/t/{token}/reschedule")
    async def move_form(token: str, request: Request) -> Response:
        """Other times of the same service."""
        return await _move(services, screens, request, token, {**request.query_params})

    @router.post("/t/{token}/reschedule")
    async def move(token: str, request: Request) -> Response:
        """Another time; link and code stay."""
        form: dict[str, Any] = {}
        try:
            sent = await read_form(request)
            form = {name: str(value) for name, value in sent.items()}
            await services.reschedule(token, _time(form), key_of(sent), address_of(request))
        except Refused as error:
            return await _move(services, screens, request, token, form, error)
        return RedirectResponse(f"/t/{quote(token)}", 303)


async def _book(
    services: Services,
    screens: Screens,
    request: Request,
    hall: str,
    form: dict[str, Any],
    refused: Refused | None = None,
) -> Response:
    lang = language(request)
    try:
        row = await services.hall(hall)
        service = service_of(row, form.get("service", ""))
        slots = await _slots(services, hall, service["id"], form, lang)
        drawn = await draw_part(services, hall, service["id"], slots["day"], lang)
    except Refused as error:
        return missing(screens, request, refused or error)
    path = f"/h/{quote(hall)}/book"
    context = {
        **common(request, path, {"service": service["id"], **_query(form)}),
        **slots,
        **drawn,
        "form": form,
        **hall_part(row, lang),
        "path": path,
        "query": urlencode({"service": service["id"]}),
        "hall": tile(row, services.clock.now()),
        "service": service,
        "service_name": names([service], lang)[service["id"]],
        "phone": form.get("phone", ""),
        "priority": form.get("priority", ""),
        "refused": sentence(refused, screens, lang) if refused else "",
        "moving": None,
    }
    return remember(request, screens.page("book.html", lang, _status(refused), **context))


async def _move(
    services: Services,
    screens: Screens,
    request: Request,
    token: str,
    form: dict[str, Any],
    refused: Refused | None = None,
) -> Response:
    lang = language(request)
    try:
        ticket = await services.ticket(token)
        if ticket["state"] != "booked":
            raise IllegalTransition(
                label=ticket["label"] or ticket["appointment"]["code"], state=ticket["state"], action="move"
            )
        row = await services.hall(ticket["hall"])
        service = service_of(row, ticket["service"])
        slots = await _slots(services, row["id"], service["id"], form, lang)
    except Refused as error:
        return missing(screens, request, refused or error)
    path = f"/t/{quote(token)}/reschedule"
    context = {
        **common(request, path, _query(form)),
        **slots,
        **hall_part(row, lang),
        "path": path,
        "query": "",
        "hall": tile(row, services.clock.now()),
        "service": service,
        "service_name": names([service], lang)[service["id"]],
        "refused": sentence(refused, screens, lang) if refused else "",
        "draw": None,
        "coming": None,
        "moving": {"token": token, "starts_at": ticket["appointment"]["starts_at"]},
    }
    return remember(request, screens.page("book.html", lang, _status(refused), **context))


async def _slots(
    services: Services, hall: str, service: str, form: dict[str, Any], lang: str
) -> dict[str, Any]:
    """The days with their words, the slots of one, and the slot that is chosen while it has a place."""
    days = await services.days(hall, service, _day(form.get("day", "") or form.get("at", "")[:10]))
    w = words(lang)
    ahead = {0: w["web"]["today"], 1: w["web"]["tomorrow"]}
    shown = [
        {**row, "words": day_words(row["day"], w), "near": ahead.get((row["day"] - days["today"]).days, "")}
        for row in days["days"]
    ]
    at = form.get("at", "")
    chosen = next((slot for slot in days["slots"] if slot["starts_at"] == at and slot["left"]), None)
    return {**days, "days": shown, "chosen": chosen, **_times(days["slots"], form.get("from", ""))}


def _times(slots: list[dict[str, Any]], begin: str) -> dict[str, Any]:
    """A page of a day's slots, from `begin` (HH:MM) or the first free one; its neighbours' beginnings."""
    starts = [slot["starts_at"][11:16] for slot in slots]
    free = next((n for n, slot in enumerate(slots) if slot["left"]), 0)
    first = next((n for n, start in enumerate(starts) if start >= begin), 0) if begin else free
    first = first // TIMES * TIMES
    before = slots[first - TIMES]["starts_at"] if first else None
    after = slots[first + TIMES]["starts_at"] if first + TIMES < len(slots) else None
    return {"times": slots[first : first + TIMES], "times_before": before, "times_after": after}


def _query(form: dict[str, Any]) -> dict[str, str]:
    return {name: form[name] for name in ("day", "at", "from") if form.get(name)}


def _status(refused: Refused | None) -> int:
    return refused.status if refused else 200


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _time(form: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(form.get("at", ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadRequest(what="at")
    return at
