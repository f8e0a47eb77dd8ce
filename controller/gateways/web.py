"""What gateways over HTTP share: one client, and what each way of failing says about the notice."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx2

from controller.use_cases.ports import Busy, ReceiptSink
from hall_core.errors import GatewayUnknown

__all__ = ["TIMEOUT_S", "WebGateway", "fields"]

TIMEOUT_S = 5.0


class WebGateway:
    """A gateway that is asked over HTTP, and speaks only when asked."""

    can_ask = True
    at_once = 16

    def __init__(
        self, url: str, transport: httpx2.AsyncBaseTransport | None = None, headers: Mapping[str, str] = {}
    ) -> None:
        self.client = httpx2.AsyncClient(
            base_url=url.rstrip("/"), headers=dict(headers), timeout=TIMEOUT_S, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def run(self, told: ReceiptSink) -> None:  # noqa: ARG002 - the protocol's
        """Nothing comes by itself."""
        await asyncio.Event().wait()

    async def post(self, path: str, **how: Any) -> httpx2.Response | Busy:
        """Busy when certainly no byte of the notice has left the house. Raises GatewayUnknown."""
        try:
            return await self.client.post(path, **how)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            return Busy(type(error).__name__, down=True)
        except httpx2.HTTPError as error:
            raise GatewayUnknown(type(error).__name__) from error


def fields(answer: httpx2.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises GatewayUnknown when it is none: nobody knows what it means."""
    try:
        body = answer.json()
    except ValueError as error:
        raise GatewayUnknown(f"HTTP {answer.status_code} without JSON") from error
    if not isinstance(body, dict):
        raise GatewayUnknown(f"HTTP {answer.status_code} without an object")
    return body
