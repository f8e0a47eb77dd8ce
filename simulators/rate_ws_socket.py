"""The client's side of a WebSocket (RFC 6455), as far as an evaluator tablet needs it."""

import struct
from asyncio import StreamReader
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha1
from random import Random

__all__ = ["BadServer", "ClientSocket"]

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE, _PING, _PONG = 0x8, 0x9, 0xA


class BadServer(Exception):
    """What answered is no WebSocket server."""


class ClientSocket:
    """Frames for one connection."""

    def __init__(self, reader: StreamReader, write: Callable[[bytes], None], random: Random) -> None:
        self._reader, self._write, self._random = reader, write, random
        self._key = b64encode(random.randbytes(16)).decode()

    def hello(self, host: str) -> bytes:
        """The request that opens it."""
        lines = (
            "GET / HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self._key}",
            "Sec-WebSocket-Version: 13",
        )
        return "\r\n".join([*lines, "", ""]).encode()

    async def welcome(self) -> None:
        """Read the server's answer. Raises BadServer, EOFError."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head)
        }
        digest = sha1((self._key + _GUID).encode(), usedforsecurity=False).digest()
        if head[0].split(" ")[1:2] != ["101"] or b64decode(fields.get("sec-websocket-accept", "")) != digest:
            raise BadServer(head[0])

    async def read(self) -> str | None:
        """The next message; None after a close. Raises EOFError."""
        whole = b""
        while True:
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack(">H", await self._reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", await self._reader.readexactly(8))
            data = await self._reader.readexactly(size)
            opcode = first & 0xF
            if opcode == _CLOSE:
                return None
            if opcode == _PING:
                self._write(self._frame(_PONG, data))
            elif opcode < _CLOSE:
                whole += data
                if first & 0x80:
                    return whole.decode()

    def text(self, words: str) -> bytes:
        """A message."""
        return self._frame(0x1, words.encode())

    def _frame(self, opcode: int, data: bytes) -> bytes:
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
        mask = self._random.randbytes(4)
        return bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data))
