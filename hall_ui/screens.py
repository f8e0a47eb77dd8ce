"""Renders a page as both programs do: words of one language, versioned files, strict headers."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from hall_ui import LANGUAGES, STATIC, templates, words
from hall_ui.assets import Assets
from hall_ui.naming import sign

__all__ = ["CHOICE_S", "HEADERS", "Screens", "language", "large_type", "remember"]

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: how long a browser keeps language and type size
CHOICE_S = 365 * 24 * 3600


def language(request: Request) -> str:
    """The language asked for in the address, else kept in the cookie, else Chinese."""
    asked = request.query_params.get("lang") or request.cookies.get("lang") or LANGUAGES[0]
    return asked if asked in LANGUAGES else LANGUAGES[0]


def large_type(request: Request) -> bool:
    """True when this person asked for large type, now or before."""
    return (request.query_params.get("size") or request.cookies.get("size")) == "large"


def remember(request: Request, response: Response) -> Response:
    """Keep what was chosen in the address: language and type size, nothing about the person."""
    for name, legal in (("lang", LANGUAGES), ("size", ("large", "normal"))):
        chosen = request.query_params.get(name)
        if chosen in legal:
            response.set_cookie(name, chosen, max_age=CHOICE_S, samesite="lax", httponly=True)
    return response


class Screens:
    """The templates and static files of one program."""

    def __init__(self, folder: Path) -> None:
        self.assets = Assets(folder / "static", STATIC)
        self._env = templates(folder / "templates")
        self._env.globals["asset"] = self.assets.url
        self._env.filters["sign"] = sign
        self.filters = self._env.filters

    def page(self, template: str, lang: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """The whole page, complete without any script."""
        return HTMLResponse(self.text(template, lang, **context), status, HEADERS)

    def text(self, template: str, lang: str, /, **context: Any) -> str:
        """The template filled, with `w` for the words and `lang` for the language."""
        return self._env.get_template(template).render(w=words(lang), lang=lang, **context)

    def version(self) -> Response:
        """Endpoint by which a screen learns that its program was replaced."""
        return PlainTextResponse(self.assets.version(), headers=HEADERS)

    def word(self, lang: str, part: str, name: str) -> str:
        """One word of the catalogue."""
        return str(words(lang)[part][name])

    def file(self, path: str, v: str | None = None) -> Response:
        """Endpoint for `/static/{path:path}`."""
        return self.assets.answer(path, v)
