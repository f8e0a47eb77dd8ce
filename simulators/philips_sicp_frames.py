"""Bytes of Philips SICP, from the display's side."""

from dataclasses import dataclass, field

__all__ = ["FrameReader", "Request", "pack"]

_LARGEST = 40
#: a gap of so many seconds inside a frame ends it
_GIVE_UP_S = 0.5


@dataclass(frozen=True, slots=True)
class Request:
    """One frame from a host; of one that was heard wrongly only the monitor id is believed."""

    unit: int
    command: int
    data: bytes
    intact: bool = True


@dataclass(slots=True)
class FrameReader:
    """Cuts frames out of what comes in, by their first byte, which is their size."""

    grouped: bool
    _buffer: bytearray = field(default_factory=bytearray)
    _last: float = 0.0

    def feed(self, data: bytes, now: float) -> list[Request]:
        """The frames completed by `data`."""
        if now - self._last > _GIVE_UP_S:
            self._buffer.clear()
        self._last = now
        self._buffer += data
        found: list[Request] = []
        head = 3 if self.grouped else 2
        while self._buffer:
            size = self._buffer[0]
            if not head + 2 <= size <= _LARGEST:
                del self._buffer[:1]
                continue
            if len(self._buffer) < size:
                break
            frame = bytes(self._buffer[:size])
            del self._buffer[:size]
            intact = _xor(frame[:-1]) == frame[-1]
            found.append(Request(frame[1], frame[head], frame[head + 1 : -1], intact))
        return found


def pack(unit: int, data: bytes, *, grouped: bool) -> bytes:
    """A report: `size id [group] data xor`, the group being 0."""
    inner = bytes([unit]) + (b"\0" if grouped else b"") + data
    frame = bytes([len(inner) + 2]) + inner
    return frame + bytes([_xor(frame)])


def _xor(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value
