"""The controller's pages: administrators' login, overview and halls; those of citizens stand beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from controller.web.appeal_pages import add_appeal_pages
from controller.web.booking_pages import add_booking_pages
from controller.web.calendar_pages import add_calendar_pages
from controller.web.citizen_pages import add_citizen_pages
from controller.web.draw_pages import add_draw_pages
from controller.web.forms import for_staff, own_page
from controller.web.hall_pages import add_hall_pages
from controller.web.order_pages import add_order_pages
from controller.web.rating_pages import add_rating_pages
from controller.web.services import SESSION_COOKIE, Services
from controller.web.showing import clock, dated, names, tile, time_of, time_words
from hall_core.errors import Refused
from hall_ui.screens import Screens, language, remember

__all__ = ["pages"]

_HERE = Path(__file__).parent
#: one word for a device's state, the same as for halls; what cannot be read back is not called fine
_DEVICE = {
    "online": "ok",
    "degraded": "part",
    "offline": "lost",
    "unconfirmed": "unknown",
    "unknown": "unknown",
}
SESSION_S = 12 * 3600


def pages(services: Services) -> APIRouter:
    """Routes of all pages of the controller, and their files."""
    screens = Screens(_HERE)
    screens.filters["clock"] = lambda at: clock(at, services.clock.now())
    screens.filters["hm"] = lambda at: f"{time_of(at):%H:%M}"
    screens.filters["dated"] = lambda at, w: dated(time_of(at).date(), w)
    screens.filters["stamp"] = time_words
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/static/{path:path}", screens.file, methods=["GET"])
    _add_login(router, services, screens)
    _add_admin(router, services, screens)
    add_hall_pages(router, services, screens)
    add_booking_pages(router, services, screens)
    add_draw_pages(router, services, screens)
    add_citizen_pages(router, services, screens)
    add_rating_pages(router, services, screens)
    add_order_pages(router, services, screens)
    add_calendar_pages(router, services, screens)
    add_appeal_pages(router, services, screens)
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
            own_page(request)
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
        own_page(request)
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
        halls = [tile(hall, now) for hall in await services.halls()]
        context = {
            **for_staff(request, viewer),
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
            **for_staff(request, viewer),
            "hall": tile(row, services.clock.now()),
            "device_status": _DEVICE,
            "service_names": names(row["services"], lang),
            "counter_names": {c["id"]: c["name"] for c in row["counters"]},
            "tickets": await services.tickets(hall, limit=20),
            "alarms": await services.alarms(hall=hall),
            "told": await services.desk.calibration(hall),
        }
        return remember(request, screens.page("hall.html", lang, **context))


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


def _problem(error: Refused) -> Response:
    return JSONResponse(error.problem(), error.status, media_type="application/problem+json")


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
