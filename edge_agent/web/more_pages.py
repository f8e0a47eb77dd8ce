"""Three more pages of a hall: rating at a counter, city information, the 24-hour terminal."""

import re
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from hall_core.errors import UnknownCounter
from hall_core.queueing.reasons import REASONS
from hall_core.queueing.setup import HallSetup
from hall_ui import words
from hall_ui.naming import in_words, together
from hall_ui.screens import Screens

__all__ = ["MoreView", "more_pages"]

#: how long after the end of a visit the counter's tablet still asks how it was
ASKED_S = 90
#: tiles of services on one page of /info, normal and large type
TILES, TILES_LARGE = 8, 4
#: the prefix of numbers given while the hall was away
ONLINE_PREFIX = "W"
_STILL_PRINTS = "near its end"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DEVICE = re.compile(r"[a-z0-9-]{1,32}")
_LABEL = re.compile(r"([A-Z])(\d{1,4})")
_LINK = re.compile(r"https?://[^\s]+/t/([A-Za-z0-9_-]{16,64})/?(?:#\S*)?")


class MoreView(Protocol):
    """What these pages see of a hall. Nothing here changes it."""

    @property
    def public_url(self) -> str:
        """Where citizens reach the controller, without a slash at the end; empty while nobody has said."""
        ...

    def state(self) -> dict[str, Any]:
        """The picture the other pages see."""
        ...

    def ticket(self, ticket_id: str) -> dict[str, Any] | None:
        """`ticket_summary` of the ticket with this id or this label of today; None when there is none.
        With `rating` (or None) a visit that was rated elsewhere is not asked for again.
        """
        ...

    def holder(self, token: str) -> dict[str, Any] | None:
        """The same for the ticket whose link ends in `token`."""
        ...

    def setup(self) -> HallSetup:
        """The hall as it was set up: opening hours of the week, and the line for large screens."""
        ...


