"""Aliyun short messages: `aliyun://ACCESS_KEY_ID:SECRET@dysmsapi.aliyuncs.com?called=SMS_1&nearly=SMS_2&…`.

One approved template per kind of notice; its variables are called like our words. SendSms is not
idempotent: after a time-out QuerySendDetails is asked for our reference (OutId).
"""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2

from controller.gateways.address import GatewayUrl
from controller.gateways.signing import acs3, query_of
from controller.gateways.templates import template_of
from controller.gateways.web import WebGateway, fields
from controller.use_cases.ports import Asked, Busy, Fate, Parcel, Taken
from hall_core.clock import Clock
from hall_core.errors import GatewayRejected, GatewayUnknown

__all__ = ["AliyunGateway"]

VERSION = "2017-05-25"
CHINA = ZoneInfo("Asia/Shanghai")
PAGE, MOST_PAGES = 50, 10
#: about us, not about the notice: account, key, clock, balance
OURS = (
    *("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidTimeStamp", "Forbidden"),
    *("isv.OUT_OF_SERVICE", "isv.AMOUNT_NOT_ENOUGH", "isv.ACCOUNT", "isv.PRODUCT_UN", "isv.DENY_IP_RANGE"),
    "isp.RAM_PERMISSION_DENY",
)
#: the message may have been taken
UNCLEAR = ("isp.SYSTEM_ERROR", "InternalError", "ServiceUnavailable", "SignatureNonceUsed")
FATES = {1: Fate.ACCEPTED, 2: Fate.FAILED, 3: Fate.DELIVERED}


class AliyunGateway(WebGateway):
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

    async def send(self, parcel: Parcel) -> Taken | Busy:
        template = template_of(self._url, parcel.kind)
        answer = await self._call(
            "SendSms",
            {
                "PhoneNumbers": parcel.to.removeprefix("+86"),
                "SignName": self._sign,
                "TemplateCode": template,
                "TemplateParam": json.dumps(dict(parcel.words), ensure_ascii=False, separators=(",", ":")),
                "OutId": parcel.client_ref,
            },
        )
        if isinstance(answer, Busy):
            return answer
        code = str(answer.get("Code", ""))
        if code == "OK":
            return Taken(str(answer.get("BizId", "")))
        if code.startswith("Throttling"):
            return Busy(code)
        if code.startswith(OURS):
            return Busy(code, down=True)
        if not code or code.startswith(UNCLEAR):
            raise GatewayUnknown(code or "no code")
        # LIMIT_CONTROL among them: it was counted, and is final.
        raise GatewayRejected(code)

    async def find(self, asked: Asked) -> Taken | None:
        if not asked.to:
            raise GatewayUnknown("the number is gone")
        about = {
            "PhoneNumber": asked.to.removeprefix("+86"),
            "SendDate": f"{asked.sent_at.astimezone(CHINA):%Y%m%d}",
            "PageSize": str(PAGE),
        }
        if asked.provider_id:
            about["BizId"] = asked.provider_id
        for page in range(1, MOST_PAGES + 1):
            answer = await self._call("QuerySendDetails", about | {"CurrentPage": str(page)})
            if isinstance(answer, Busy) or answer.get("Code") != "OK":
                raise GatewayUnknown("not told")
            rows, total = _details(answer)
            for row in rows:
                if row.get("OutId") == asked.client_ref:
                    fate = FATES.get(int(row.get("SendStatus", 1)), Fate.ACCEPTED)
                    reason = str(row.get("ErrCode", "")) if fate is Fate.FAILED else ""
                    return Taken(asked.provider_id, fate, reason)
            if page * PAGE >= total:
                return None
        raise GatewayUnknown("too many messages to look through")

    async def _call(self, action: str, parameters: dict[str, str]) -> dict[str, Any] | Busy:
        query = query_of(parameters)
        now: datetime = self._clock.now()
        headers = {
            "host": self.client.base_url.netloc.decode(),
            "x-acs-action": action,
            "x-acs-version": VERSION,
            "x-acs-date": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": uuid4().hex,
            "x-acs-content-sha256": sha256(b"").hexdigest(),
        }
        allowed = acs3(self._url.user, self._url.secret, query=query, headers=headers, body=b"")
        answer = await self.post(f"/?{query}", headers=headers | {"authorization": allowed})
        return answer if isinstance(answer, Busy) else fields(answer)


def _details(answer: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    try:
        rows = answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
        return [dict(row) for row in rows], int(answer["TotalCount"])
    except (KeyError, TypeError, ValueError) as error:
        raise GatewayUnknown("an answer without details") from error
