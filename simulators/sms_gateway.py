"""An SMS gateway as message houses offer them over HTTP, with the faults of a bad day.

It sends nothing: it keeps masked copies. The wire: `POST /send` with a bearer key, `GET /status?client_ref=`.
"""

import asyncio
import re
import secrets
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, ValidationError

from hall_core.clock import Clock
from hall_core.errors import Refused
from simulators.device import rfc3339
from simulators.faults import Faults

__all__ = ["FAULTS", "Gateway", "mask"]

FAULTS = ("accept-then-timeout:n", "throttle", "unavailable", "slow:n", "undelivered")

_MOBILE = re.compile(r"^\+861[3-9]\d{9}$")
#: seconds until a handset has a message
_DELIVERY_S = 1.0
_LONGEST = 500


def mask(number: str) -> str:
    """`138****1234`: how a number may be written down."""
    national = number.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}" if len(national) >= 7 else "****"


class _Message(BaseModel):
    client_ref: str = Field(min_length=1, max_length=128)
    to: str
    text: str


class _FaultWish(BaseModel):
    fault: str
    seconds: float | None = Field(default=None, ge=0)


class Gateway:
    """A message house. `messages` are what a citizen's handset would hold: one for each client reference.

    `doubled` counts messages sent again under a reference it had taken already, `rejected` those refused.
    """

    def __init__(self, key: str, clock: Clock) -> None:
        self.messages: list[dict[str, str]] = []
        self.accepted = 0
        self.doubled = 0
        self.rejected = 0
        self.faults = Faults("sms-gateway", FAULTS, clock)
        self._key = key
        self._clock = clock
        self._taken: dict[str, tuple[str, float, bool]] = {}
        self.app = self._build()

    async def send(self, request: Request, authorization: Annotated[str, Header()] = "") -> Response:
        """Take one message: 200 accepted or duplicate, 400 rejected, 401 wrong key, 429/503 not taken."""
        if not secrets.compare_digest(authorization.encode(), f"Bearer {self._key}".encode()):
            return JSONResponse({"status": "rejected", "reason": "key"}, 401)
        if slow := self.faults.number("slow"):
            await asyncio.sleep(slow / 1000)
        if self.faults.on("throttle"):
            return JSONResponse({"status": "throttled"}, 429, {"Retry-After": "1"})
        if self.faults.on("unavailable"):
            return JSONResponse({"status": "unavailable"}, 503)
        answer = self._take(await request.body())
        if hold := self.faults.number("accept-then-timeout"):
            await asyncio.sleep(hold / 1000)
        return answer

    def status(self, client_ref: str) -> dict[str, Any]:
        """What became of a message, asked by the sender's own reference."""
        if client_ref not in self._taken:
            return {"found": False}
        message_id, since, lost = self._taken[client_ref]
        arrived = self._clock.monotonic() - since >= _DELIVERY_S
        status = ("failed" if lost else "delivered") if arrived else "accepted"
        return {"found": True, "id": message_id, "status": status}

    def stats(self) -> dict[str, int]:
        """Counters since the start."""
        return {"accepted": self.accepted, "doubled": self.doubled, "rejected": self.rejected}

    def _take(self, body: bytes) -> Response:
        try:
            message = _Message.model_validate_json(body)
        except ValidationError:
            return self._refuse("malformed")
        if not _MOBILE.match(message.to):
            return self._refuse("number")
        if not 0 < len(message.text) <= _LONGEST:
            return self._refuse("text")
        if message.client_ref in self._taken:
            self.doubled += 1
            return JSONResponse({"id": self._taken[message.client_ref][0], "status": "duplicate"})
        message_id = secrets.token_hex(8)
        self._taken[message.client_ref] = (
            message_id,
            self._clock.monotonic(),
            self.faults.on("undelivered"),
        )
        self.accepted += 1
        self.messages.append(
            {
                "to": mask(message.to),
                "text": message.text,
                "accepted_at": rfc3339(self._clock.now()),
                "client_ref": message.client_ref,
            }
        )
        return JSONResponse({"id": message_id, "status": "accepted"})

    def _refuse(self, reason: str) -> Response:
        self.rejected += 1
        return JSONResponse({"status": "rejected", "reason": reason}, 400)

    def _build(self) -> FastAPI:
        app = FastAPI(title="Quiethall simulated SMS gateway", docs_url=None, redoc_url=None)

        async def problem(_request: Request, error: Exception) -> Response:
            assert isinstance(error, Refused)
            return JSONResponse(error.problem(), type(error).status, media_type="application/problem+json")

        async def switch(wish: _FaultWish) -> dict[str, list[str]]:
            self.faults.switch_on(wish.fault, wish.seconds)
            return {"faults": self.faults.active()}

        async def clear(fault: str | None = None) -> dict[str, list[str]]:
            self.faults.clear(fault)
            return {"faults": self.faults.active()}

        app.add_exception_handler(Refused, problem)
        app.add_api_route("/send", self.send, methods=["POST"], response_model=None)
        app.add_api_route("/status", self.status)
        app.add_api_route("/stats", self.stats)
        app.add_api_route("/messages", lambda: self.messages, response_model=None)
        app.add_api_route("/faults", switch, methods=["POST"])
        app.add_api_route("/faults", clear, methods=["DELETE"])
        return app
