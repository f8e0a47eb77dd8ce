"""Frames of Onbon K-series font cards: start bytes, stuffing, header, check. After the vendor's tables.

`A5 … | header 14 | data | check 2 | 5A`; the check covers header and data before stuffing.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Check", "Frame", "FrameReader", "pack", "unpack"]

_START, _END = 0xA5, 0x5A
_STUFFED = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_PLAIN = {(0xA6, 2): 0xA5, (0xA6, 1): 0xA6, (0x5B, 2): 0x5A, (0x5B, 1): 0x5B}
_HEADER = struct.Struct("<HH3sBBBBBH")
_BAR_CODE = 16
_LONGEST = 4096


class Check(IntEnum):
    """How a frame is checked (header byte 8)."""

    CRC16 = 0
    SUM16 = 1
    NONE = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame from the host. `intact` is False when its check does not fit."""

    to: int
    sender: int
    device_type: int
    data: bytes
    check: int = Check.CRC16
    display_mode: int = 0
    version: int = 2
    intact: bool = True


class FrameReader:
    """Takes bytes in any segmentation and gives whole frames; what is no frame is passed over."""

    def __init__(self) -> None:
        self._inside = False
        self._escape = 0
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Unstuffed contents of the frames that are complete now."""
        done: list[bytes] = []
        for byte in data:
            if byte == _START:
                self._inside, self._escape = True, 0
                self._bytes.clear()
            elif not self._inside:
                continue
            elif byte == _END:
                if self._bytes and not self._escape:
                    done.append(bytes(self._bytes))
                self._inside = False
            else:
                self._take(byte)
        return done

    def _take(self, byte: int) -> None:
        if self._escape:
            plain = _PLAIN.get((self._escape, byte))
            self._escape = 0
            if plain is None:
                self._inside = False
                return
            self._bytes.append(plain)
        elif byte in (0xA6, 0x5B):
            self._escape = byte
        else:
            self._bytes.append(byte)
        if len(self._bytes) > _LONGEST:
            self._inside = False


def unpack(raw: bytes) -> Frame | None:
    """Read an unstuffed frame; None when its lengths do not fit."""
    if len(raw) < _HEADER.size + 2:
        return None
    to, sender, _, option, check, mode, device_type, version, size = _HEADER.unpack_from(raw)
    start = _HEADER.size + (_BAR_CODE if option & 1 else 0)
    if len(raw) != start + size + 2:
        return None
    return Frame(
        to=to,
        sender=sender,
        device_type=device_type,
        data=raw[start:-2],
        check=check,
        display_mode=mode,
        version=version,
        intact=check == Check.NONE or _check(raw[:-2], check) == int.from_bytes(raw[-2:], "little"),
    )


def pack(frame: Frame) -> bytes:
    """Build the wire bytes of a frame."""
    size = len(frame.data)
    header = _HEADER.pack(
        frame.to,
        frame.sender,
        b"\0\0\0",
        0,
        frame.check,
        frame.display_mode,
        frame.device_type,
        frame.version,
        size,
    )
    body = header + frame.data
    body += _check(body, frame.check).to_bytes(2, "little")
    return bytes([_START] * 8) + b"".join(_STUFFED.get(b, bytes([b])) for b in body) + bytes([_END])


def _check(data: bytes, mode: int) -> int:
    if mode == Check.SUM16:
        return sum(data) & 0xFFFF
    if mode == Check.NONE:
        return 0
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc
