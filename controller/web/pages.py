"""The controller's pages: administrators' overview and halls, citizens' numbers, a hall for everybody."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from controller.web.services import SESSION_COOKIE, Services
from hall_core.errors import Forbidden, Refused
from hall_ui.naming import together
from hall_ui.screens import Screens, language, large_type, remember

__all__ = ["pages"]

_HERE = Path(__file__).parent
_ZONE = ZoneInfo("Asia/Shanghai")
#: one word for a device's state, the same as for halls; what cannot be read back is not called fine
_DEVICE = {
    "online": "ok",
    "degraded": "part",
    "offline": "lost",
    "unconfirmed": "unknown",
    "unknown": "unknown",
}
#: parts of a citizen's view that may be missing
_CITIZEN: dict[str, Any] = {
    "hall": None, "service": "", "counter": None, "ahead": None, "range_min": None,
    "updated_at": None, "last_seen": None, "stale": False, "series": "hall",
}  # fmt: skip
#: this many ahead or fewer: come to the counter
NEARLY = 3
SESSION_S = 12 * 3600


def pages(services: Services) -> APIRouter:
    """Routes of all pages of the controller, and their files."""
    screens = Screens(_HERE)
    screens.filters["clock"] = lambda at: _clock(at, services.clock.now())
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/static/{path:path}", screens.file, methods=["GET"])
    _add_login(router, services, screens)
    _add_admin(router, services, screens)
    _add_citizen(router, services, screens)
    return router


def _add_login(router: APIRouter, services: Services, screens: Screens) -> None:
    @router.get("/login")
    async def login_page(request: Request) -> Response:
        """Name and password of an administrator."""
        return _login(request, screens, _inside(request.query_params.get("next", "")))

    @router.post("/login")
    async def login(request: Request) -> Response:
        """Begins a session; answers with problem details where JSON is asked for."""
        form = await request.form()
        goal = _inside(str(form.get("next", "")))
        address = request.client.host if request.client else ""
        try:
            _own_page(request)
            secret = await services.login(str(form.get("user", "")), str(form.get("password", "")), address)
        except Refused as error:
            if "application/json" in request.headers.get("accept", ""):
                return _problem(error)
            return _login(request, screens, goal, error)
        answer = RedirectResponse(goal, 303)
        safe = services.public_url.startswith("https:")
        answer.set_cookie(
            SESSION_COOKIE, secret, max_age=SESSION_S, secure=safe, httponly=True, samesite="lax"
        )
        return answer

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        """Ends the session."""
        _own_page(request)
        await services.logout(request.cookies.get(SESSION_COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(SESSION_COOKIE)
        return answer


def _add_admin(router: APIRouter, services: Services, screens: Screens) -> None:
    @router.get("/")
    async def overview(request: Request) -> Response:
        """All halls under the district, what needs somebody, and today's messages."""
        viewer = await services.viewer(request)
        if viewer is None:
            return RedirectResponse("/login", 303)
        now = services.clock.now()
        halls = [_tile(hall, now) for hall in await services.halls()]
        context = {
            "viewer": viewer,
            "districts": list(_districts(halls)),
            "halls": halls,
            "names": {hall["id"]: hall["name"] for hall in halls},
            "alarms": await services.alarms(),
            "notices": await services.notice_counts(),
        }
        return remember(request, screens.page("overview.html", language(request), **context))

    @router.get("/halls/{hall}")
    async def one_hall(hall: str, request: Request) -> Response:
        """One hall in full."""
        viewer = await services.viewer(request)
        if viewer is None:
            return RedirectResponse(f"/login?next={quote(f'/halls/{hall}')}", 303)
        lang = language(request)
        try:
            row = await services.hall(hall)
        except Refused as error:
            return screens.page("missing.html", lang, error.status, text=error.sentence(lang))
        context = {
            "viewer": viewer,
            "hall": _tile(row, services.clock.now()),
            "device_status": _DEVICE,
            "service_names": _names(row["services"], lang),
            "counter_names": {c["id"]: c["name"] for c in row["counters"]},
            "tickets": await services.tickets(hall, limit=20),
            "alarms": await services.alarms(hall=hall),
        }
        return remember(request, screens.page("hall.html", lang, **context))


def _add_citizen(router: APIRouter, services: Services, screens: Screens) -> None:
    @router.get("/t/{token}")
    async def number(token: str, request: Request) -> Response:
        """A citizen's own number; works without any script."""
        return await _number(services, screens, request, token)

    @router.post("/t/{token}/cancel")
    async def cancel(token: str, request: Request) -> Response:
        """Gives the number up. Knowing the token is the right to."""
        try:
            await services.cancel(token)
        except Refused as error:
            return await _number(services, screens, request, token, error)
        return RedirectResponse(f"/t/{quote(token)}", 303)

    @router.get("/h/{hall}")
    async def public_hall(hall: str, request: Request) -> Response:
        """What is open in a hall, and how long it takes."""
        lang = language(request)
        try:
            row = await services.hall(hall)
        except Refused as error:
            return screens.page("missing.html", lang, error.status, text=error.sentence(lang))
        context = {"hall": _tile(row, services.clock.now()), "large": large_type(request)}
        return remember(request, screens.page("public.html", lang, **context))


async def _number(
    services: Services, screens: Screens, request: Request, token: str, refused: Refused | None = None
) -> Response:
    lang = language(request)
    try:
        ticket = _CITIZEN | await services.ticket(token)
        hall = await services.hall(ticket["hall"]) if ticket["hall"] else None
    except Refused as error:
        more = screens.word(lang, "citizen", "none_text")
        text = screens.word(lang, "citizen", "none")
        return screens.page("missing.html", lang, error.status, text=text, more=more)
    context = {
        "ticket": ticket,
        "token": token,
        "hall_name": hall["name"] if hall else "",
        "as_of": ticket["last_seen"] or ticket["updated_at"],
        "service": _names(hall["services"] if hall else [], lang).get(ticket["service"], ticket["service"]),
        "counter": _counter_name(hall, ticket["counter"]),
        "counters": _serving(hall, ticket["service"], lang),
        "state": "nearly" if _nearly(ticket) else ticket["state"],
        "asking": request.query_params.get("ask") == "cancel" and ticket["state"] in ("waiting", "called"),
        "refused": refused.sentence(lang) if refused else "",
        "large": large_type(request),
    }
    status = refused.status if refused else 200
    return remember(request, screens.page("ticket.html", lang, status, **context))


def _nearly(ticket: dict[str, Any]) -> bool:
    known = ticket["ahead"] is not None and ticket["range_min"] is not None
    return ticket["state"] == "waiting" and known and bool(ticket["ahead"] <= NEARLY)


def _login(request: Request, screens: Screens, goal: str, error: Refused | None = None) -> Response:
    lang = language(request)
    said = error.sentence(lang) if error else ""
    page = screens.page(
        "login.html", lang, error.status if error else 200, goal=goal, name="Quiethall", said=said
    )
    return remember(request, page)


def _inside(wanted: str) -> str:
    """A page of this program to go to; another site's address is not one."""
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) else "/"


def _own_page(request: Request) -> None:
    """Raises Forbidden for a form that another site's page has sent."""
    if request.headers.get("sec-fetch-site", "same-origin") == "cross-site":
        raise Forbidden


def _problem(error: Refused) -> Response:
    return JSONResponse(error.problem(), error.status, media_type="application/problem+json")


def _tile(hall: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A hall with its status in one word, its minutes out of contact, and its devices that need somebody."""
    faulty = [d for d in hall["devices"] if d["state"] in ("degraded", "offline")]
    seen = hall["last_seen"]
    lost_min = int((now - _time(seen)).total_seconds() // 60) if seen and not hall["online"] else 0
    away = "lost" if seen else "off"
    status = away if not hall["online"] else "part" if faulty else "ok"
    return {
        **hall,
        "status": status,
        "lost_min": max(0, lost_min),
        "faulty": faulty,
        "open_counters": sum(1 for c in hall["counters"] if c["state"] == "open"),
        "queued": sum(s["waiting"] for s in hall["services"]),
        "longest_min": hall.get("longest_min"),
    }


def _districts(halls: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each topmost hall with all halls under it, a street before its communities."""
    known = {hall["id"] for hall in halls}
    under: dict[str | None, list[dict[str, Any]]] = {}
    for hall in halls:
        under.setdefault(hall["parent"] if hall["parent"] in known else None, []).append(hall)

    def below(hall: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        yield hall
        # The levels are three; a ring of parents must not hang the page.
        for child in under.get(hall["id"], []) if depth < 3 else []:
            yield from below(child, depth + 1)

    for top in under.get(None, []):
        yield top, list(below(top, 1))


def _names(services: list[dict[str, Any]], lang: str) -> dict[str, str]:
    return {s["id"]: (s.get("name_en") if lang == "en" else "") or s["name"] for s in services}


def _counter_name(hall: dict[str, Any] | None, counter: str | None) -> str:
    rows = hall["counters"] if hall else []
    return next((str(c["name"]) for c in rows if c["id"] == counter), counter or "")


def _serving(hall: dict[str, Any] | None, service: str, lang: str) -> str:
    rows = hall["counters"] if hall else []
    return together([c["name"] for c in rows if service in c["services"] and c["state"] != "closed"], lang)


def _time(at: str | datetime) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def _clock(at: str | datetime | None, now: datetime) -> str:
    """Time of day, with the day when it is not today."""
    if not at:
        return "—"
    local, today = _time(at).astimezone(_ZONE), now.astimezone(_ZONE)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local.month}-{local.day} {local:%H:%M}"
