"""WeChat, for citizens who took their number there:
`wechat://APPID:SECRET@api.weixin.qq.com?as=template|subscribe&called=TEMPLATE_ID&called.label=thing1&…`.

`kind.word=key` says which field of the template takes which of our words. A template message (official
account) carries `client_msg_id`, so WeChat itself refuses to deliver it twice.
"""

import asyncio
from typing import Any

import httpx2

from controller.gateways.address import GatewayUrl
from controller.gateways.templates import template_of
from controller.gateways.web import WebGateway, fields
from controller.use_cases.ports import Asked, Busy, Parcel, Taken
from hall_core.clock import Clock
from hall_core.errors import GatewayRejected, GatewayUnknown

__all__ = ["WechatGateway"]

#: a token is renewed so long before it ends
EARLY_S = 300
#: characters a field of a subscribe template takes, by the beginning of its name
LENGTHS = {"thing": 20, "character_string": 32, "phrase": 5, "short_thing": 5, "const": 20}
TOKEN_BAD = (40001, 40014, 42001)
#: too many calls a minute; the platform is busy
NOT_NOW = (-1, 45011)
#: about us: quota of the day, permission, address not on the list
OURS = (45009, 48001, 40164, 40013, 40125)


class WechatGateway(WebGateway):
    """Implements NoticeGateway. `to` is an openid."""

    can_ask = False

    def __init__(
        self, url: GatewayUrl, clock: Clock, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(url.web(), transport)
        self._url, self._clock = url, clock
        self._as = url.choice("as", ("subscribe", "template"))
        self._token, self._until = "", 0.0
        self._renewing = asyncio.Lock()

    async def send(self, parcel: Parcel) -> Taken | Busy:
        template = template_of(self._url, parcel.kind)
        body: dict[str, Any] = {"touser": parcel.to, "template_id": template, "data": self._data(parcel)}
        if self._as == "template":
            body["client_msg_id"] = parcel.client_ref
        answer = await self._posted(body)
        if not isinstance(answer, Busy) and answer.get("errcode") in TOKEN_BAD:
            # Refused for its token, so not taken: once more with a fresh one.
            self._token = ""
            answer = await self._posted(body)
        return answer if isinstance(answer, Busy) else _outcome(answer)

    async def find(self, asked: Asked) -> Taken | None:  # noqa: ARG002 - the protocol's
        raise GatewayUnknown("WeChat cannot be asked")

    def _data(self, parcel: Parcel) -> dict[str, dict[str, str]]:
        data = {}
        for word, value in parcel.words.items():
            if key := self._url.option(f"{parcel.kind}.{word}"):
                most = LENGTHS.get(key.rstrip("0123456789"), 100)
                data[key] = {"value": value if len(value) <= most else f"{value[: most - 1]}…"}
        return data

    async def _posted(self, body: dict[str, Any]) -> dict[str, Any] | Busy:
        token = await self._fresh_token()
        if isinstance(token, Busy):
            return token
        path = f"/cgi-bin/message/{self._as}/send"
        answer = await self.post(path, params={"access_token": token}, json=body)
        return answer if isinstance(answer, Busy) else fields(answer)

    async def _fresh_token(self) -> str | Busy:
        """The access token, renewed by one caller for all; `stable_token` leaves others' tokens valid."""
        async with self._renewing:
            if self._token and self._clock.monotonic() < self._until:
                return self._token
            wish = {"grant_type": "client_credential", "appid": self._url.user, "secret": self._url.secret}
            try:
                answer = await self.client.post("/cgi-bin/stable_token", json=wish)
                body = fields(answer)
            except (httpx2.HTTPError, GatewayUnknown) as error:
                return Busy(f"no token: {type(error).__name__}", down=True)
            if not body.get("access_token"):
                return Busy(f"no token: {body.get('errcode')}", down=True)
            self._token = str(body["access_token"])
            self._until = self._clock.monotonic() + max(60, int(body.get("expires_in", 0)) - EARLY_S)
            return self._token


def _outcome(answer: dict[str, Any]) -> Taken | Busy:
    code = answer.get("errcode")
    if code == 0:
        return Taken(str(answer.get("msgid", "")))
    if not isinstance(code, int):
        raise GatewayUnknown("an answer without errcode")
    if code in NOT_NOW:
        return Busy(f"errcode {code}")
    if code in (*OURS, *TOKEN_BAD):
        return Busy(f"errcode {code}", down=True)
    raise GatewayRejected(f"errcode {code}")
