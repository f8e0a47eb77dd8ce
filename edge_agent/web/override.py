"""Override codes: a page for staff, which also works without scripts, and its call for programs."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from edge_agent.override import Overrides
from edge_agent.web.view import View
from hall_core.errors import OverrideUnavailable, Refused
from hall_core.personal import PlainId
from hall_ui.screens import Screens, language, remember

__all__ = ["OverrideRequest", "override_routes"]

PAGE = "/override"


class OverrideRequest(BaseModel):
    """The code that the centre has read out."""

    model_config = ConfigDict(extra="forbid")

    request_id: PlainId = Field(min_length=1, max_length=64)
    code: str = Field(min_length=1, max_length=64)


def override_routes(view: View, screens: Screens, new_id: Callable[[], str]) -> APIRouter:
    """`/override` and `POST /api/override`, for staff only."""
    router = APIRouter()
    required = view.guard.required

    def overrides() -> Overrides:
        if view.overrides is None:
            raise OverrideUnavailable
        return view.overrides

    @router.post("/api/override")
    async def enter(said: OverrideRequest, _: Annotated[str, Depends(required)]) -> dict[str, Any]:
        """Take the zone a code gives: `{box, grants: [{first, last, first_day, last_day}]}`.

        Raises OverrideInvalid, TooManyAttempts after five wrong codes in a minute, OverrideUnavailable.
        """
        codes = overrides()
        await codes.enter(said.code, said.request_id)
        held = [
            {
                "first": h.first,
                "last": h.last,
                "first_day": h.first_day.isoformat(),
                "last_day": h.last_day.isoformat(),
            }
            for h in codes.held()
        ]
        return {"box": codes.tail, "grants": held}

    def shown(request: Request, error: Refused | None = None, code: str = "") -> Response:
        lang, codes = language(request), overrides()
        page = screens.page(
            "override.html",
            lang,
            error.status if error else 200,
            state=view.state(),
            codes=codes,
            request_id=new_id(),
            code=code,
            said=error.sentence(lang) if error else "",
            done=error is None and "done" in request.query_params,
        )
        return remember(request, page)

    @router.get(PAGE, include_in_schema=False)
    async def page(request: Request) -> Response:
        """What the box is called, which numbers it holds until when, and the field for the code."""
        return shown(request) if view.guard.staff(request) else _login()

    @router.post(PAGE, include_in_schema=False)
    async def typed(
        request: Request,
        code: Annotated[str, Form(max_length=64)] = "",
        request_id: Annotated[PlainId, Form(max_length=64)] = "",
    ) -> Response:
        """The form: 303 to the page when the code was right, else the page says what is wrong."""
        if view.guard.staff(request) is None:
            return _login()
        await required(request)
        try:
            await overrides().enter(code, request_id or new_id())
        except Refused as error:
            return shown(request, error, code)
        return RedirectResponse(f"{PAGE}?done=1", 303)

    return router


def _login() -> Response:
    return RedirectResponse(f"/login?next={quote(PAGE)}", 303)
