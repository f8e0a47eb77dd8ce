"""A citizen's own number or appointment: what it is now, and what its holder may do with it."""

from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.web.forms import address_of, common, key_of, mobile_of, read_form, sentence
from controller.web.hall_pages import hall_part
from controller.web.services import Opinion, Services
from controller.web.showing import counter_name, dated, names, serving, time_of, time_words
from hall_core.errors import BadRequest, Refused
from hall_core.queueing.reasons import BAD_SCORE, REASONS, checked_reasons
from hall_ui import words
from hall_ui.screens import Screens, language, remember

__all__ = ["add_citizen_pages"]

#: parts of a citizen's view that may be missing
_VIEW: dict[str, Any] = {
    "hall": None, "label": None, "service": "", "counter": None, "ahead": None, "range_min": None,
    "updated_at": None, "last_seen": None, "stale": False, "series": "hall", "appointment": None,
    "rating": None, "draw": None, "visits": (), "parts": (), "standing": None,
    "credit": None, "relative_tail": None, "drawn": None, "rescued": False,
}  # fmt: skip
#: this many ahead or fewer: come to the counter
NEARLY = 3
#: what may still change by itself, and how often the page looks
LIVE = (
    "waiting",
    "called",
    "serving",
    "held",
    "no-show",
    "booked",
    "checked-in",
    "registered",
    "waiting-list",
)
REFRESH_S = 20
#: what the page asks for at most; the API takes as much
LONGEST_COMMENT = 200
SCORES = ("5", "4", "3", "2", "1")
#: such a score is asked for its reasons first
BAD = tuple(score for score in SCORES if int(score) <= BAD_SCORE)
_ASKS = {
    "cancel": ("waiting", "called", "booked", "registered", "waiting-list"),
    "postpone": ("waiting",),
    "later": ("called",),
}


