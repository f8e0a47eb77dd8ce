"""Any other system: `webhook://:SECRET@HOST/path`. A signed POST as standardwebhooks.com describes it.

The receiver must treat a second POST with the same `webhook-id` as the first one. With `ask=1` it also
answers a signed GET of `…/path/ID` with `{"status": "accepted|delivered|failed"}`, or 404.
"""

import json

import httpx2

from controller.gateways.address import GatewayUrl
from controller.gateways.signing import standard_webhook
from controller.gateways.web import WebGateway, fields
from controller.use_cases.ports import Asked, Busy, Fate, Parcel, Taken
from hall_core.clock import Clock
from hall_core.errors import GatewayRejected, GatewayUnknown, SettingsInvalid

__all__ = ["WebhookGateway"]

#: the receiver's own no; every other refusal is about the connection between us
FINAL = (400, 409, 410, 413, 422)


class WebhookGateway(WebGateway):
    """Implements NoticeGateway."""

    def __init__(
        self, url: GatewayUrl, clock: Clock, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(url.web(), transport)
        self._path, self._secret, self._clock = url.path or "/", url.secret, clock
        self.can_ask = url.option("ask") == "1"
        try:
            standard_webhook(self._secret, "", 0, b"")
        except ValueError as error:
            raise SettingsInvalid(f"gateway {url.name}: the secret must be base64") from error

    async def send(self, parcel: Parcel) -> Taken | Busy:
        body = {
            "type": f"notice.{parcel.kind}",
            "timestamp": self._clock.now().isoformat(timespec="seconds"),
            "data": {
                "id": parcel.client_ref,
                "to": parcel.to,
                "text": parcel.text,
                "words": dict(parcel.words),
                "not_after": parcel.not_after.isoformat(timespec="seconds"),
            },
        }
        raw = json.dumps(body, ensure_ascii=False).encode()
        headers = self._signed(parcel.client_ref, raw) | {"content-type": "application/json"}
        answer = await self.post(self._path, content=raw, headers=headers)
        if isinstance(answer, Busy):
            return answer
        if answer.is_success:
            return Taken(parcel.client_ref)
        why = f"HTTP {answer.status_code}"
        if answer.status_code in FINAL:
            raise GatewayRejected(why)
        if answer.status_code in (429, 503) or 400 <= answer.status_code < 500:
            return Busy(why, down=answer.status_code != 429)
        raise GatewayUnknown(why)

    async def find(self, asked: Asked) -> Taken | None:
        if not self.can_ask:
            raise GatewayUnknown("this receiver cannot be asked")
        path = f"{self._path.rstrip('/')}/{asked.client_ref}"
        try:
            answer = await self.client.get(path, headers=self._signed(asked.client_ref, b""))
        except httpx2.HTTPError as error:
            raise GatewayUnknown(type(error).__name__) from error
        if answer.status_code == 404:
            return None
        status = fields(answer).get("status") if answer.is_success else None
        if status not in tuple(Fate):
            raise GatewayUnknown(f"HTTP {answer.status_code}")
        return Taken(asked.client_ref, Fate(status))

    def _signed(self, message_id: str, body: bytes) -> dict[str, str]:
        at = int(self._clock.now().timestamp())
        signature = standard_webhook(self._secret, message_id, at, body)
        return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature}
