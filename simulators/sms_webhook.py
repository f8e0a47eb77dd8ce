"""Somebody's own system behind a webhook: it checks signatures as standardwebhooks.com says, and takes
every id once, however often it comes.
"""

import asyncio
import base64
import hmac
import json
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from simulators.sms_house import House, Letter, Mood, panel

__all__ = ["webhook_app"]

SKEW_S = 300


class _Receiver:
    def __init__(self, house: House, key: bytes) -> None:
        self.house, self._key = house, key
        self._taken: dict[str, Letter] = {}

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if not self._believed(request, body):
            return JSONResponse({"error": "signature"}, 401)
        mood = self.house.mood()
        for fault, status in (("throttle", 429), ("unavailable", 503), ("limit", 422)):
            if fault in mood:
                return JSONResponse({"error": fault}, status)
        if not self._kept(request.headers["webhook-id"], json.loads(body)["data"], mood):
            return JSONResponse({"error": "number"}, 422)
        if "accept-then-timeout" in mood:
            await asyncio.sleep(mood.seconds("accept-then-timeout"))
        return Response(status_code=502 if "accept-then-cut" in mood else 204)

    async def tell(self, request: Request, message_id: str) -> Response:
        if not self._believed(request, b""):
            return JSONResponse({"error": "signature"}, 401)
        letter = self._taken.get(message_id)
        if letter is None:
            return JSONResponse({"error": "unknown"}, 404)
        end = "delivered" if letter.delivered else "failed"
        return JSONResponse({"status": end if self.house.arrived(letter) else "accepted"})

    def _kept(self, message_id: str, notice: dict[str, Any], mood: Mood) -> bool:
        if message_id in self._taken:
            return True
        if not self.house.known(notice["to"]):
            self.house.refuse()
            return False
        self._taken[message_id] = self.house.take(notice["to"], notice["text"], mood, message_id)
        return True

    def _believed(self, request: Request, body: bytes) -> bool:
        head = request.headers
        message_id, stamp = head.get("webhook-id", ""), head.get("webhook-timestamp", "")
        if not stamp.isdigit() or abs(self.house.clock.now().timestamp() - int(stamp)) > SKEW_S:
            return False
        content = b".".join((message_id.encode(), stamp.encode(), body))
        right = base64.b64encode(hmac.digest(self._key, content, "sha256")).decode()
        given = [s.removeprefix("v1,") for s in head.get("webhook-signature", "").split() if s[:3] == "v1,"]
        return any(hmac.compare_digest(right, signature) for signature in given)


def webhook_app(house: House, secret: str, path: str = "/notices") -> FastAPI:
    """`POST path`, `GET path/id`, and the panel for testers. The secret is base64."""
    receiver = _Receiver(house, base64.b64decode(secret))
    app = panel(house, "Quiethall simulated webhook receiver")
    app.add_api_route(path, receiver.take, methods=["POST"], response_model=None)
    app.add_api_route(path + "/{message_id}", receiver.tell, methods=["GET"], response_model=None)
    return app