def add_citizen_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/t/{token}` and what is sent from it."""

    @router.get("/t/{token}")
    async def number(token: str, request: Request) -> Response:
        """A citizen's own number; works without any script."""
        return await _number(services, screens, request, token)

    def may(action: str) -> None:
        @router.post(f"/t/{{token}}/{action}", name=action)
        async def act(token: str, request: Request) -> Response:
            """Knowing the token is the right to."""
            try:
                form = await read_form(request)
                await services.act(token, action, key_of(form), address_of(request))
            except Refused as error:
                return await _number(services, screens, request, token, error)
            return RedirectResponse(f"/t/{quote(token)}", 303)

    for action in ("cancel", "later", "postpone"):
        may(action)

    @router.post("/t/{token}/check-in")
    async def check_in(token: str, request: Request) -> Response:
        """I am here."""
        try:
            form = await read_form(request)
            relative = mobile_of(form, "relative")
            await services.check_in(token, relative, key_of(form), address_of(request))
        except Refused as error:
            return await _number(services, screens, request, token, error)
        return RedirectResponse(f"/t/{quote(token)}", 303)

    _add_words(router, services, screens)


def _add_words(router: APIRouter, services: Services, screens: Screens) -> None:
    @router.post("/t/{token}/appeal")
    async def appeal(token: str, request: Request) -> Response:
        """Why an appointment was missed."""
        try:
            form = await read_form(request)
            text = str(form.get("text", "")).replace("\r\n", "\n")
            await services.fair.appeal(token, text, key_of(form), address_of(request))
        except Refused as error:
            return await _number(services, screens, request, token, error)
        return RedirectResponse(f"/t/{quote(token)}", 303)

    @router.post("/t/{token}/rating")
    async def rate(token: str, request: Request) -> Response:
        """One of five levels; with the lowest two, reasons that were ticked and words of their own."""
        try:
            form = await read_form(request)
            await services.rate(token, _rating(form), key_of(form), address_of(request))
        except Refused as error:
            return await _number(services, screens, request, token, error)
        return RedirectResponse(f"/t/{quote(token)}", 303)


def _rating(form: FormData) -> Opinion:
    """What was said. Raises BadRequest."""
    score = str(form.get("score", ""))
    if score not in SCORES:
        raise BadRequest(what="score")
    reasons = checked_reasons(int(score), (str(reason) for reason in form.getlist("reason")))
    comment = " ".join(str(form.get("comment", "")).split())[:LONGEST_COMMENT]
    return Opinion(int(score), reasons, comment)


async def _number(
    services: Services, screens: Screens, request: Request, token: str, refused: Refused | None = None
) -> Response:
    lang = language(request)
    try:
        ticket = _VIEW | await services.ticket(token)
        hall = await services.hall(ticket["hall"]) if ticket["hall"] else None
    except Refused as error:
        more = screens.word(lang, "citizen", "none_text")
        text = screens.word(lang, "citizen", "none")
        return screens.page("missing.html", lang, error.status, text=text, more=more)
    asking = _asking(request, ticket)
    live = ticket["state"] in LIVE and not asking
    path = f"/t/{quote(token)}"
    context = {
        **common(request, path, {"ask": asking} if asking else None, REFRESH_S if live else 0),
        "key": _form_key(token, ticket),
        **hall_part(hall or {}, lang),
        "path": path,
        "ticket": ticket,
        "hall": hall,
        "as_of": ticket["last_seen"] or ticket["updated_at"],
        "service": names(hall["services"] if hall else [], lang).get(ticket["service"], ticket["service"]),
        "trip": _trip(hall, ticket, lang),
        "live": live,
        "counter": counter_name(hall, ticket["counter"], lang),
        "counters": serving(hall, ticket["service"], lang),
        "state": "nearly" if _nearly(ticket) else ticket["state"],
        "asking": asking,
        "visit": _visit(ticket, services, lang),
        "code": _code(f"{services.public_url}{path}") if ticket["state"] == "booked" else "",
        "scores": SCORES,
        "bad": BAD,
        "reasons": REASONS,
        "passed": _together(await services.desk.passed(token)) if live and ticket["label"] else None,
        "refused": sentence(refused, screens, lang) if refused else "",
    }
    status = refused.status if refused else 200
    return remember(request, screens.page("ticket.html", lang, status, **context))


def _form_key(token: str, ticket: dict[str, Any]) -> str:
    """One for as long as nothing has changed: a second touch, or one on an older tab, is the same wish."""
    mark = f"{token} {ticket['state']} {ticket['updated_at']}"
    return sha256(mark.encode()).hexdigest()[:32]


def _asking(request: Request, ticket: dict[str, Any]) -> str:
    """The question on the page: `cancel`, `postpone`, `appeal`, or a bad score to be explained."""
    asked = request.query_params.get("ask", "") if request.method == "GET" else ""
    if asked in BAD:
        return asked if ticket["state"] == "finished" and ticket["rating"] is None else ""
    if asked == "appeal":
        return asked if ticket["standing"] and ticket["standing"]["may_appeal"] else ""
    return asked if ticket["state"] in _ASKS.get(asked, ()) else ""


def _visit(ticket: dict[str, Any], services: Services, lang: str) -> dict[str, Any] | None:
    """An appointment's time in words, and what can be done about it now."""
    part = ticket["appointment"]
    if part is None:
        return None
    w = words(lang)
    starts, ends, opens, keeps = (
        time_of(part[name]) for name in ("starts_at", "ends_at", "check_in_from", "keeps_until")
    )
    now = services.clock.now().astimezone(starts.tzinfo)
    booked = ticket["state"] == "booked"
    return {
        "day": dated(starts.date(), w),
        "time": f"{starts:%H:%M}–{ends:%H:%M}",
        "code": part["code"],
        "opens": f"{opens:%H:%M}" if opens.date() == now.date() else time_words(part["check_in_from"], w),
        "keeps": f"{keeps:%H:%M}",
        "here": booked and opens <= now and now.date() == starts.date(),
        "late": now > keeps,
        "movable": booked and now < starts,
    }


def _trip(hall: dict[str, Any] | None, ticket: dict[str, Any], lang: str) -> list[dict[str, str]]:
    """`{name, is, words}` of each service of a number for several, in the order of the visit; `is` is `done`,
    `now` or `next`. Empty for one service.
    """
    if not ticket["parts"] and not ticket["visits"]:
        return []
    w = words(lang)
    named = names(hall["services"] if hall else [], lang)
    done = [(part["service"], counter_name(hall, part["counter"], lang)) for part in ticket["parts"]]
    if ticket["state"] == "finished":
        done.append((ticket["service"], counter_name(hall, ticket["counter"], lang)))
    rows = [(i, "done", w["citizen"]["part_done"].format(counter=counter)) for i, counter in done]
    if ticket["state"] != "finished":
        now = w["ticket"][ticket["state"]].format(counter=counter_name(hall, ticket["counter"], lang))
        rows.append((ticket["service"], "now", now))
    over = ticket["state"] not in LIVE
    rows += [(i, "next", w["citizen"]["part_off" if over else "part_next"]) for i in ticket["visits"]]
    return [{"name": named.get(i, i), "is": is_, "words": said} for i, is_, said in rows]


def _together(passed: dict[str, Any]) -> dict[str, Any]:
    """Who passed for the same reason, at the same time, in one line: `{at, text, text_en, n}`."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for one in passed["passed"]:
        line = lines.setdefault((one["text"], str(one["called_at"])[:16]), {**one, "n": 0})
        line["n"] += 1
    return {**passed, "passed": list(lines.values())}


def _nearly(ticket: dict[str, Any]) -> bool:
    known = ticket["ahead"] is not None and ticket["range_min"] is not None
    return ticket["state"] == "waiting" and known and bool(ticket["ahead"] <= NEARLY)


@lru_cache(maxsize=256)
def _code(url: str) -> Markup:
    svg = segno.make(url, error="m").svg_inline(border=2, dark="#10202f", light="#ffffff", omitsize=True)
    return Markup(svg)  # noqa: S704 - drawn by us
