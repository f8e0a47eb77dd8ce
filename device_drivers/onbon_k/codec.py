"""Frames of the Onbon K series: eight A5, stuffed header + data + CRC-16/ARC, one 5A. Little-endian.

Source: the vendor's BX-K protocol document and Java `bx.dual.dyn`. The card's reset (A2 01) erases its
programs and is not offered here on purpose.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hall_core.errors import BadFrame

__all__ = [
    "BUSY",
    "CHECKSUM",
    "Colour",
    "Effect",
    "Received",
    "TextArea",
    "answers",
    "clear",
    "crc16_arc",
    "encode_text",
    "error_sentence",
    "frame",
    "ping",
    "status",
    "stuff",
    "text",
    "unstuff",
]

#: answers to the host carry this as destination
HOST = 0x8000
BUSY, CHECKSUM = 3, 5

Effect = Literal["still", "instant", "left", "right", "up", "down"]
Colour = Literal["red", "green", "yellow"]

_EFFECTS: dict[Effect, int] = {"still": 1, "instant": 2, "left": 3, "right": 4, "up": 5, "down": 6}
_COLOURS: dict[Colour, bytes] = {"red": rb"\C1", "green": rb"\C2", "yellow": rb"\C3"}
_STUFFING = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_UNSTUFFING = {pair: bytes([plain]) for plain, pair in _STUFFING.items()}
_BETWEEN_MARKS = re.compile(rb"\xa5+([^\xa5\x5a]+)\x5a")
_HEADER = 14

_ERRORS = {
    1: "命令组错误 (bad command group)",
    2: "不支持此命令 (no such command)",
    3: "控制卡忙 (busy)",
    4: "内存不足 (out of memory)",
    5: "校验错误 (checksum)",
    6: "文件不存在 (file missing)",
    7: "闪存错误 (flash)",
    8: "下载错误 (download)",
    9: "文件名错误 (name)",
    10: "文件类型错误 (type)",
    11: "文件校验错误 (file checksum)",
    12: "控制卡缺少字库，请用厂家软件下载字库 (font missing)",
    13: "固件类型不符 (firmware type)",
    14: "日期格式错误 (date format)",
    15: "文件已存在 (file exists)",
    16: "块号错误 (block number)",
}


@dataclass(frozen=True, slots=True)
class Received:
    """One frame from a card."""

    destination: int
    source: int
    group: int
    command: int
    error: int
    payload: bytes

    @property
    def nack(self) -> bool:
        """True when the card refuses."""
        return self.group == 0xA0 and (self.command == 1 or self.error != 0)


@dataclass(frozen=True, slots=True)
class TextArea:
    """A dynamic area and its text: 27 bytes + data. Lengths in pixels; `stay` in half seconds."""

    x: int
    y: int
    width: int
    height: int
    measure: Literal["pixels", "octets"]
    data: bytes
    area: int = 0
    timeout: int = 0
    align: int = 0
    single_line: bool = True
    wrap: bool = False
    effect: Effect = "still"
    speed: int = 0
    stay: int = 10

    def encoded(self) -> bytes:
        """The area as the card wants it; x and width in pixels carry bit 15."""
        return b"".join(
            (
                b"\0",
                self._across(self.x),
                self.y.to_bytes(2, "little"),
                self._across(self.width),
                self.height.to_bytes(2, "little"),
                bytes([self.area, 0, 0]),
                self.timeout.to_bytes(2, "little"),
                bytes([0, 0, self.align]),
                bytes([1 if self.single_line else 2, 2 if self.wrap else 1]),
                bytes([_EFFECTS[self.effect], 0, self.speed, self.stay]),
                len(self.data).to_bytes(4, "little"),
                self.data,
            )
        )

    def _across(self, pixels: int) -> bytes:
        units = pixels | 0x8000 if self.measure == "pixels" else pixels // 8
        return units.to_bytes(2, "little")


def ping(unit: int, device_type: int) -> bytes:
    """A2 00."""
    return frame(unit, device_type, bytes([0xA2, 0x00, 1, 0, 0]))


def status(unit: int, device_type: int) -> bytes:
    """A1 02."""
    return frame(unit, device_type, bytes([0xA1, 0x02, 1, 0, 0]))


def clear(unit: int, device_type: int) -> bytes:
    """A3 10: nothing is shown."""
    return frame(unit, device_type, bytes([0xA3, 0x10, 1, 0, 0]))


def text(unit: int, device_type: int, area: TextArea, *, process: int = 1) -> bytes:
    """A3 06, not stored by the card; `process` 1 clears the area first."""
    encoded = area.encoded()
    head = bytes([0xA3, 0x06, 1, process, 0, 0, 1]) + len(encoded).to_bytes(2, "little")
    return frame(unit, device_type, head + encoded)


def encode_text(words: str, colour: Colour | None, most: int) -> bytes:
    """GBK with the colour in front; what GBK lacks, and what could be read as an escape, becomes `?`."""
    data = _COLOURS[colour] if colour else b""
    for character in words:
        code = (character if character.isprintable() else " ").encode("gbk", errors="replace")
        code = b"?" if b"\\" in code else code
        if len(data) + len(code) > most:
            break
        data += code
    return data


def frame(unit: int, device_type: int, data: bytes) -> bytes:
    """A whole frame to the card with screen number `unit`."""
    header = unit.to_bytes(2, "little") + HOST.to_bytes(2, "little") + bytes(6)
    header += bytes([device_type, 2]) + len(data).to_bytes(2, "little")
    body = header + data
    return b"\xa5" * 8 + stuff(body + crc16_arc(body).to_bytes(2, "little")) + b"\x5a"


def answers(data: bytes) -> Iterator[Received]:
    """The sound frames to the host in what was heard; noise and broken frames are skipped."""
    for found in _BETWEEN_MARKS.finditer(data):
        try:
            received = _received(unstuff(found[1]))
        except BadFrame:
            continue
        if received.destination == HOST:
            yield received


def _received(body: bytes) -> Received:
    if len(body) < _HEADER + 5 + 2:
        raise BadFrame(f"{len(body)} bytes are no frame")
    if int.from_bytes(body[-2:], "little") != crc16_arc(body[:-2]):
        raise BadFrame("wrong checksum")
    data = body[_HEADER:-2]
    if int.from_bytes(body[12:14], "little") != len(data):
        raise BadFrame("wrong length")
    destination, source = (int.from_bytes(body[i : i + 2], "little") for i in (0, 2))
    return Received(destination, source, data[0], data[1], data[2], data[5:])


def stuff(body: bytes) -> bytes:
    """Hide the marks."""
    return b"".join(_STUFFING.get(byte) or bytes([byte]) for byte in body)


def unstuff(body: bytes) -> bytes:
    """The inverse of `stuff`. Raises BadFrame on a pair that stands for nothing."""
    plain, at = bytearray(), 0
    while at < len(body):
        if body[at] not in (0xA6, 0x5B):
            plain.append(body[at])
            at += 1
            continue
        pair = body[at : at + 2]
        if pair not in _UNSTUFFING:
            raise BadFrame(f"{pair.hex()} stands for nothing")
        plain += _UNSTUFFING[pair]
        at += 2
    return bytes(plain)


def crc16_arc(data: bytes) -> int:
    """CRC-16/ARC: polynomial A001 reflected, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def error_sentence(error: int) -> str:
    """What the card's error number means, for people."""
    return _ERRORS.get(error, f"错误 {error} (error {error})")
