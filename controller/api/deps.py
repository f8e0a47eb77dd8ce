"""What every router needs: who asks, and the parts of the controller."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from pydantic import StringConstraints

from controller.listener import Listener
from controller.metrics import Metrics
from controller.use_cases.context import Context
from controller.use_cases.people import People
from controller.web.services import SESSION_COOKIE
from hall_core.errors import Forbidden, LoginNeeded

__all__ = ["Asker", "HallId", "Parts", "PartsDep", "Who", "same_origin"]

#: ids as they stand in addresses and queries: nothing a database could stumble over
HallId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Parts:
    """One running controller, as the routers see it."""

    context: Context
    people: People
    listener: Listener
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: `key:NAME` for a program, `admin:NAME` for a person."""

    name: str


def _parts(request: Request) -> Parts:
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


def _offered_key(request: Request) -> str | None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value:
        return value.strip()
    return request.headers.get("x-api-key")


def same_origin(request: Request) -> bool:
    """True unless a browser says that another site made it send this request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


async def _asker(request: Request, parts: PartsDep) -> Asker:
    """The program or person behind this request. Raises LoginNeeded, Forbidden for a cross-site one."""
    key = _offered_key(request)
    if key is not None:
        program = await parts.people.program(key)
        if program is None:
            raise LoginNeeded
        return Asker(f"key:{program}")
    admin = await parts.people.admin(request.cookies.get(SESSION_COOKIE))
    if admin is None:
        raise LoginNeeded
    if request.method not in _SAFE and not same_origin(request):
        raise Forbidden
    return Asker(f"admin:{admin}")


Who = Annotated[Asker, Depends(_asker)]
