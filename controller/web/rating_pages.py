"""Ratings for those who answer for them: bad ones with their deadlines, halls in order, every remark."""

import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.use_cases.rating_figures import EARLIEST, LATEST, midnight
from controller.use_cases.rating_rules import CALL_RESULTS, STEPS
from controller.web.forms import for_staff, read_form
from controller.web.hall_pages import missing
from controller.web.rating_office import Wanted
from controller.web.services import Services
from controller.web.showing import counter_name
from hall_core.errors import BadRequest, PhoneInvalid, Refused, UnknownCase
from hall_ui.screens import Screens, language, remember

__all__ = ["add_rating_pages"]

#: cases and ratings on one page
CASES, SHOWN = 100, 50
LONGEST_QUERY = 60


def add_rating_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/ratings` and `/ratings/{case}`, for administrators; every form works without a script."""

    @router.get("/ratings")
    async def ratings(request: Request) -> Response:
        """Cases, ranking, and ratings that can be searched."""
        viewer = await services.viewer(request)
        return await _ratings(services, screens, request, viewer) if viewer else _login("/ratings")

    @router.post("/ratings/manager/{hall}")
    async def manager(hall: str, request: Request) -> Response:
        """Whose telephone rings."""
        viewer = await services.viewer(request)
        if not viewer:
            return _login("/ratings")
        try:
            await services.office.set_manager(hall, _phone(await read_form(request)), f"admin:{viewer}")
        except Refused as error:
            return await _ratings(services, screens, request, viewer, hall=hall, refused=error)
        return RedirectResponse(f"/ratings?hall={quote(hall)}#phone", 303)

    @router.get("/ratings/{case}")
    async def one_case(case: str, request: Request) -> Response:
        """What was said, what was done, and what may be done next."""
        viewer = await services.viewer(request)
        return await _case(services, screens, request, viewer, case) if viewer else _login(f"/ratings/{case}")

    @router.post("/ratings/{case}/{step}")
    async def take(case: str, step: str, request: Request) -> Response:
        """One step; the same form sent twice is one step."""
        viewer = await services.viewer(request)
        if not viewer:
            return _login(f"/ratings/{case}")
        try:
            said = _said(await read_form(request), step)
            await services.office.step(_number(case), step, f"admin:{viewer}", said)
        except Refused as error:
            return await _case(services, screens, request, viewer, case, refused=error)
        return RedirectResponse(f"/ratings/{quote(case)}", 303)


def _phone(form: FormData) -> str:
    """The number that was typed, with spaces, dashes or +86; empty when none shall be kept any more.

    Raises PhoneInvalid.
    """
    if "remove" in form:
        return ""
    phone = re.sub(r"[\s()-]|^\s*(\+|00)86", "", str(form.get("phone", "")))
    if not phone:
        raise PhoneInvalid
    return phone


def _said(form: FormData, step: str) -> dict[str, str]:
    """What a step's form says. Raises BadRequest for a step that there is not."""
    if step not in STEPS:
        raise BadRequest(what="step")
    return {name: str(form.get(name, "")) for name in ("to", "text", "result")}


def _login(goal: str) -> Response:
    return RedirectResponse(f"/login?next={quote(goal)}", 303)


def _number(case: str) -> int:
    """Raises UnknownCase."""
    if not case.isdecimal() or not case.isascii() or len(case) > 15:
        raise UnknownCase(case=case[:40])
    return int(case)


def _day(text: str) -> date | None:
    """A day somebody chose; whatever else stands in the address is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


def _wanted(asked: dict[str, str], halls: dict[str, Any]) -> Wanted:
    """What the address asks for, as far as it makes sense."""
    first, last = _day(asked.get("from", "")), _day(asked.get("to", ""))
    score = asked.get("score", "")
    return Wanted(
        hall=asked["hall"] if asked.get("hall") in halls else None,
        score=int(score) if score in ("1", "2", "3", "4", "5") else None,
        since=midnight(first) if first else None,
        until=midnight(last + timedelta(days=1)) if last else None,
        text=asked.get("q", "").strip()[:LONGEST_QUERY] or None,
    )


def _sentence(refused: Refused | None, screens: Screens, lang: str) -> str:
    # What PhoneInvalid says is meant for somebody who takes a number.
    if isinstance(refused, PhoneInvalid):
        return screens.word(lang, "cases", "phone_wrong")
    return refused.sentence(lang) if refused else ""


async def _ratings(
    services: Services,
    screens: Screens,
    request: Request,
    viewer: str,
    *,
    hall: str = "",
    refused: Refused | None = None,
) -> Response:
    lang, office = language(request), services.office
    asked = {**request.query_params, **({"hall": hall} if hall else {})}
    halls = {row["id"]: row for row in await services.halls()}
    wanted = _wanted(asked, halls)
    before = int(asked["before"]) if asked.get("before", "").isdecimal() and len(asked["before"]) < 16 else 0
    rows = await office.ratings(wanted, before=before, limit=SHOWN + 1)
    try:
        ranking = await office.ranking(_day(asked.get("from", "")), _day(asked.get("to", "")))
    except Refused as error:
        refused, ranking = refused or error, await office.ranking(None, None)
    kept = {"hall": wanted.hall or "", "score": str(wanted.score or ""), "q": wanted.text or ""}
    kept |= {name: asked[name] for name in ("from", "to") if _day(asked.get(name, ""))}
    kept = {name: value for name, value in kept.items() if value}
    context = {
        **for_staff(request, viewer),
        "halls": halls,
        "names": {key: row["name"] for key, row in halls.items()},
        "counters": lambda hall, counter: counter_name(halls.get(hall), counter),
        "wanted": wanted,
        "asked": {**dict.fromkeys(("from", "to"), ""), **kept},
        "cases": await office.cases(wanted.hall, limit=CASES),
        "ranking": ranking,
        "csv": urlencode({"from": ranking["from"], "to": ranking["to"], "lang": lang}),
        "rows": rows[:SHOWN],
        "more": f"?{urlencode({**kept, 'before': rows[SHOWN - 1]['id']})}#ratings"
        if len(rows) > SHOWN
        else "",
        "manager": await office.manager(wanted.hall) if wanted.hall else None,
        "refused": _sentence(refused, screens, lang),
    }
    status = refused.status if refused else 200
    return remember(request, screens.page("ratings.html", lang, status, **context))


async def _case(
    services: Services,
    screens: Screens,
    request: Request,
    viewer: str,
    case: str,
    refused: Refused | None = None,
) -> Response:
    lang = language(request)
    try:
        row = await services.office.case(_number(case))
        hall = await services.hall(row["hall"])
    except Refused as error:
        return missing(screens, request, error)
    context = {
        **for_staff(request, viewer),
        "case": row,
        "hall": hall,
        "counter": counter_name(hall, row["counter"]),
        "results": CALL_RESULTS,
        "refused": _sentence(refused, screens, lang),
    }
    status = refused.status if refused else 200
    return remember(request, screens.page("rating_case.html", lang, status, **context))
