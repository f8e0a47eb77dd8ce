"""Tencent Cloud short messages:
`tencent://SECRET_ID:SECRET_KEY@sms.tencentcloudapi.com?app=1400006666&region=ap-guangzhou&called=1110&…`.

One approved template per kind of notice; its parameters are our words in their order. SessionContext is
our reference. Tencent only tells of a message what the carrier has reported: no word is no proof that it
was not taken, so an unknown notice is never offered again. `pull=1` fetches receipts by themselves, once
Tencent has switched PullSmsSendStatus on for the application.
"""

import asyncio
import json
import logging
from typing import Any

import httpx2

from controller.gateways.address import GatewayUrl
from controller.gateways.signing import tc3
from controller.gateways.templates import template_of
from controller.gateways.web import WebGateway, fields
from controller.use_cases.ports import Asked, Busy, Fate, Parcel, Receipt, ReceiptSink, Taken
from hall_core.clock import Clock
from hall_core.errors import GatewayRejected, GatewayUnknown

__all__ = ["TencentGateway"]

logger = logging.getLogger(__name__)

VERSION = "2021-01-11"
MOST = 100
#: about us, not about the notice: key, clock, permission, balance
OURS = (
    *("AuthFailure", "UnauthorizedOperation", "InvalidParameterValue.SdkAppIdNotExist"),
    "FailedOperation.InsufficientBalanceInSmsPackage",
)
UNCLEAR = ("InternalError", "ResourceUnavailable")


class TencentGateway(WebGateway):
    """Implements NoticeGateway."""

    def __init__(
        self,
        url: GatewayUrl,
        clock: Clock,
        signature: str,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url.web(), transport)
        self._url, self._clock, self._sign = url, clock, url.option("sign", signature)
        self._app, self._region = url.need("app"), url.option("region", "ap-guangzhou")
        self._pull_s = url.number("pull_s", 5) if url.option("pull") == "1" else 0

    async def send(self, parcel: Parcel) -> Taken | Busy:
        template = template_of(self._url, parcel.kind)
        answer = await self._call(
            "SendSms",
            {
                "PhoneNumberSet": [parcel.to],
                "SmsSdkAppId": self._app,
                "SignName": self._sign,
                "TemplateId": template,
                "TemplateParamSet": list(parcel.words.values()),
                "SessionContext": parcel.client_ref,
            },
        )
        if isinstance(answer, Busy):
            return answer
        code, status = _status(answer)
        if code == "Ok":
            return Taken(str(status.get("SerialNo", "")))
        if code.startswith("RequestLimitExceeded"):
            return Busy(code)
        if code.startswith(OURS):
            return Busy(code, down=True)
        if not code or code.startswith(UNCLEAR):
            raise GatewayUnknown(code or "no code")
        # LimitExceeded among them: the number's limit is reached, and that is final.
        raise GatewayRejected(code)

    async def find(self, asked: Asked) -> Taken | None:
        if not asked.to:
            raise GatewayUnknown("the number is gone")
        since = int(asked.sent_at.timestamp()) - 60
        about = {"PhoneNumber": asked.to, "SmsSdkAppId": self._app, "BeginTime": since, "Offset": 0}
        answer = await self._call("PullSmsSendStatusByPhoneNumber", about | {"Limit": MOST})
        if isinstance(answer, Busy):
            raise GatewayUnknown(answer.why)
        for receipt in _receipts(answer):
            if receipt.client_ref == asked.client_ref or (
                asked.provider_id and receipt.provider_id == asked.provider_id
            ):
                return Taken(receipt.provider_id, receipt.fate, receipt.reason)
        raise GatewayUnknown("no word of the carrier yet")

    async def run(self, told: ReceiptSink) -> None:
        """Fetch receipts. What was fetched is gone at Tencent: what is not stored must be asked for."""
        if not self._pull_s:
            await asyncio.Event().wait()
        while True:
            try:
                answer = await self._call("PullSmsSendStatus", {"SmsSdkAppId": self._app, "Limit": MOST})
                receipts = [] if isinstance(answer, Busy) else _receipts(answer)
            except GatewayUnknown as error:
                logger.warning("receipts not fetched: %s", error)
                receipts = []
            for receipt in receipts:
                await told(receipt)
            if len(receipts) < MOST:
                await asyncio.sleep(self._pull_s)

    async def _call(self, action: str, parameters: dict[str, Any]) -> dict[str, Any] | Busy:
        """The `Response` object."""
        body = json.dumps(parameters, ensure_ascii=False).encode()
        at = int(self._clock.now().timestamp())
        host = self.client.base_url.netloc.decode()
        signed = {"content-type": "application/json; charset=utf-8", "host": host}
        allowed = tc3(self._url.user, self._url.secret, service="sms", at=at, headers=signed, body=body)
        more = {
            "authorization": allowed,
            "x-tc-action": action,
            "x-tc-version": VERSION,
            "x-tc-timestamp": str(at),
            "x-tc-region": self._region,
        }
        answer = await self.post("/", content=body, headers=signed | more)
        if isinstance(answer, Busy):
            return answer
        response = fields(answer).get("Response")
        if not isinstance(response, dict):
            raise GatewayUnknown(f"HTTP {answer.status_code} without a response")
        return response


def _status(answer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The code of a send: of the request as a whole, or of its one number."""
    if isinstance(error := answer.get("Error"), dict):
        return str(error.get("Code", "")), {}
    try:
        (status,) = answer["SendStatusSet"]
        return str(status["Code"]), dict(status)
    except (KeyError, TypeError, ValueError):
        return "", {}


def _receipts(answer: dict[str, Any]) -> list[Receipt]:
    """Raises GatewayUnknown when the request was refused."""
    rows = answer.get("PullSmsSendStatusSet")
    if not isinstance(rows, list):
        raise GatewayUnknown(_status(answer)[0] or "no list")
    found = []
    for row in rows:
        good = row.get("ReportStatus") == "SUCCESS"
        reason = "" if good else str(row.get("Description", ""))[:100]
        ids = str(row.get("SerialNo") or ""), str(row.get("SessionContext") or "")
        found.append(Receipt(Fate.DELIVERED if good else Fate.FAILED, *ids, reason))
    return found
