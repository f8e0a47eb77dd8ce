"""What forms of the open pages send, read with care; and what every such page is given."""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request

from controller.web.services import Ask
from hall_core.errors import BadRequest, Forbidden, HallSaidNo, PhoneInvalid, Refused, TooManyAttempts
from hall_ui.screens import Screens, language, large_type

__all__ = [
    "address_of",
    "ask_of",
    "common",
    "for_staff",
    "key_of",
    "mobile_of",
    "own_page",
    "read_form",
    "sentence",
]

#: more than any of our forms can be
LONGEST = 16 * 1024
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def own_page(request: Request) -> None:
    """Raises Forbidden for a form that another site's page has sent."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign:
        raise Forbidden


async def read_form(request: Request) -> FormData:
    """The fields of a form of our own. Raises Forbidden, BadRequest."""
    own_page(request)
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > LONGEST:
        raise BadRequest(what="form")
    return await request.form(max_files=0, max_fields=40)


def address_of(request: Request) -> str:
    """Where the request comes from; behind a proxy on this machine, what the proxy says."""
    return request.client.host if request.client else ""


def key_of(form: FormData) -> str:
    """The key that was made with the form. Raises BadRequest."""
    key = str(form.get("key", ""))
    if not _KEY.fullmatch(key):
        raise BadRequest(what="form key")
    return key


def ask_of(form: FormData) -> Ask:
    """What somebody wants: one service or more, the first one first.

    Raises BadRequest, PhoneInvalid.
    """
    wanted = list(dict.fromkeys(str(service) for service in form.getlist("service"))) or [""]
    priority = str(form.get("priority", ""))
    if not all(map(_ID.fullmatch, wanted)) or (priority and not _ID.fullmatch(priority)):
        raise BadRequest(what="form")
    phone, relative = mobile_of(form, "phone"), mobile_of(form, "relative")
    return Ask(wanted[0], key_of(form), phone, priority or None, tuple(wanted[1:]), relative)


def mobile_of(form: FormData, name: str) -> str | None:
    """A number that was typed, with spaces, dashes and +86 or without. Raises PhoneInvalid."""
    typed = re.sub(r"[\s()-]|^\s*(\+|00)86", "", str(form.get(name, "")))
    if typed and not _MOBILE.fullmatch(typed):
        raise PhoneInvalid
    return typed or None


def common(
    request: Request, path: str, query: Mapping[str, str | list[str]] | None = None, refresh: int = 0
) -> dict[str, Any]:
    """What every open page is given: type size, links to the other size and language, a fresh form key.

    `path` and `query` are where the page can be fetched again, also when a form was just sent.
    """
    lang, large = language(request), large_type(request)

    def link(**more: str) -> str:
        return f"{path}?{urlencode({**(query or {}), **more}, doseq=True)}"

    return {
        "large": large,
        "refresh": refresh,
        "size_link": link(size="normal" if large else "large"),
        "lang_link": link(lang="zh" if lang == "en" else "en"),
        "key": secrets.token_urlsafe(18),
    }


def for_staff(request: Request, viewer: str) -> dict[str, Any]:
    """What every page behind a login is given: who reads it, and in which type size."""
    return {"viewer": viewer, "large": large_type(request)}


def sentence(error: Refused, screens: Screens, lang: str) -> str:
    """Why not, in words for somebody who has never heard of this program."""
    if isinstance(error, TooManyAttempts):
        minutes = -(-int(str(error.facts["wait_s"])) // 60)
        return screens.word(lang, "citizen", "too_many").format(n=minutes)
    if isinstance(error, HallSaidNo):
        if lang == "zh" and error.facts["said"]:
            return str(error.facts["said"])
        kind = Refused.named(str(error.facts["reason"]))
        known = kind is not Refused and "{" not in kind.en
        return kind.en if known else screens.word(lang, "citizen", "later")
    if isinstance(error, BadRequest | Forbidden):
        return screens.word(lang, "citizen", "later")
    return error.sentence(lang)
