"""A message gateway over HTTP.

`POST /send {client_ref, to, text}` → 200 `{id, status: accepted|duplicate}`, 400 final no, 429/503 not
taken. `GET /status?client_ref=` → 200 `{found, id, status}`. `Authorization: Bearer <key>`.
"""

from types import TracebackType
from typing import Self

import httpx2

from controller.use_cases.ports import Busy, Taken
from hall_core.errors import GatewayRejected, GatewayUnknown

__all__ = ["HttpGateway"]

TIMEOUT_S = 5.0
_FINAL = (400, 422)


class HttpGateway:
    """Implements NoticeGateway. Never logs or raises what it sends: that is a phone number."""

    def __init__(self, url: str, key: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.AsyncClient(
            base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT_S, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, *, client_ref: str, to: str, text: str) -> Taken | Busy:
        body = {"client_ref": client_ref, "to": to, "text": text}
        try:
            answer = await self._client.post("/send", json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            # No byte of the notice has left the house.
            return Busy(type(error).__name__)
        except httpx2.HTTPError as error:
            raise GatewayUnknown(type(error).__name__) from error
        if answer.status_code == 200:
            return Taken(_field(answer, "id"))
        if answer.status_code in _FINAL:
            raise GatewayRejected(_field(answer, "reason") or f"HTTP {answer.status_code}")
        # Other 4xx are about us (key, address), not about the notice: it stays until that is mended.
        if answer.status_code == 503 or 400 <= answer.status_code < 500:
            return Busy(f"HTTP {answer.status_code}")
        raise GatewayUnknown(f"HTTP {answer.status_code}")

    async def find(self, client_ref: str) -> Taken | None:
        try:
            answer = await self._client.get("/status", params={"client_ref": client_ref})
            answer.raise_for_status()
            body = answer.json()
            found = bool(body["found"])
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise GatewayUnknown(type(error).__name__) from error
        return Taken(str(body.get("id") or "")) if found else None


def _field(answer: httpx2.Response, name: str) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get(name) or "")[:120] if isinstance(body, dict) else ""
