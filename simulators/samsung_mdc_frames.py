"""Bytes of Samsung's Multiple Display Control, from the display's side."""

from dataclasses import dataclass, field

__all__ = ["FrameReader", "Request", "pack"]

_HEAD = 0xAA
#: a gap of so many seconds inside a frame ends it
_GIVE_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """One frame from a host."""

    command: int
    unit: int
    data: bytes


@dataclass(slots=True)
class FrameReader:
    """Cuts frames out of what comes in; frames with a wrong sum are lost in silence, as on the real ones."""

    _buffer: bytearray = field(default_factory=bytearray)
    _last: float = 0.0

    def feed(self, data: bytes, now: float) -> list[Request]:
        """The frames completed by `data`."""
        if now - self._last > _GIVE_UP_S:
            self._buffer.clear()
        self._last = now
        self._buffer += data
        found: list[Request] = []
        while (start := self._buffer.find(_HEAD)) >= 0:
            del self._buffer[:start]
            if len(self._buffer) < 4 or len(self._buffer) < self._buffer[3] + 5:
                return found
            size = self._buffer[3] + 5
            frame = bytes(self._buffer[:size])
            if sum(frame[1:-1]) % 256 == frame[-1]:
                found.append(Request(frame[1], frame[2], frame[4:-1]))
                del self._buffer[:size]
            else:
                del self._buffer[:1]
        self._buffer.clear()
        return found


def pack(unit: int, command: int, data: bytes, *, well: bool = True) -> bytes:
    """An answer: `AA FF id length A|N command data sum`."""
    inner = (b"A" if well else b"N") + bytes([command]) + data
    covered = bytes([0xFF, unit, len(inner)]) + inner
    return b"\xaa" + covered + bytes([sum(covered) % 256])
