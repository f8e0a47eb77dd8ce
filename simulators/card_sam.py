"""A reader of second-generation ID cards with a SAM-V module, and three cards of nobody to lay on it.

Frames: `AA AA AA 96 69 LEN LEN … XOR`, LEN (big-endian) counts what follows it, XOR is over LEN and what lies
between. A card is found once: it must be lifted to be found again.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.card_sam_people import Card, card_of_nobody
from simulators.device import SimDevice
from simulators.line import Line, Link

__all__ = ["FAULTS", "FrameReader", "Reader", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "nack:n", "stuck")

_START = b"\xaa\xaa\xaa\x96\x69"
_DONE, _FOUND, _NO_CARD, _NOT_SELECTED, _NOT_READ = 0x90, 0x9F, 0x80, 0x81, 0x41
_WRONG_CHECK, _WRONG_COMMAND = 0x10, 0x21
_CARDS = 3
#: no question is longer
_LONGEST = 64


class FrameReader:
    """Finds frames in a stream of bytes; noise is passed over."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now, from LEN to XOR."""
        self._bytes += data
        frames: list[bytes] = []
        while (start := self._bytes.find(_START)) >= 0:
            body = self._bytes[start + len(_START) :]
            if len(body) < 2:
                break
            length = int.from_bytes(body[:2], "big")
            if not 3 <= length <= _LONGEST:
                del self._bytes[: start + 1]
                continue
            if len(body) < 2 + length:
                break
            frames.append(bytes(body[: 2 + length]))
            del self._bytes[: start + len(_START) + 2 + length]
        else:
            del self._bytes[: max(0, len(self._bytes) - len(_START) + 1)]
        return frames


class Reader:
    """The body of a reader."""

    keys: tuple[str, ...] = (*(f"card-{n}" for n in range(1, _CARDS + 1)), "lift")

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        self._cards = [card_of_nobody(n, device.random) for n in range(1, _CARDS + 1)]
        self._lying: Card | None = None
        self._found = self._selected = self._read = False
        self._reads = 0
        self._commands: dict[tuple[int, int], Callable[[], tuple[int, bytes]]] = {
            (0x10, 0xFF): lambda: (_DONE, b""),  # reset
            (0x11, 0xFF): lambda: (device.faults.number("nack") or _DONE, b""),  # status
            (0x12, 0xFF): lambda: (_DONE, bytes(16)),  # number of the module
            (0x20, 0x01): self._find,
            (0x20, 0x02): self._select,
            (0x30, 0x01): lambda: self._content(b""),
            (0x30, 0x10): lambda: self._content(b"\0\0"),  # also fingerprints, of which there are none
        }

    def shows(self) -> dict[str, Any]:
        lying = self._lying
        return {
            "card": lying.masked if lying else "",
            "lying": lying is not None,
            "read": self._read,
            "reads": self._reads,
        }

    def press(self, key: str) -> None:
        self._lying = None if key == "lift" else self._cards[int(key[-1]) - 1]
        self._found = self._selected = self._read = False
        self._device.showed()

    def power_cycle(self) -> None:
        self._found = self._selected = self._read = False
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire and the reading change with a reader's faults."""

    def do(self, command: bytes) -> tuple[int, bytes]:
        """Carry out CMD PARA; the state and the data of the answer."""
        handler = self._commands.get((command[0], command[1]))
        return handler() if handler else (_WRONG_COMMAND, b"")

    def _find(self) -> tuple[int, bytes]:
        # "stuck": one of those readers that find a card again without its being lifted
        self._found = self._lying is not None and (not self._read or self._device.faults.on("stuck"))
        return (_FOUND, bytes(4)) if self._found else (_NO_CARD, b"")

    def _select(self) -> tuple[int, bytes]:
        self._selected, self._found = self._found, False
        return (_DONE, bytes(8)) if self._selected else (_NOT_SELECTED, b"")

    def _content(self, fingerprints: bytes) -> tuple[int, bytes]:
        selected, self._selected = self._selected, False
        if number := self._device.faults.number("nack"):
            return number, b""
        if not selected or self._lying is None:
            return _NOT_READ, b""
        self._read = True
        self._reads += 1
        self._device.showed()
        lengths = b"\x01\x00\x04\x00" + fingerprints
        return _DONE, lengths + self._lying.text + self._lying.photo


class _Cable:
    """The one reader of a line."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        self._readers: defaultdict[Link, FrameReader] = defaultdict(FrameReader)

    async def heard(self, link: Link, data: bytes) -> None:
        for frame in self._readers[link].feed(data):
            if hears(self._device):
                await answer(self._device, link, self._say(frame))

    def lost(self, link: Link) -> None:
        self._readers.pop(link, None)

    def _say(self, frame: bytes) -> bytes:
        assert isinstance(self._device.body, Reader)
        if _check(frame):
            return _pack(_WRONG_CHECK, b"")
        return _pack(*self._device.body.do(frame[2:-1] if len(frame) > 4 else b"\0\0"))


def build_body(device: SimDevice) -> Reader:
    """The reader of one device."""
    return Reader(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Cable:  # noqa: ARG001 — the role's signature
    """The cable of one address; a reader stands alone on it."""
    return _Cable(devices[0])


def _pack(state: int, data: bytes) -> bytes:
    said = bytes([0, 0, state]) + data
    body = (len(said) + 1).to_bytes(2, "big") + said
    return _START + body + bytes([_check(body)])


def _check(body: bytes) -> int:
    return reduce(xor, body, 0)
