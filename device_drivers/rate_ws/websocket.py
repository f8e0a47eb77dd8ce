"""The server's side of one WebSocket. Pure: bytes in, texts and bytes out. Source: RFC 6455."""

import hashlib
import re
from base64 import b64encode

__all__ = ["ServerSocket"]

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_PROTOCOL_ERROR, _TOO_BIG = 1002, 1009
#: a tablet says nothing longer than this
LONGEST = 64 * 1024
LONGEST_HEAD = 8 * 1024


class ServerSocket:
    """Feed it what was heard, send what `outgoing` holds, hang up when `ended`."""

    def __init__(self) -> None:
        self.ended = False
        self.open = False
        self._heard = bytearray()
        self._message = bytearray()
        self._outgoing = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The whole messages there are now."""
        self._heard += data
        if not self.open and not self._shake_hands():
            return []
        texts: list[str] = []
        while not self.ended and (frame := self._frame()) is not None:
            text = self._take(*frame)
            if text is not None:
                texts.append(text)
        return texts

    def outgoing(self) -> bytes:
        """What must be sent now; given once."""
        data, self._outgoing = bytes(self._outgoing), bytearray()
        return data

    def say(self, text: str) -> None:
        """Send one message."""
        self._put(_TEXT, text.encode())

    def _shake_hands(self) -> bool:
        head, mark, rest = bytes(self._heard).partition(b"\r\n\r\n")
        if not mark:
            if len(head) > LONGEST_HEAD:
                self._refuse()
            return False
        key = re.search(
            rb"(?im)^sec-websocket-key:[ \t]*([A-Za-z0-9+/]{22}==)[ \t]*$", head.replace(b"\r", b"")
        )
        upgrade = re.search(rb"(?im)^upgrade:[ \t]*websocket[ \t]*\r?$", head)
        if not head.startswith(b"GET ") or key is None or upgrade is None:
            self._refuse()
            return False
        accept = b64encode(hashlib.sha1(key[1] + _MAGIC, usedforsecurity=False).digest())
        self._outgoing += (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._heard = bytearray(rest)
        self.open = True
        return True

    def _refuse(self) -> None:
        self._outgoing += b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self.ended = True

    def _frame(self) -> tuple[int, bool, bytes] | None:
        """(opcode, last part, data) of the next frame; None until it is whole."""
        heard = self._heard
        if len(heard) < 2:
            return None
        size, start = heard[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(heard[2:start], "big")
            if len(heard) < start:
                return None
        if heard[0] & 0x70 or not heard[1] & 0x80:  # extensions nobody agreed on; a client must mask
            self._fail(_PROTOCOL_ERROR)
            return None
        if size + len(self._message) > LONGEST:
            self._fail(_TOO_BIG)
            return None
        if len(heard) < start + 4 + size:
            return None
        mask, data = heard[start : start + 4], heard[start + 4 : start + 4 + size]
        plain = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        frame = heard[0] & 0x0F, bool(heard[0] & 0x80), plain
        del heard[: start + 4 + size]
        return frame

    def _take(self, opcode: int, last: bool, data: bytes) -> str | None:
        if opcode == _CLOSE:
            self._put(_CLOSE, data[:2])
            self.ended = True
        elif opcode == _PING:
            self._put(_PONG, data)
        elif opcode <= _BINARY:
            self._message += data
            if last:
                whole, self._message = bytes(self._message), bytearray()
                return whole.decode(errors="replace")
        return None

    def _fail(self, code: int) -> None:
        self._put(_CLOSE, code.to_bytes(2, "big"))
        self.ended = True

    def _put(self, opcode: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = bytes([0x80 | opcode, size])
        elif size < 1 << 16:
            head = bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big")
        self._outgoing += head + data
