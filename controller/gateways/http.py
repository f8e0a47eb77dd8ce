"""A message gateway over HTTP.

`POST /send {client_ref, to, text}` → 200 `{id, status: accepted|duplicate}`, 400 final no, 429/503 not
taken. `GET /status?client_ref=` → 200 `{found, id, status: accepted|delivered|failed}`.
`Authorization: Bearer <key>`.
"""

import httpx2

from controller.gateways.web import WebGateway
from controller.use_cases.ports import Asked, Busy, Fate, Parcel, Taken
from hall_core.errors import GatewayRejected, GatewayUnknown

__all__ = ["HttpGateway"]

_FINAL = (400, 422)
_FATES = {"delivered": Fate.DELIVERED, "failed": Fate.FAILED}


class HttpGateway(WebGateway):
    """Implements NoticeGateway. Never logs or raises what it sends: that is a phone number."""

    def __init__(self, url: str, key: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        super().__init__(url, transport, {"Authorization": f"Bearer {key}"} if key else {})

    async def send(self, parcel: Parcel) -> Taken | Busy:
        body = {"client_ref": parcel.client_ref, "to": parcel.to, "text": parcel.text}
        answer = await self.post("/send", json=body)
        if isinstance(answer, Busy):
            return answer
        if answer.status_code == 200:
            return Taken(_field(answer, "id"))
        if answer.status_code in _FINAL:
            raise GatewayRejected(_field(answer, "reason") or f"HTTP {answer.status_code}")
        # Other 4xx are about us (key, address), not about the notice: it stays until that is mended.
        if answer.status_code == 503 or 400 <= answer.status_code < 500:
            return Busy(f"HTTP {answer.status_code}", down=answer.status_code != 429)
        raise GatewayUnknown(f"HTTP {answer.status_code}")

    async def find(self, asked: Asked) -> Taken | None:
        try:
            answer = await self.client.get("/status", params={"client_ref": asked.client_ref})
            answer.raise_for_status()
            body = answer.json()
            found = bool(body["found"])
            fate = _FATES.get(str(body.get("status")), Fate.ACCEPTED)
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise GatewayUnknown(type(error).__name__) from error
        return Taken(str(body.get("id") or ""), fate) if found else None


def _field(answer: httpx2.Response, name: str) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get(name) or "")[:120] if isinstance(body, dict) else ""
