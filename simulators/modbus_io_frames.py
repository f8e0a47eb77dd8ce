"""Requests of Modbus RTU and Modbus TCP as bytes, taken apart by hand from the specification."""

from dataclasses import dataclass

__all__ = ["FrameReader", "NotModbus", "Request", "crc16"]

#: octets of a request before its check, by function; 15 and 16 say themselves how long they are
_LENGTHS = {1: 6, 2: 6, 3: 6, 4: 6, 5: 6, 6: 6}
_COUNTED = {15, 16}
_HEADER = 6


class NotModbus(ValueError):
    """The octets are of another protocol."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: unit, function, its data, and what its answer must carry back on TCP."""

    unit: int
    function: int
    data: bytes
    transaction: bytes = b""

    def answer(self, pdu: bytes) -> bytes:
        """The frame of an answer in the framing of the request."""
        body = bytes([self.unit]) + pdu
        if self.transaction:
            return self.transaction + b"\0\0" + len(body).to_bytes(2, "big") + body
        return body + crc16(body)


class FrameReader:
    """Finds requests in a stream of bytes. `rtu`: serial framing, where noise is passed over."""

    def __init__(self, *, rtu: bool) -> None:
        self._rtu = rtu
        self._bytes = b""

    def feed(self, data: bytes) -> list[Request]:
        """The requests that are complete now. Raises NotModbus on TCP."""
        self._bytes += data
        requests: list[Request] = []
        while (request := self._next_rtu() if self._rtu else self._next_tcp()) is not None:
            requests.append(request)
        return requests

    def forget(self) -> None:
        """The line was silent: what came before belongs to no frame."""
        self._bytes = b""

    def _next_tcp(self) -> Request | None:
        head = self._bytes[:_HEADER]
        if head[2:4].strip(b"\0"):
            raise NotModbus
        size = _HEADER + int.from_bytes(head[4:6], "big")
        if len(head) < _HEADER or len(self._bytes) < size:
            return None
        body, self._bytes = self._bytes[_HEADER:size], self._bytes[size:]
        if len(body) < 2:
            raise NotModbus
        return Request(body[0], body[1], body[2:], head[:2])

    def _next_rtu(self) -> Request | None:
        for start in range(len(self._bytes) - 3):
            frame = self._bytes[start : start + _size(self._bytes[start:])]
            if len(frame) > 3 and crc16(frame[:-2]) == frame[-2:]:
                self._bytes = self._bytes[start + len(frame) :]
                return Request(frame[0], frame[1], frame[2:-2])
        return None


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS, low octet first."""
    register = 0xFFFF
    for octet in data:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def _size(data: bytes) -> int:
    """Octets of the request at the front with its check; all there is for an unknown function."""
    function = data[1]
    if function in _COUNTED:
        return 7 + data[6] + 2 if len(data) > 6 else len(data) + 1
    return _LENGTHS[function] + 2 if function in _LENGTHS else len(data)
