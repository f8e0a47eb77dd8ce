"""Counter key-pads with a small screen and four-key evaluators, several on one RS-485 line (FF 68 … 16).

The pad speaks first and repeats its frame until the host echoes it; it answers nothing the host says.
Frame: `FF 68 LEN LEN 68 ADDR FUNC DATA SUM 16`, LEN from ADDR to before SUM, SUM of the same bytes.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from simulators.answering import bent, hears
from simulators.device import SimDevice
from simulators.line import Line, Link

__all__ = ["FAULTS", "FrameReader", "Pad", "build_body", "build_talk", "pack"]

FAULTS = (
    "offline",
    "silence",
    "drop:n",
    "late:n",
    "duplicate",
    "garble",
    "collision",
    "len-mismatch",
    "power-cycle",
)

_KEY, _SHOW, _BEEP, _RATED = 0x01, 0x02, 0x03, 0x11
_BLANK, _STARS, _ASK_RATING = 0x0A, 0x05, 0x0B
#: name of a key or of two keys pressed one after the other -> the bytes the pad sends after the digits
_KEYS: Mapping[str, bytes] = {
    "next": b"\x0c",
    "recall": b"\x0d",
    "no-show": b"\x06\x0f",
    "pause": b"\x12",
    "transfer": b"\x13",
    "hold": b"\x00\x0f",
    "return": b"\x03\x0f",
    "evaluate": b"\x0b",
    "cancel": b"\x0e",
    "one-metre": b"\x11",
    "confirm": b"\x0f",
}
_DIGITS = tuple("0123456789")
_RATINGS = ("rate-1", "rate-2", "rate-3", "rate-4")
_MOST_DIGITS = 4
#: a pad repeats so often, this far apart, then gives up (the clerk presses again)
_TRIES, _RETRY_S = 8, 0.4


def pack(unit: int, function: int, data: bytes) -> bytes:
    """Build a frame."""
    body = bytes([unit, function]) + data
    return b"\xff\x68" + bytes([len(body), len(body), 0x68]) + body + bytes([sum(body) & 0xFF, 0x16])


class FrameReader:
    """Finds frames in a stream of bytes; noise and broken frames are passed over."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Whole, sound frames that are complete now."""
        self._bytes += data
        frames: list[bytes] = []
        while True:
            start = self._bytes.find(b"\xff\x68")
            if start < 0:
                del self._bytes[: max(0, len(self._bytes) - 1)]
                return frames
            del self._bytes[:start]
            if len(self._bytes) < 5:
                return frames
            size = self._bytes[2]
            if size != self._bytes[3] or size < 2 or self._bytes[4] != 0x68:
                del self._bytes[:2]
                continue
            if len(self._bytes) < size + 7:
                return frames
            frame = bytes(self._bytes[: size + 7])
            if frame[-1] == 0x16 and frame[-2] == sum(frame[5:-2]) & 0xFF:
                frames.append(frame)
                del self._bytes[: size + 7]
            else:
                del self._bytes[:2]


