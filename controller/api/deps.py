"""What every router needs: who asks, and the parts of the controller."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from pydantic import StringConstraints

from controller.listener import Listener
from controller.metrics import Metrics
from controller.use_cases.channels import Program
from controller.use_cases.context import Context
from controller.use_cases.people import People
from controller.use_cases.receipt_doors import ReceiptDoors
from controller.web.services import SESSION_COOKIE
from hall_core.errors import BadRequest, Forbidden, LoginNeeded
from hall_core.personal import holds_number

__all__ = [
    "Admin",
    "Asker",
    "HallId",
    "IdempotencyKey",
    "Parts",
    "PartsDep",
    "Who",
    "idempotency",
    "same_origin",
]

#: ids as they stand in addresses and queries: nothing a database could stumble over
HallId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
IdempotencyKey = Annotated[str | None, Header(max_length=255)]
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Parts:
    """One running controller, as the routers see it."""

    context: Context
    people: People
    listener: Listener
    metrics: Metrics
    receipts: ReceiptDoors = field(default_factory=ReceiptDoors)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: `key:NAME` for a program, `admin:NAME` for a person."""

    name: str
    program: Program | None = None

    def channel(self, said: str) -> str:
        """Where the citizen asked: what the request says, unless the key stands for one channel."""
        return (self.program and self.program.channel) or said


async def _parts(request: Request) -> Parts:
    # async: whatever is not is sent to a thread and back, which takes longer than a whole answer
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


def _offered_key(request: Request) -> str | None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value:
        return value.strip()
    return request.headers.get("x-api-key")


def idempotency(key: str | None) -> str:
    """The key of a request that makes something. Raises BadRequest without a readable one, and for somebody's
    telephone or identity number: keys are kept as they are.
    """
    if not key or not key.isascii() or not key.isprintable() or holds_number(key):
        raise BadRequest(what="Idempotency-Key")
    return key


def same_origin(request: Request) -> bool:
    """True unless a browser says that another site made it send this request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


async def _asker(request: Request, parts: PartsDep) -> Asker:
    """The program or person behind this request. Raises LoginNeeded, Forbidden for a cross-site one,
    TooManyAttempts for a program that asks too often.
    """
    key = _offered_key(request)
    if key is not None:
        program = await parts.people.program(key)
        if program is None:
            raise LoginNeeded
        parts.people.channels.admit(program)
        return Asker(program.owner, program)
    admin = await parts.people.admin(request.cookies.get(SESSION_COOKIE))
    if admin is None:
        raise LoginNeeded
    if request.method not in _SAFE and not same_origin(request):
        raise Forbidden
    return Asker(f"admin:{admin}")


Who = Annotated[Asker, Depends(_asker)]


async def _administrator(who: Who) -> Asker:
    """A person, not a program. Raises Forbidden."""
    if not who.name.startswith("admin:"):
        raise Forbidden
    return who


Admin = Annotated[Asker, Depends(_administrator)]
