"""Dynamic areas of an Onbon K card: what `A3 06` puts on the panel, for how long, in which colours."""

import re
import struct
from dataclasses import dataclass

__all__ = ["Area", "AreaUpdate", "FontMissing", "read_update"]

_AREA = struct.Struct("<BHHHHBBBHBBBBBBBBBI")
_COLOURS = {1: "red", 2: "green", 3: "yellow"}
_EFFECTS = {1: "still", 2: "instant", 3: "left", 4: "right", 5: "up", 6: "down"}
_DELETE_ALL = 0xFF
_IN_PIXELS = 0x8000
#: pixels of a half-width character of the usual font
_HALF, _LINE = 8, 16
_ESCAPE = re.compile(rb"\\C(?P<colour>[1-9])|\\n|\\F(?P<kind>[OEK])(?P<font>\d{3})")


class FontMissing(Exception):
    """The text asks for a font the card does not have (error 12)."""


@dataclass(frozen=True, slots=True)
class Area:
    """One dynamic area. Sizes in pixels; `timeout_s` counts for run modes 2 and 3."""

    area_id: int
    x: int
    y: int
    width: int
    height: int
    run_mode: int
    timeout_s: int
    effect: str
    stay_s: float
    wraps: bool
    segments: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """All of its text."""
        return "".join(text for _, text in self.segments)

    @property
    def visible(self) -> str:
        """What can be read without waiting: a still text longer than the area is cut off."""
        if self.effect not in {"still", "instant"}:
            return self.text
        columns = max(1, self.width // _HALF)
        rows = max(1, self.height // _LINE) if self.wraps else 1
        lines: list[str] = []
        for line in self.text.split("\n"):
            lines += _cut(line, columns) if self.wraps else _cut(line, columns)[:1]
        return "\n".join(lines[:rows])


@dataclass(frozen=True, slots=True)
class AreaUpdate:
    """Contents of one `A3 06`: areas to delete (None = all) and areas to show."""

    delete: tuple[int, ...] | None
    areas: tuple[Area, ...]


def read_update(payload: bytes, fonts: int) -> AreaUpdate:
    """Read what follows the five command bytes.

    Raises FontMissing; ValueError, IndexError or struct.error when lengths do not fit.
    """
    if not payload:
        raise ValueError("nothing after the command")
    count = payload[0]
    at = 1
    delete: tuple[int, ...] | None = ()
    if count == _DELETE_ALL:
        delete = None
    else:
        delete = tuple(payload[at : at + count])
        at += count
    areas = []
    number = payload[at]
    at += 1
    for _ in range(number):
        (size,) = struct.unpack_from("<H", payload, at)
        areas.append(_read_area(payload[at + 2 : at + 2 + size], fonts))
        at += 2 + size
    if at != len(payload):
        raise ValueError(f"{len(payload) - at} bytes too many")
    return AreaUpdate(delete, tuple(areas))


def _read_area(raw: bytes, fonts: int) -> Area:
    if len(raw) < _AREA.size:
        raise ValueError("area too short")
    (_, x, y, width, height, area_id, _, run_mode, timeout, *rest, size) = _AREA.unpack_from(raw)
    _sound, _ext, _align, _single, new_line, effect, _exit, _speed, stay = rest
    data = raw[_AREA.size :]
    if len(data) != size:
        raise ValueError("text length does not fit")
    return Area(
        area_id=area_id,
        x=_pixels(x),
        y=y,
        width=_pixels(width),
        height=height,
        run_mode=run_mode,
        timeout_s=timeout,
        effect=_EFFECTS.get(effect, "still"),
        stay_s=stay / 2,
        wraps=new_line == 2,
        segments=_segments(data, fonts),
    )


def _pixels(value: int) -> int:
    return value & ~_IN_PIXELS if value & _IN_PIXELS else value * 8


def _segments(data: bytes, fonts: int) -> tuple[tuple[str, str], ...]:
    """Split GBK text at its inline escapes. A backslash that begins no escape eats what follows it."""
    colour, segments, run = "red", [], bytearray()
    at = 0
    while at < len(data):
        if data[at] >= 0x81:
            run += data[at : at + 2]
            at += 2
            continue
        if data[at] != 0x5C:
            run.append(data[at])
            at += 1
            continue
        escape = _ESCAPE.match(data, at)
        if escape is None:
            at += 2
            continue
        if escape["font"] and int(escape["font"]) >= fonts:
            raise FontMissing
        if escape["colour"]:
            segments.append((colour, _decode(run)))
            colour, run = _COLOURS.get(int(escape["colour"]), "red"), bytearray()
        elif escape[0] == b"\\n":
            run.append(0x0A)
        at = escape.end()
    segments.append((colour, _decode(run)))
    return tuple((c, t) for c, t in segments if t)


def _decode(run: bytearray) -> str:
    """A code without a glyph is an empty box on the panel."""
    return run.decode("gbk", errors="replace").replace("\ufffd", "□")


def _cut(line: str, columns: int) -> list[str]:
    pieces, piece, used = [], "", 0
    for char in line:
        wide = 1 if ord(char) < 0x80 else 2
        if used + wide > columns:
            pieces.append(piece)
            piece, used = "", 0
        piece += char
        used += wide
    return [*pieces, piece]
