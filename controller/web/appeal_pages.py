"""Appeals against missed appointments, for those who decide them; every form works without a script."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.web.forms import for_staff, read_form
from controller.web.services import Services
from controller.web.showing import names
from hall_core.errors import BadRequest, Refused, UnknownAppeal
from hall_ui.screens import Screens, language, remember

__all__ = ["add_appeal_pages"]

#: appeals on the page
SHOWN = 100


def add_appeal_pages(router: APIRouter, services: Services, screens: Screens) -> None:
    """`/appeals`, for administrators."""

    @router.get("/appeals")
    async def appeals(request: Request) -> Response:
        """Those that wait for an answer, then those that have one."""
        viewer = await services.viewer(request)
        return await _appeals(services, screens, request, viewer) if viewer else _login()

    @router.post("/appeals/{appeal}")
    async def decide(appeal: str, request: Request) -> Response:
        """Granted or refused; the same form sent twice is one decision."""
        viewer = await services.viewer(request)
        if not viewer:
            return _login()
        try:
            form = await read_form(request)
            verdict, answer = str(form.get("verdict", "")), str(form.get("answer", ""))
            if verdict not in ("grant", "refuse"):
                raise BadRequest(what="verdict")
            who = f"admin:{viewer}"
            await services.fair.decide(_number(appeal), grant=verdict == "grant", answer=answer, who=who)
        except Refused as error:
            return await _appeals(services, screens, request, viewer, error)
        return RedirectResponse(f"/appeals#a{quote(appeal)}", 303)


def _login() -> Response:
    return RedirectResponse(f"/login?next={quote('/appeals')}", 303)


def _number(appeal: str) -> int:
    """Raises UnknownAppeal."""
    if not appeal.isdecimal() or not appeal.isascii() or len(appeal) > 15:
        raise UnknownAppeal
    return int(appeal)


async def _appeals(
    services: Services, screens: Screens, request: Request, viewer: str, refused: Refused | None = None
) -> Response:
    lang = language(request)
    halls = {row["id"]: row for row in await services.halls()}
    wanted = request.query_params.get("hall", "")
    hall = wanted if wanted in halls else None
    context: dict[str, Any] = {
        **for_staff(request, viewer),
        "names": {key: row["name"] for key, row in halls.items()},
        "services": {key: names(row["services"], lang) for key, row in halls.items()},
        "wanted": hall,
        "waiting": await services.fair.appeals(hall, "open", limit=SHOWN),
        "decided": [
            row for row in await services.fair.appeals(hall, None, limit=SHOWN) if row["state"] != "open"
        ],
        "refused": refused.sentence(lang) if refused else "",
    }
    status = refused.status if refused else 200
    return remember(request, screens.page("appeals.html", lang, status, **context))
