"""What every simulated message house does, whatever its wire: it takes messages, misbehaves as told, and
says later what became of them. It sends nothing to anybody, and keeps masked copies.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from hall_core.clock import Clock
from hall_core.errors import Refused
from simulators.device import rfc3339
from simulators.faults import Faults
from simulators.sms_gateway import mask

__all__ = ["FAULTS", "House", "Letter", "Mood", "panel"]

FAULTS = (
    "accept-then-timeout:n",
    "accept-then-cut",
    "throttle",
    "unavailable",
    "limit",
    "slow:n",
    "undelivered",
    "repeat-receipts",
    "reorder-receipts",
    "early-receipts",
    "lose-receipts",
)
_MOBILE = re.compile(r"^(\+?86)?(1[3-9]\d{9}|0{7}\d{4})$")
#: seconds until a handset has a message
DELIVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Mood:
    """How the house treats one message."""

    faults: dict[str, int] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.faults

    def seconds(self, name: str) -> float:
        """The fault's number, which is milliseconds."""
        return self.faults.get(name, 0) / 1000


@dataclass(slots=True)
class Letter:
    """One message the house has taken. `to` is only in memory."""

    number: int
    to: str = field(repr=False)
    text: str
    client_ref: str
    at: float
    mood: Mood
    receipts: int = 0

    @property
    def delivered(self) -> bool:
        """Whether the handset gets it."""
        return "undelivered" not in self.mood


class House:
    """`messages` are what handsets would hold. `mood` says how the next message is treated.

    `on_receipt` is called when there is a receipt to be sent: more than once, or late, as the mood says.
    """

    def __init__(self, name: str, clock: Clock, *, delivery_s: float = DELIVERY_S) -> None:
        self.messages: list[dict[str, str]] = []
        self.letters: list[Letter] = []
        self.rejected = 0
        self.faults = Faults(name, FAULTS, clock)
        self.mood: Callable[[], Mood] = self._usual
        self.on_receipt: Callable[[Letter], None] = lambda _letter: None
        self.clock = clock
        self._delivery_s = delivery_s
        self._numbers = count(1)
        self._held: list[Letter] = []

    def _usual(self) -> Mood:
        names = [kind.partition(":")[0] for kind in FAULTS]
        found = {name: self.faults.number(name) for name in names}
        return Mood({name: number for name, number in found.items() if number is not None})

    def known(self, to: str) -> bool:
        """A number messages can be sent to: a mobile one, or one of no network."""
        return bool(_MOBILE.match(to))

    def take(self, to: str, text: str, mood: Mood, client_ref: str = "") -> Letter:
        """Take one message."""
        letter = Letter(next(self._numbers), to, text, client_ref, self.clock.monotonic(), mood)
        self.letters.append(letter)
        shown = {"to": mask(to.removeprefix("+").removeprefix("86")), "text": text}
        shown |= {"accepted_at": rfc3339(self.clock.now()), "client_ref": client_ref or str(letter.number)}
        self.messages.append(shown)
        self._plan_receipts(letter)
        return letter

    def refuse(self) -> None:
        """One more that was not taken, for good."""
        self.rejected += 1

    def arrived(self, letter: Letter) -> bool:
        """Whether what became of it is known by now."""
        return self.clock.monotonic() - letter.at >= self._delivery_s and "lose-receipts" not in letter.mood

    def stats(self) -> dict[str, int]:
        """Counters since the start; `doubled` are messages taken under a reference for the second time."""
        refs = [letter.client_ref for letter in self.letters if letter.client_ref]
        doubled = len(refs) - len(set(refs))
        return {"accepted": len(self.letters), "doubled": doubled, "rejected": self.rejected}

    def _plan_receipts(self, letter: Letter) -> None:
        if "lose-receipts" in letter.mood:
            return
        if "early-receipts" in letter.mood:
            self.on_receipt(letter)
            return
        later = asyncio.get_running_loop().call_later
        later(self._delivery_s, self._hand_on, letter)
        if "repeat-receipts" in letter.mood:
            later(2 * self._delivery_s, self._hand_on, letter)

    def _hand_on(self, letter: Letter) -> None:
        """A receipt leaves; in disorder the one before stays back until the next one comes, or a while."""
        if "reorder-receipts" in letter.mood and not self._held:
            self._held.append(letter)
            asyncio.get_running_loop().call_later(3 * self._delivery_s, self._release)
            return
        self.on_receipt(letter)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        for letter in held:
            self.on_receipt(letter)


class _FaultWish(BaseModel):
    fault: str
    seconds: float | None = Field(default=None, ge=0)


def panel(house: House, title: str) -> FastAPI:
    """The house's own pages for testers: what was taken, counters, faults."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None)

    async def problem(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return JSONResponse(error.problem(), type(error).status, media_type="application/problem+json")

    async def switch(wish: _FaultWish) -> dict[str, Any]:
        house.faults.switch_on(wish.fault, wish.seconds)
        return {"faults": house.faults.active()}

    async def clear(fault: str | None = None) -> dict[str, Any]:
        house.faults.clear(fault)
        return {"faults": house.faults.active()}

    app.add_exception_handler(Refused, problem)
    app.add_api_route("/stats", house.stats)
    app.add_api_route("/messages", lambda: house.messages, response_model=None)
    app.add_api_route("/faults", switch, methods=["POST"])
    app.add_api_route("/faults", clear, methods=["DELETE"])
    return app