class Pad:
    """The body of one key-pad with its evaluator, or of an evaluator alone: that one has no clerk's keys."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        alone = "keypad" not in {capability.value for capability in device.profile.capabilities}
        self.keys: tuple[str, ...] = _RATINGS if alone else (*_KEYS, *_DIGITS, "clear", *_RATINGS)
        self._ticket, self._waiting, self._typed = "", "", ""
        self._beeps, self._stars, self._asking = 0, 0, False
        self._pending: bytes | None = None
        self._awaited: bytes | None = None
        self._tries = 0

    def shows(self) -> dict[str, Any]:
        return {
            "ticket": self._ticket,
            "waiting": self._waiting,
            "digits": self._typed,
            "beeps": self._beeps,
            "stars": self._stars,
            "asking": self._asking,
            "unanswered": self._pending is not None,
        }

    def press(self, key: str) -> None:
        """Digits gather until a key sends them; without power nothing happens."""
        if self._device.dead:
            return
        if key in _DIGITS:
            self._typed = (self._typed + key)[-_MOST_DIGITS:]
        elif key == "clear":
            self._typed = ""
        elif key in _RATINGS:
            self._asking = False
            rated = bytes([int(key[-1])])
            self._say(pack(self._unit, _RATED, rated), pack(self._unit, _KEY, rated))
        else:
            typed = bytes(int(d) for d in self._typed)
            self._typed = ""
            frame = pack(self._unit, _KEY, typed + _KEYS[key])
            self._say(frame, frame)

    @property
    def repeating(self) -> bool:
        """True while it waits for the echo of a key; after the last repetition the key is forgotten."""
        return self._pending is not None and self._tries < _TRIES

    def power_cycle(self) -> None:
        self._ticket, self._waiting, self._typed = "", "", ""
        self._beeps, self._stars, self._asking = 0, 0, False
        self._quiet()
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """A pad goes on repeating by itself when the line is whole again."""

    def hear(self, frame: bytes) -> None:
        """A sound frame with this pad's address."""
        if frame == self._awaited:
            self._quiet()
            self._device.changed()
            return
        function, data = frame[6], frame[7:-2]
        if function == _BEEP and not data:
            self._beeps += 1
        elif function == _SHOW and len(data) == 6:
            self._waiting = _digits(self._waiting, data[:3])
            self._ticket = _digits(self._ticket, data[3:])
        elif function == _SHOW and len(data) == 1:
            self._stars = data[0]
        elif function == _KEY and data == bytes([_ASK_RATING]):
            self._asking = True
        else:
            return
        self._device.showed()

    @property
    def _unit(self) -> int:
        return self._device.unit

    def _quiet(self) -> None:
        self._pending, self._awaited, self._tries = None, None, 0
        self._device.alarm(None)

    def _say(self, frame: bytes, echo: bytes) -> None:
        """A new frame replaces one still unanswered."""
        self._pending, self._awaited, self._tries = frame, echo, 0
        self._transmit()

    def _transmit(self) -> None:
        if self._pending is None or self._tries >= _TRIES:
            self._quiet()
            self._device.changed()
            return
        self._tries += 1
        self._device.alarm(_RETRY_S, self._transmit)
        faults = self._device.faults
        if not hears(self._device) or faults.on("silence"):
            return
        frame = _spoilt(self._pending, self._device)
        late = faults.number("late")
        for link in [*self._device.line.links]:
            if late is None:
                link.send(frame)
            else:
                self._device.line.send_later(link, frame, late / 1000)


class _Bus:
    """The pads of one line."""

    def __init__(self, devices: Mapping[int, SimDevice]) -> None:
        self._devices = devices
        self._readers: defaultdict[Link, FrameReader] = defaultdict(FrameReader)

    async def heard(self, link: Link, data: bytes) -> None:
        for frame in self._readers[link].feed(data):
            device = self._devices.get(frame[5])
            if device and hears(device):
                assert isinstance(device.body, Pad)
                device.body.hear(frame)

    def lost(self, link: Link) -> None:
        self._readers.pop(link, None)


def build_body(device: SimDevice) -> Pad:
    """The pad of one device."""
    return Pad(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Bus:  # noqa: ARG001 — the role's signature
    """The bus of one address."""
    return _Bus({d.unit: d for d in devices})


def _digits(before: str, data: bytes) -> str:
    """Three digits; three times 0A leaves them as they were, a single 0A is an empty place."""
    if all(digit == _BLANK for digit in data):
        return before
    return "".join(" " if digit == _BLANK else str(digit % 10) for digit in data).strip()


def _spoilt(frame: bytes, device: SimDevice) -> bytes:
    """What the line carries of a frame under the device's faults."""
    faults = device.faults
    if faults.on("collision"):
        # a second pad began one byte later: the line carries both at once
        return bytes(a & b for a, b in zip(frame + b"\xff", b"\xff" + frame, strict=True))
    if faults.on("len-mismatch"):
        return frame[:3] + bytes([frame[3] + 1]) + frame[4:]
    if faults.on("garble"):
        return bent(frame)
    return frame * 2 if faults.on("duplicate") else frame
