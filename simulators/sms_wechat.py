"""WeChat's server API as its documentation describes it: stable_token, template and subscribe messages."""

import asyncio
import secrets
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from simulators.sms_house import House, Mood, panel

__all__ = ["Platform", "wechat_app"]

TOKEN_S = 7200
OK, BUSY, BAD_SECRET, BAD_TOKEN, TOKEN_OLD = 0, -1, 40125, 40001, 42001
BAD_TEMPLATE, REFUSED, TOO_OFTEN, BAD_DATA = 40037, 43101, 45009, 47003


class Platform:
    """Tokens and messages. `followers` are the openids that want messages."""

    def __init__(self, house: House, appid: str, secret: str, followers: set[str]) -> None:
        self.house, self._account, self._followers = house, (appid, secret), followers
        self._tokens: dict[str, float] = {}
        self._sent: set[str] = set()

    def forget_tokens(self) -> None:
        """Every token ends now, as when somebody renews the secret."""
        self._tokens.clear()

    async def token(self, request: Request) -> Response:
        """The same token while it lasts, unless a new one is forced."""
        asked, now = await request.json(), self.house.clock.monotonic()
        if (asked.get("appid"), asked.get("secret")) != self._account:
            return _said(BAD_SECRET, "invalid appsecret")
        fresh = [t for t, until in self._tokens.items() if until > now]
        given = fresh[0] if fresh and not asked.get("force_refresh") else secrets.token_urlsafe(40)
        until = self._tokens.setdefault(given, now + TOKEN_S)
        return JSONResponse({"access_token": given, "expires_in": int(until - now)})

    async def send(self, request: Request) -> Response:
        """A template or a subscribe message; one with a `client_msg_id` is delivered once."""
        asked: dict[str, Any] = await request.json()
        mood = self.house.mood()
        if refusal := self._refusal(request.query_params.get("access_token", ""), asked, mood):
            return refusal
        reference = asked.get("client_msg_id", "")
        if not reference or reference not in self._sent:
            self._sent.add(reference)
            text = " ".join(field["value"] for field in asked["data"].values())
            self.house.take(asked["touser"], text, mood, reference)
        if "accept-then-timeout" in mood:
            await asyncio.sleep(mood.seconds("accept-then-timeout"))
        return JSONResponse({"errcode": OK, "errmsg": "ok", "msgid": len(self.house.letters)})

    def _refusal(self, token: str, asked: dict[str, Any], mood: Mood) -> Response | None:
        if self._tokens.get(token, -1.0) <= self.house.clock.monotonic():
            return _said(TOKEN_OLD if token in self._tokens else BAD_TOKEN, "access_token")
        for fault, code in (("throttle", BUSY), ("unavailable", BUSY), ("limit", TOO_OFTEN)):
            if fault in mood:
                return _said(code, fault)
        data = asked.get("data")
        if not asked.get("template_id") or not isinstance(data, dict):
            return _said(BAD_TEMPLATE, "invalid template_id")
        if asked.get("touser") not in self._followers:
            self.house.refuse()
            return _said(REFUSED, "user refuse to accept the msg")
        if any(len(field["value"]) > 20 for name, field in data.items() if name.startswith("thing")):
            self.house.refuse()
            return _said(BAD_DATA, "argument invalid")
        return None


def wechat_app(platform: Platform) -> FastAPI:
    """The platform's paths, with the panel for testers beside them."""
    app = panel(platform.house, "Quiethall simulated WeChat")
    app.add_api_route("/cgi-bin/stable_token", platform.token, methods=["POST"], response_model=None)
    for kind in ("template", "subscribe"):
        path = f"/cgi-bin/message/{kind}/send"
        app.add_api_route(path, platform.send, methods=["POST"], response_model=None, name=kind)
    return app


def _said(code: int, message: str) -> Response:
    return JSONResponse({"errcode": code, "errmsg": message})
