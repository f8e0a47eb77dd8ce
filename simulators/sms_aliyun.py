"""Aliyun's Dysms over HTTP as its documentation describes it: SendSms, QuerySendDetails, V3 signatures.

The signature is checked over whatever headers the client says it has signed, as the cloud does.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from simulators.sms_house import House, Letter, Mood, panel

__all__ = ["aliyun_app"]

ALGORITHM = "ACS3-HMAC-SHA256"
#: how far the client's clock may be off
SKEW_S = 900
_WORDS = {"SMS_1": "您的号码${label}请到${counter}办理。"}


class _Cloud:
    def __init__(self, house: House, key_id: str, secret: str) -> None:
        self.house, self._key_id, self._secret = house, key_id, secret.encode()
        self._nonces: set[str] = set()

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        wrong = self._wrong(request, body)
        if wrong:
            return _no(wrong, 400 if wrong != "InvalidAccessKeyId.NotFound" else 404)
        parameters = dict(parse_qsl(request.url.query)) | dict(parse_qsl(body.decode()))
        action = request.headers["x-acs-action"]
        if action == "SendSms":
            return await self._send(parameters)
        if action == "QuerySendDetails":
            return JSONResponse(self._details(parameters))
        return _no("InvalidAction.NotFound", 404)

    def _wrong(self, request: Request, body: bytes) -> str:
        """Why the request is not believed."""
        algorithm, _, rest = request.headers.get("authorization", "").partition(" ")
        parts = dict(p.strip().partition("=")[::2] for p in rest.split(","))
        if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= set(parts):
            return "IncompleteSignature"
        if parts["Credential"] != self._key_id:
            return "InvalidAccessKeyId.NotFound"
        names = parts["SignedHeaders"].split(";")
        if not {"host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce"} <= set(names):
            return "IncompleteSignature"
        digest = hashlib.sha256(body).hexdigest()
        if request.headers.get("x-acs-content-sha256") != digest:
            return "SignatureDoesNotMatch"
        lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names)
        query = "&".join(sorted(request.url.query.split("&"))) if request.url.query else ""
        path = request.url.path or "/"
        canonical = "\n".join((request.method, path, query, lines, parts["SignedHeaders"], digest))
        signed = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        if not hmac.compare_digest(
            hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest(), parts["Signature"]
        ):
            return "SignatureDoesNotMatch"
        return self._stale(request)

    def _stale(self, request: Request) -> str:
        try:
            at = datetime.strptime(request.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return "InvalidTimeStamp.Format"
        if abs((self.house.clock.now() - at).total_seconds()) > SKEW_S:
            return "InvalidTimeStamp.Expired"
        nonce = request.headers["x-acs-signature-nonce"]
        if nonce in self._nonces:
            return "SignatureNonceUsed"
        self._nonces.add(nonce)
        return ""

    async def _send(self, asked: dict[str, str]) -> Response:
        mood = self.house.mood()
        if "slow" in mood:
            await asyncio.sleep(mood.seconds("slow"))
        answer = self._taken(asked, mood)
        if "accept-then-timeout" in mood:
            await asyncio.sleep(mood.seconds("accept-then-timeout"))
        return answer

    def _taken(self, asked: dict[str, str], mood: Mood) -> Response:
        if "throttle" in mood:
            return _no("Throttling.User", 400)
        if "unavailable" in mood:
            return _no("ServiceUnavailable", 503)
        if "limit" in mood:
            return _said("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:50")
        to, sign, template = (asked.get(n, "") for n in ("PhoneNumbers", "SignName", "TemplateCode"))
        if not self.house.known(to):
            self.house.refuse()
            return _said("isv.MOBILE_NUMBER_ILLEGAL", "手机号码格式错误")
        try:
            words = json.loads(asked.get("TemplateParam") or "{}")
        except ValueError:
            self.house.refuse()
            return _said("isv.INVALID_JSON_PARAM", "参数格式错误")
        if not template.startswith("SMS_") or not sign or not isinstance(words, dict):
            self.house.refuse()
            return _said("isv.SMS_TEMPLATE_ILLEGAL", "模板不合法")
        text = f"【{sign}】{_filled(template, words)}"
        letter = self.house.take(to, text, mood, asked.get("OutId", ""))
        if "accept-then-cut" in mood:
            return Response(status_code=502)
        taken = {"Code": "OK", "Message": "OK", "BizId": _biz(letter)}
        return JSONResponse(taken | {"RequestId": _request_id()})

    def _details(self, asked: dict[str, str]) -> dict[str, Any]:
        found = [
            letter
            for letter in self.house.letters
            if letter.to.removeprefix("+86") == asked.get("PhoneNumber")
            and asked.get("BizId", _biz(letter)) == _biz(letter)
        ]
        size, page = int(asked.get("PageSize", 10)), int(asked.get("CurrentPage", 1))
        rows = [self._row(letter) for letter in found[(page - 1) * size : page * size]]
        body = {"Code": "OK", "Message": "OK", "RequestId": _request_id(), "TotalCount": len(found)}
        return body | {"SmsSendDetailDTOs": {"SmsSendDetailDTO": rows}}

    def _row(self, letter: Letter) -> dict[str, Any]:
        status, code = 1, ""
        if self.house.arrived(letter):
            status, code = (3, "DELIVERED") if letter.delivered else (2, "UNDELIV")
        return {
            "OutId": letter.client_ref,
            "SendStatus": status,
            "ErrCode": code,
            "Content": letter.text,
            "TemplateCode": "",
        }


def aliyun_app(house: House, key_id: str, secret: str) -> FastAPI:
    """The cloud's entry point at `/`, with the panel for testers beside it."""
    cloud = _Cloud(house, key_id, secret)
    app = panel(house, "Quiethall simulated Aliyun Dysms")
    app.add_api_route("/", cloud.answer, methods=["POST", "GET"], response_model=None)
    return app


def _filled(template: str, words: dict[str, str]) -> str:
    """The text of a template: the words in their order when the template is not known here."""
    text = _WORDS.get(template, " ".join(f"${{{name}}}" for name in words))
    for name, value in words.items():
        text = text.replace(f"${{{name}}}", str(value))
    return text


def _biz(letter: Letter) -> str:
    return f"9000{letter.number:08d}^0"


def _request_id() -> str:
    return secrets.token_hex(16).upper()


def _said(code: str, message: str) -> Response:
    """What the message service says itself: status 200."""
    return JSONResponse({"Code": code, "Message": message, "RequestId": _request_id()})


def _no(code: str, status: int) -> Response:
    """What the cloud's gateway says."""
    return JSONResponse({"Code": code, "Message": code, "RequestId": _request_id()}, status)