class Asked(BaseModel):
    """A label somebody typed, or the text a scanner read. Posted, so that no log keeps the link."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=300)
    lang: str = Field(default="zh", pattern="^(zh|en)$")


def more_pages(view: MoreView, screens: Screens, *, reasons: bool = False) -> APIRouter:
    """Routes of the three pages. `reasons`: a bad rating asks for them and sends `/api/ratings/reason`."""
    router = APIRouter(include_in_schema=False)
    _add_rate(router, view, screens, reasons=reasons)
    _add_info(router, view, screens)
    _add_terminal(router, view, screens)
    return router


def _add_rate(router: APIRouter, view: MoreView, screens: Screens, *, reasons: bool) -> None:
    @router.get("/rate/{counter}")
    async def rate(counter: str) -> Response:
        """The tablet at a counter, 1280 × 800: one touch says how the visit was."""
        state = view.state()
        row = next((c for c in state["counters"] if c["id"] == counter), None)
        if row is None:
            error = UnknownCounter(counter=counter)
            return screens.page("missing.html", "zh", error.status, text=error.sentence("zh"))
        return screens.page(
            "rate.html",
            "zh",
            en=words("en"),
            state=state,
            counter=row,
            visit=_visit(view, state, row),
            serves=[s["name"] for s in state["services"] if s["id"] in row["services"]],
            reasons=REASONS if reasons else (),
            version=screens.assets.version(),
        )


def _add_info(router: APIRouter, view: MoreView, screens: Screens) -> None:
    @router.get("/info")
    async def info(lang: str = "zh", size: str = "normal", service: str = "", page: int = 0) -> HTMLResponse:
        """City information, 1920 × 1080 or upright; what is chosen stands in the address, home forgets it."""
        lang, large = lang if lang in ("zh", "en") else "zh", size == "large"
        state = view.state()
        rows, step = state["services"], TILES_LARGE if large else TILES
        place = next((i for i, s in enumerate(rows) if s["id"] == service), None)
        count = max(1, -(-len(rows) // step))
        page = place // step if place is not None else min(max(page, 0), count - 1)
        return screens.page(
            "info.html",
            lang,
            state=state,
            here=f"?lang={lang}{'&size=large' if large else ''}",
            keep=f"&service={quote(service)}" if place is not None else "",
            large=large,
            shown=rows[page * step : (page + 1) * step],
            page=page,
            count=count,
            chosen=rows[place] if place is not None else None,
            where={s["id"]: _where(state, s["id"], lang) for s in rows},
            now=_local(state),
            day=_day(state, lang),
            notice=view.setup().notice,
            opening=_opening(state, lang),
            address=view.public_url,
            version=screens.assets.version(),
        )


def _add_terminal(router: APIRouter, view: MoreView, screens: Screens) -> None:
    @router.get("/terminal")
    async def terminal(lang: str = "zh", size: str = "normal", reader: str = "") -> HTMLResponse:
        """The 24-hour terminal, 1080 × 1920: what can be done now, and how far a number has come.

        `reader` names the scanner built into it, when that is a device of the hall.
        """
        lang = lang if lang in ("zh", "en") else "zh"
        state = view.state()
        prefixes = sorted({s["prefix"] for s in state["services"]} | {ONLINE_PREFIX})
        return screens.page(
            "terminal.html",
            lang,
            state=state,
            large=size == "large",
            reader=reader if _DEVICE.fullmatch(reader) else "",
            shut=not any(s["open"] for s in state["services"]),
            opening=_opening(state, lang),
            prints=_prints(state),
            prefixes=prefixes,
            now=_local(state),
            version=screens.assets.version(),
        )

    @router.post("/terminal/ticket")
    async def progress(asked: Asked) -> HTMLResponse:
        """How far a ticket has come, as part of the page; 404 with a part that says there is none.

        Whoever has brought the link, and not only typed a label, may also rate the visit.
        """
        own = _LINK.fullmatch(asked.text.strip()) is not None
        return _found(view, screens, _asked_for(view, asked.text), asked.lang, own=own)

    @router.get("/found/{ticket_id}")
    async def found(ticket_id: str, lang: str = "zh") -> HTMLResponse:
        """The same for the ticket that a reader beside the page has read."""
        return _found(view, screens, view.ticket(ticket_id), lang if lang in ("zh", "en") else "zh", own=True)


def _found(
    view: MoreView, screens: Screens, ticket: dict[str, Any] | None, lang: str, *, own: bool
) -> HTMLResponse:
    state = view.state()
    rows = {s["id"]: s for s in state["services"]}
    place = next((c["name"] for c in state["counters"] if ticket and c["id"] == ticket["counter"]), "")
    found = screens.text(
        "found.html",
        lang,
        ticket=ticket,
        reasons=REASONS,
        rates=own and ticket is not None and ticket["state"] == "finished" and _unrated(ticket) is not None,
        service=rows.get(ticket["service"]) if ticket else None,
        counter=in_words(place, lang),
        where=_where(state, ticket["service"], lang) if ticket else "",
        then=_names(rows, ticket["visits"], lang) if ticket and ticket.get("visits") else "",
        now=_local(state),
    )
    return HTMLResponse(found, 200 if ticket else 404, {"Cache-Control": "no-store"})


def _names(services: dict[str, dict[str, Any]], ids: list[str], lang: str) -> str:
    """Services in one phrase."""
    english = {i: services.get(i, {}).get("name_en") for i in ids} if lang == "en" else {}
    return together([english.get(i) or services.get(i, {}).get("name", i) for i in ids], lang)


def _visit(view: MoreView, state: dict[str, Any], row: dict[str, Any]) -> dict[str, Any] | None:
    """The visit a touch now would rate: the one at the counter, else the one that has just ended."""
    held = row["ticket"]
    if held and held["state"] == "serving":
        return _unrated(view.ticket(held["id"]))
    mine = (c for c in state["calls"] if c["counter"] == row["id"] and c["state"] == "finished")
    done = [t for t in (view.ticket(c["ticket_id"]) for c in mine) if t and t["ended_at"]]
    if not done:
        return None
    last = max(done, key=lambda t: datetime.fromisoformat(t["ended_at"]))
    age = datetime.fromisoformat(state["now"]) - datetime.fromisoformat(last["ended_at"])
    return _unrated(last) if age < timedelta(seconds=ASKED_S) else None


def _unrated(ticket: dict[str, Any] | None) -> dict[str, Any] | None:
    return ticket if ticket and ticket.get("rating") is None else None


def _asked_for(view: MoreView, text: str) -> dict[str, Any] | None:
    link = _LINK.fullmatch(text.strip())
    if link:
        return view.holder(link[1])
    label = _LABEL.fullmatch(text.strip().upper())
    # A18 is what people say, A018 is what the slip says.
    return view.ticket(f"{label[1]}{int(label[2]):03}") if label else None


def _where(state: dict[str, Any], service: str, lang: str) -> str:
    rows = [c for c in state["counters"] if service in c["services"] and c["state"] != "closed"]
    return together([c["name"] for c in rows], lang)


def _prints(state: dict[str, Any]) -> str:
    """`yes`, `no` while no printer works, or `never` in a hall without one."""
    printers = [d for d in state["devices"] if d["kind"] == "printer"]
    if not printers:
        return "never"
    short = any(d["state"] == "degraded" and _STILL_PRINTS in d.get("detail", "") for d in printers)
    return "yes" if short or any(d["state"] in ("online", "unconfirmed") for d in printers) else "no"


def _opening(state: dict[str, Any], lang: str) -> str:
    """When numbers are given again, in words; empty when the hall does not open within a month."""
    now, said = _local(state), words(lang)["terminal"]
    at = datetime.fromisoformat(state["opens_next"]) if state["opens_next"] else None
    if at is None:
        return ""
    days = (at.date() - now.date()).days
    name = {0: said["today"], 1: said["tomorrow"]}.get(days, said[_WEEKDAYS[at.weekday()]])
    return f"{name} {at:%H:%M}"


def _day(state: dict[str, Any], lang: str) -> str:
    now = _local(state)
    weekday = words(lang)["terminal"][_WEEKDAYS[now.weekday()]]
    return f"{weekday} {now:%d.%m.}" if lang == "en" else f"{now.month}月{now.day}日 {weekday}"


def _local(state: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(state["now"]).astimezone(ZoneInfo(state["tz"]))
