"""A small HTTP/1.1 keep-alive client: one connection, one request at a time, next to no work per request."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Self, cast
from urllib.parse import urlsplit

__all__ = ["Answer", "HttpClient"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class _Wire(asyncio.Protocol):
    """Collects one answer at a time; only answers with Content-Length are understood."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[Answer] | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        found = head.find(b"\r\ncontent-length:")
        if found < 0:
            self._fail(ConnectionError("an answer without Content-Length"))
            return
        length = int(head[found + 17 :].split(b"\r\n", 1)[0])
        if len(self._buffer) < end + 4 + length:
            return
        answer = Answer(int(head[9:12]), bytes(self._buffer[end + 4 : end + 4 + length]))
        del self._buffer[: end + 4 + length]
        if self.answer and not self.answer.done():
            self.answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server hung up"))

    def _fail(self, error: Exception) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_exception(error)


class HttpClient:
    """One keep-alive connection. `token` goes along as bearer."""

    def __init__(self, wire: _Wire, host: str, token: str | None) -> None:
        self._wire = wire
        login = f"Authorization: Bearer {token}\r\n" if token else ""
        self._tail = f" HTTP/1.1\r\nHost: {host}\r\n{login}"

    @classmethod
    async def connect(cls, url: str, token: str | None = None) -> Self:
        """Connect to `http://host:port`. Raises OSError."""
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(_Wire, parts.hostname or "127.0.0.1", parts.port or 80)
        return cls(wire, parts.netloc, token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._wire.transport:
            self._wire.transport.close()

    async def get(self, path: str, headers: str = "") -> Answer:
        """GET. `headers` are whole lines."""
        return await self._ask(f"GET {path}{self._tail}{headers}\r\n".encode())

    async def post(self, path: str, body: dict[str, Any], headers: str = "") -> Answer:
        """POST a JSON body. `headers` are whole lines."""
        payload = json.dumps(body, separators=(",", ":")).encode()
        head = (
            f"POST {path}{self._tail}{headers}Content-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        )
        return await self._ask(head.encode() + payload)

    async def _ask(self, request: bytes) -> Answer:
        if self._wire.transport is None or self._wire.transport.is_closing():
            raise ConnectionError("the server has closed the idle connection: connect anew")
        self._wire.answer = asyncio.get_running_loop().create_future()
        self._wire.transport.write(request)
        return await self._wire.answer
