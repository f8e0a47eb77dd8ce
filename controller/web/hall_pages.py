"""A hall for everybody, a number from it, and which hall is quicker."""

from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData, ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.use_cases.near import Point, Start, ranked, services_of
from controller.web.forms import address_of, ask_of, common, read_form, sentence
from controller.web.services import Services
from controller.web.showing import names, tile
from hall_core.errors import BadRequest, NothingChosen, Refused, UnknownService
from hall_core.queueing.trips import MOST_SERVICES
from hall_ui.screens import Screens, language, remember

__all__ = ["add_hall_pages", "hall_part", "missing", "service_of"]

#: halls on one page of the list
SHOWN = 20
REFRESH_S = 20


def add_hall_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/near`, `/h/{hall}`, `/h/{hall}/take`."""

    @router.get("/near")
    async def near(request: Request) -> Response:
        """Halls that offer a service, the one most worth going to first."""
        return await _near(services, screens, request)

    @router.get("/h/{hall}")
    async def public_hall(hall: str, request: Request) -> Response:
        """What is open in a hall, how long it takes, and the ways in."""
        try:
            row = await services.hall(hall)
        except Refused as error:
            return missing(screens, request, error)
        context = {
            **common(request, f"/h/{quote(hall)}", refresh=REFRESH_S),
            "hall": tile(row, services.clock.now()),
            **hall_part(row, language(request)),
            "told": await services.desk.calibration(hall),
        }
        return remember(request, screens.page("public.html", language(request), **context))

    @router.get("/h/{hall}/take")
    async def take_form(hall: str, request: Request) -> Response:
        """One question at most, one button. Without a service: several of them, on one number."""
        return await _take(services, screens, request, hall, request.query_params)

    @router.post("/h/{hall}/take")
    async def take(hall: str, request: Request) -> Response:
        """A number; the same form again leads to the same one."""
        form: ImmutableMultiDict[str, Any] = FormData()
        try:
            form = sent = await read_form(request)
            if not sent.getlist("service"):
                raise NothingChosen
            token = await services.take(hall, ask_of(sent), address_of(request))
        except Refused as error:
            return await _take(services, screens, request, hall, form, error)
        return RedirectResponse(f"/t/{quote(token)}", 303)


async def _near(services: Services, screens: Screens, request: Request) -> Response:
    lang, asked = language(request), request.query_params
    service, text, hall = asked.get("service", ""), asked.get("near", ""), asked.get("hall", "")
    point = None
    with suppress(BadRequest):  # whatever stands in the address, the list is of use
        point = Point.parse(text) if text else None
    halls = await services.public_halls()
    offered = services_of(halls)
    chosen = next((s for s in offered if s["id"] == service), None)
    rows = ranked(halls, service or None, Start(point, hall or None))
    count = int(asked["n"]) if asked.get("n", "").isdecimal() and len(asked["n"]) < 5 else SHOWN
    kept = {"service": service, "hall": hall, "near": text if point else ""}
    kept = {name: value for name, value in kept.items() if value}
    context = {
        **common(request, "/near", kept, REFRESH_S if service else 0),
        "service": chosen,
        "unknown": bool(service) and chosen is None,
        "offered": offered,
        "service_names": names(offered, lang),
        "rows": rows[:count],
        "alone": sum(row["proposed"] for row in rows) == len(rows) if service else True,
        "located": point is not None,
        "more": f"?{urlencode({**kept, 'n': count + SHOWN})}" if len(rows) > count else "",
        "others": f"/near?{urlencode({k: v for k, v in kept.items() if k != 'service'})}",
        "from_hall": hall,
    }
    return remember(request, screens.page("near.html", lang, **context))


async def _take(
    services: Services,
    screens: Screens,
    request: Request,
    hall: str,
    form: ImmutableMultiDict[str, Any],
    refused: Refused | None = None,
) -> Response:
    lang = language(request)
    try:
        row = await services.hall(hall)
        chosen = [service_of(row, str(service)) for service in form.getlist("service")]
    except Refused as error:
        return missing(screens, request, refused or error)
    alone = chosen[0] if len(chosen) == 1 else None
    named = names(row["services"], lang)
    context = {
        **common(request, f"/h/{quote(hall)}/take", {"service": [service["id"] for service in chosen]}),
        "hall": tile(row, services.clock.now()),
        **hall_part(row, lang),
        "service": alone,
        "service_name": named[alone["id"]] if alone else "",
        "named": named,
        "others": [s for s in row["services"] if s["open"] and s != alone],
        "chosen": [service["id"] for service in chosen],
        "most": MOST_SERVICES,
        "phone": form.get("phone", ""),
        "relative": form.get("relative", ""),
        "priority": form.get("priority", ""),
        "refused": sentence(refused, screens, lang) if refused else "",
    }
    status = refused.status if refused else 200
    return remember(request, screens.page("take.html", lang, status, **context))


def hall_part(hall: dict[str, Any], lang: str) -> dict[str, Any]:
    """Where a hall is and when it is open, in this language."""
    place = hall.get("place") or {}
    address = (place.get("address_en") if lang == "en" else "") or place.get("address") or ""
    return {
        "address": address,
        "hours": hall.get("hours", ""),
        "priorities": hall.get("priorities", []),
        "tells_relative": hall.get("tells_relative", False),
    }


def service_of(hall: dict[str, Any], service: str) -> dict[str, Any]:
    """The hall's service with this id. Raises UnknownService."""
    for row in hall["services"]:
        if row["id"] == service:
            return dict(row)
    raise UnknownService(service=service[:32])


def missing(screens: Screens, request: Request, error: Refused) -> Response:
    """A page that says what is not there."""
    lang = language(request)
    return screens.page("missing.html", lang, error.status, text=sentence(error, screens, lang))
