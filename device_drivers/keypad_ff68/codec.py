"""Frames of the key-pads: FF 68 LEN LEN 68 ADDR FUNC DATA.. SUM 16.

LEN counts ADDR to the byte before SUM; SUM is the low byte of ADDR + FUNC + DATA. Source: the maker's frame
table and the field code of QueueSystem/CallSystem.
"""

from dataclasses import dataclass

__all__ = ["BLANK", "EVALUATION", "KEYS", "Frame", "FrameParser", "ask", "beep", "echo", "encode", "show"]

START, MIDDLE, END = b"\xff\x68", 0x68, 0x16
#: functions
KEYS, SHOW, BEEP, EVALUATION = 0x01, 0x02, 0x03, 0x11
#: the key that begins an evaluation
ASK = 0x0B
#: a digit position that keeps what it shows
BLANK = 0x0A
#: ADDR and FUNC at least, and as many DATA as were ever seen (8 bytes in all), with room to spare
SHORTEST, LONGEST = 2, 16
_AROUND = 7


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, from a pad or to it."""

    address: int
    function: int
    data: bytes = b""


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    body = bytes([frame.address, frame.function]) + frame.data
    return START + bytes([len(body), len(body), MIDDLE]) + body + bytes([sum(body) & 0xFF, END])


def echo(frame: Frame) -> Frame:
    """What the pad waits for: the same frame; an evaluation comes back as function 01."""
    if frame.function == EVALUATION:
        return Frame(frame.address, KEYS, frame.data)
    return frame


def show(address: int, ticket: str, waiting: int | None = None) -> Frame:
    """Three digits each of waiting count and ticket; None and missing digits leave the place as it is."""
    count = "" if waiting is None else f"{min(waiting, 999):03d}"
    return Frame(address, SHOW, _places(count) + _places(ticket))


def beep(address: int) -> Frame:
    """One beep."""
    return Frame(address, BEEP)


def ask(address: int) -> Frame:
    """Begin an evaluation."""
    return Frame(address, KEYS, bytes([ASK]))


def _places(text: str) -> bytes:
    digits = [int(c) for c in text if c in "0123456789"][-3:]
    return bytes([BLANK] * (3 - len(digits)) + digits)


class FrameParser:
    """Finds frames in a stream of any segmentation; noise and collisions are skipped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now."""
        self._rest += data
        frames: list[Frame] = []
        while True:
            start = self._rest.find(START)
            if start < 0:
                self._rest = self._rest[-1:] if self._rest.endswith(START[:1]) else b""
                return frames
            self._rest = self._rest[start:]
            size = self._size()
            if size is None or len(self._rest) < size:
                return frames
            frame = self._frame(size) if size else None
            if frame is not None:
                frames.append(frame)
            self._rest = self._rest[size if frame is not None else 1 :]

    def _size(self) -> int | None:
        """Bytes of the frame at the front; None when its head is not all there, 0 when it is none."""
        head = self._rest[2:5]
        if len(head) > 0 and not SHORTEST <= head[0] <= LONGEST:
            return 0
        if len(head) > 1 and head[0] != head[1]:
            return 0
        if len(head) < 3:
            return None
        return head[0] + _AROUND if head[2] == MIDDLE else 0

    def _frame(self, size: int) -> Frame | None:
        body, tail = self._rest[5 : size - 2], self._rest[size - 2 : size]
        if tail != bytes([sum(body) & 0xFF, END]):
            return None
        return Frame(body[0], body[1], body[2:])
