"""Tencent Cloud's short messages over HTTP as their documentation describes them: SendSms, PullSmsSendStatus
and PullSmsSendStatusByPhoneNumber, with TC3-HMAC-SHA256 signatures. Errors come with status 200.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from simulators.sms_house import House, Letter, Mood, panel

__all__ = ["tencent_app"]

ALGORITHM = "TC3-HMAC-SHA256"
SKEW_S = 300
VERSION = "2021-01-11"


class _Cloud:
    def __init__(self, house: House, key_id: str, secret: str, app: str) -> None:
        self.house, self._key_id, self._secret, self._app = house, key_id, secret, app
        self._ready: list[Letter] = []
        house.on_receipt = self._ready.append

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        if wrong := self._wrong(request, body):
            return _error(wrong)
        try:
            asked: dict[str, Any] = json.loads(body)
        except ValueError:
            return _error("InvalidParameter")
        if asked.get("SmsSdkAppId") != self._app:
            return _error("InvalidParameterValue.SdkAppIdNotExist")
        action = request.headers.get("x-tc-action")
        if action == "SendSms":
            return await self._send(asked)
        if action == "PullSmsSendStatus":
            some, self._ready[:] = self._ready[: asked["Limit"]], self._ready[asked["Limit"] :]
            return _good({"PullSmsSendStatusSet": [_row(letter) for letter in some]})
        if action == "PullSmsSendStatusByPhoneNumber":
            found = [
                _row(letter)
                for letter in self.house.letters
                if letter.to == asked["PhoneNumber"] and self.house.arrived(letter)
            ]
            return _good({"PullSmsSendStatusSet": found[: asked["Limit"]]})
        return _error("InvalidAction")

    def _wrong(self, request: Request, body: bytes) -> str:
        head = request.headers
        algorithm, _, rest = head.get("authorization", "").partition(" ")
        parts = dict(p.strip().partition("=")[::2] for p in rest.split(","))
        if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= set(parts):
            return "AuthFailure.InvalidAuthorization"
        key_id, _, scope = parts["Credential"].partition("/")
        if key_id != self._key_id:
            return "AuthFailure.SecretIdNotFound"
        if head.get("x-tc-version") != VERSION:
            return "NoSuchVersion"
        stamp = head.get("x-tc-timestamp", "")
        if not stamp.isdigit() or abs(self.house.clock.now().timestamp() - int(stamp)) > SKEW_S:
            return "AuthFailure.SignatureExpire"
        names = parts["SignedHeaders"].split(";")
        if not {"content-type", "host"} <= set(names):
            return "AuthFailure.InvalidAuthorization"
        lines = "".join(f"{name}:{head.get(name, '').strip().lower()}\n" for name in names)
        digest = hashlib.sha256(body).hexdigest()
        canonical = "\n".join((request.method, "/", "", lines, parts["SignedHeaders"], digest))
        signed = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        key = f"TC3{self._secret}".encode()
        for step in scope.split("/"):
            key = hmac.digest(key, step.encode(), "sha256")
        right = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
        return "" if hmac.compare_digest(right, parts["Signature"]) else "AuthFailure.SignatureFailure"

    async def _send(self, asked: dict[str, Any]) -> Response:
        mood = self.house.mood()
        if "slow" in mood:
            await asyncio.sleep(mood.seconds("slow"))
        answer = self._taken(asked, mood)
        if "accept-then-timeout" in mood:
            await asyncio.sleep(mood.seconds("accept-then-timeout"))
        return answer

    def _taken(self, asked: dict[str, Any], mood: Mood) -> Response:
        if "throttle" in mood:
            return _error("RequestLimitExceeded")
        if "unavailable" in mood:
            return _error("InternalError.Timeout")
        (to,) = asked["PhoneNumberSet"]
        context = asked.get("SessionContext", "")
        if "limit" in mood:
            return _sent("LimitExceeded.PhoneNumberDailyLimit", "", context)
        if not self.house.known(to):
            self.house.refuse()
            return _sent("InvalidParameterValue.IncorrectPhoneNumber", "", context)
        if not str(asked.get("TemplateId", "")).isdigit():
            self.house.refuse()
            return _sent("FailedOperation.TemplateIncorrectOrUnapproved", "", context)
        text = f"【{asked.get('SignName', '')}】{' '.join(asked.get('TemplateParamSet', []))}"
        letter = self.house.take(to, text, mood, context)
        if "accept-then-cut" in mood:
            return Response(status_code=502)
        return _sent("Ok", _serial(letter), context)


def tencent_app(house: House, key_id: str, secret: str, app: str) -> FastAPI:
    """The cloud's entry point at `/`, with the panel for testers beside it."""
    cloud = _Cloud(house, key_id, secret, app)
    made = panel(house, "Quiethall simulated Tencent SMS")
    made.add_api_route("/", cloud.answer, methods=["POST"], response_model=None)
    return made


def _serial(letter: Letter) -> str:
    return f"5000:1045{letter.number:024d}"


def _row(letter: Letter) -> dict[str, Any]:
    number = letter.to.removeprefix("+86")
    return {
        "PhoneNumber": letter.to,
        "CountryCode": "86",
        "SubscriberNumber": number,
        "SerialNo": _serial(letter),
        "SessionContext": letter.client_ref,
        "ReportStatus": "SUCCESS" if letter.delivered else "FAIL",
        "Description": "DELIVRD" if letter.delivered else "UNDELIV",
        "UserReceiveTime": 0,
    }


def _good(response: dict[str, Any]) -> Response:
    return JSONResponse({"Response": response | {"RequestId": secrets.token_hex(16)}})


def _error(code: str) -> Response:
    return _good({"Error": {"Code": code, "Message": code}})


def _sent(code: str, serial: str, context: str) -> Response:
    status = {"Code": code, "Message": code, "SerialNo": serial, "Fee": int(code == "Ok")}
    return _good({"SendStatusSet": [status | {"SessionContext": context, "IsoCode": "CN"}]})
