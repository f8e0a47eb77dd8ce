"""The hall's own pages: kiosk, board, counter. Complete on first paint; scripts only keep them live."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from hall_core.errors import LoginNeeded, Refused, UnknownCounter, UnknownTicket
from hall_ui import words
from hall_ui.naming import together
from hall_ui.screens import HEADERS, Screens, language, remember

__all__ = ["HallView", "pages"]

_HERE = Path(__file__).parent
#: a printer that wants a hand and still prints says this of itself
_STILL_PRINTS = "near its end"
_DEVICE = re.compile(r"[a-z0-9-]{1,32}")
_WEEKDAYS = {"zh": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


class HallView(Protocol):
    """What the pages see of a hall. Nothing here changes it. `voice`: the board chimes at each call."""

    voice: bool

    @property
    def public_url(self) -> str:
        """Where citizens reach the controller, without a slash at the end; empty while nobody has said."""
        ...

    def state(self) -> dict[str, Any]:
        """`GET /api/state`, and: `now` (RFC 3339), `name`, `tz` (IANA), `hours` (today's spans, may be
        empty), `missed` (labels of today's no-shows, newest first), `priorities` (classes of the hall),
        `standalone` (True without a controller). Rows of `services`, `counters` and `calls` are those
        of `hall_core.queueing.summary`. A device may carry `detail`.
        """
        ...

    def line(self, counter: str) -> list[dict[str, Any]]:
        """Who this counter calls next, in order: `{label, service (its name), waited_min, priority}`."""
        ...

    def set_aside(self) -> list[dict[str, Any]]:
        """Today's held and missed tickets: `{ticket_id, label, service, state, waited_min}`."""
        ...

    def ticket(self, ticket_id: str) -> dict[str, Any] | None:
        """`ticket_summary` of a ticket and its citizen's `url`; None when there is none."""
        ...

    def today(self, counter: str) -> dict[str, Any]:
        """What this counter did today: `{served, average_min, sent_on}`, the average None while nothing is
        done; `sent_on` is the ticket that went on from here to another service last, `{label, service}`.
        """
        ...

    def staff(self, request: Request) -> str | None:
        """Name of the logged-in clerk, or None."""
        ...


def pages(view: HallView) -> APIRouter:
    """Routes of all pages of one hall, their files and QR codes."""
    screens = Screens(_HERE)
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/static/{path:path}", screens.file, methods=["GET"])
    router.add_api_route("/static-version", screens.version, methods=["GET"])
    _add_kiosk(router, view, screens)
    _add_board(router, view, screens)
    _add_counter(router, view, screens)
    _add_login(router, view, screens)
    _add_codes(router, view)
    return router


def _add_kiosk(router: APIRouter, view: HallView, screens: Screens) -> None:
    @router.get("/kiosk")
    async def kiosk(lang: str = "zh", size: str = "normal", home: str = "", reader: str = "") -> HTMLResponse:
        """The ticket machine, 1080 × 1920; language and size stand in the address: home forgets them.

        `reader` names the scanner or card reader beside it; without it every reader of the hall counts.
        """
        reader = reader if _DEVICE.fullmatch(reader) else ""
        lang = lang if lang in ("zh", "en") else "zh"
        state, large = view.state(), size == "large"
        return screens.page(
            "kiosk.html",
            lang,
            state=state,
            large=large,
            home=("/terminal" if home == "terminal" else "/kiosk") + (f"?reader={reader}" if reader else ""),
            reader=reader,
            pages=_tile_pages(state["services"], 4 if large else 8),
            counters={s["id"]: _counter_names(state, s["id"], lang) for s in state["services"]},
            prints=_prints(state),
            script_words={part: words(lang)[part] for part in ("wait", "kiosk", "scan")},
            version=screens.assets.version(),
        )

    @router.get("/offline")
    async def offline() -> HTMLResponse:
        """What the browser keeps to show while the agent is away."""
        return screens.page("offline.html", "zh", en=words("en"))

    @router.get("/sw.js")
    async def service_worker() -> Response:
        """The keeper of `/offline`; it must stand at the root to answer for all pages."""
        return screens.file("sw.js")


def _add_board(router: APIRouter, view: HallView, screens: Screens) -> None:
    @router.get("/board")
    async def board() -> HTMLResponse:
        """The call board, 1920 × 1080."""
        state = view.state()
        now = _local(state)
        day = f"{now.month}月{now.day}日 星期{_WEEKDAYS['zh'][now.weekday()]}"
        return screens.page(
            "board.html",
            "zh",
            en=words("en"),
            state=state,
            now=now,
            day=day,
            names={c["id"]: c["name"] for c in state["counters"]},
            shut=not any(s["open"] for s in state["services"]),
            voice=view.voice,
            address=view.public_url,
            version=screens.assets.version(),
        )


def _add_counter(router: APIRouter, view: HallView, screens: Screens) -> None:
    @router.get("/counter/{counter}")
    async def console(counter: str, request: Request) -> Response:
        """The clerk's console, from 360 px wide."""
        lang = language(request)
        try:
            shown = _console(view, counter, request)
        except LoginNeeded:
            return RedirectResponse(f"/login?next={quote(f'/counter/{counter}')}", 303)
        except UnknownCounter as error:
            return screens.page("missing.html", lang, error.status, text=error.sentence(lang))
        shown["version"] = screens.assets.version()
        return remember(request, screens.page("counter.html", lang, **shown))

    @router.get("/counter/{counter}/panel")
    async def panel(counter: str, request: Request) -> Response:
        """What of the console changes; asked for after every change of the hall."""
        try:
            shown = _console(view, counter, request)
        except Refused as error:
            return _problem(error)
        return HTMLResponse(screens.text("panel.html", language(request), **shown), headers=HEADERS)


def _add_login(router: APIRouter, view: HallView, screens: Screens) -> None:
    @router.get("/login")
    async def login(request: Request) -> Response:
        """Name and password; `next` is where to go then, always a page of this program."""
        wanted = request.query_params.get("next", "")
        inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
        state, lang = view.state(), language(request)
        first = next((c["id"] for c in state["counters"]), "")
        goal = wanted if inside and wanted != "/" else f"/counter/{first}"
        said = words(lang)["login"]["failed"] if "wrong" in request.query_params else ""
        page = screens.page("login.html", lang, goal=goal, name=state["name"], said=said)
        return remember(request, page)


def _add_codes(router: APIRouter, view: HallView) -> None:
    @router.get("/api/tickets/{ticket_id}/qr.svg")
    async def ticket_code(ticket_id: str) -> Response:
        """The citizen's link as a QR code."""
        ticket = view.ticket(ticket_id)
        if ticket is None or not ticket["url"]:
            return _problem(UnknownTicket(ticket=ticket_id))
        return _code(ticket["url"])

    @router.get("/hall-qr.svg")
    async def hall_code() -> Response:
        """The public page of the hall as a QR code."""
        return _code(f"{view.public_url}/h/{view.state()['hall']}")


def _problem(error: Refused) -> Response:
    return JSONResponse(error.problem(), error.status, media_type="application/problem+json")


def _console(view: HallView, counter: str, request: Request) -> dict[str, Any]:
    """What the console shows. Raises LoginNeeded and UnknownCounter."""
    clerk = view.staff(request)
    if clerk is None:
        raise LoginNeeded
    state = view.state()
    row = next((c for c in state["counters"] if c["id"] == counter), None)
    if row is None:
        raise UnknownCounter(counter=counter)
    return {
        "state": state,
        "counter": row,
        "clerk": clerk,
        "ticket": _in_hand(view, row, datetime.fromisoformat(state["now"])),
        "line": view.line(counter),
        "aside": view.set_aside(),
        "today": view.today(counter),
        "services": {s["id"]: s["name"] for s in state["services"]},
    }


def _in_hand(view: HallView, row: dict[str, Any], now: datetime) -> dict[str, Any] | None:
    """The counter's ticket, with the minutes its citizen waited until the call."""
    ticket = view.ticket(row["ticket"]["id"]) if row["ticket"] else None
    if ticket is None:
        return None
    until = datetime.fromisoformat(ticket["called_at"]) if ticket["called_at"] else now
    waited = until - datetime.fromisoformat(ticket["issued_at"])
    return {**ticket, "waited_min": max(0, int(waited.total_seconds() // 60))}


def _code(url: str) -> Response:
    svg = segno.make(url, error="m").svg_inline(border=2, dark="#10202f", light="#ffffff", omitsize=True)
    body = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return Response(body, media_type="image/svg+xml", headers=HEADERS)


def _local(state: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(state["now"]).astimezone(ZoneInfo(state["tz"]))


def _counter_names(state: dict[str, Any], service: str, lang: str) -> str:
    rows = [c for c in state["counters"] if service in c["services"] and c["state"] != "closed"]
    return together([c["name"] for c in rows], lang)


def _prints(state: dict[str, Any]) -> str:
    """`yes`, `no` while the printer fails, or `never` in a hall that has none."""
    printers = [d for d in state["devices"] if d["kind"] == "printer"]
    if not printers:
        return "never"
    return "yes" if any(map(_works, printers)) else "no"


def _works(printer: dict[str, Any]) -> bool:
    if printer["state"] == "degraded":
        return _STILL_PRINTS in printer.get("detail", "")
    return printer["state"] in ("online", "unconfirmed")


def _tile_pages(services: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    return [services[i : i + size] for i in range(0, len(services), size)] or [[]]
