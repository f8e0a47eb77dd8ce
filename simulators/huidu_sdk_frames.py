"""Packets of Huidu's SDK 2.0 as a card reads them: `<HH` total length and command, then the body.

XML comes and goes in parts `<II` whole length and offset. After the vendor's SDK text.
"""

import struct
from dataclasses import dataclass, field

__all__ = ["Assembly", "BadPart", "Kind", "PacketReader", "TooLong", "pack", "pack_xml"]

_HEAD = struct.Struct("<HH")
_PART = struct.Struct("<II")
_LONGEST_PACKET = 9 * 1024
_LONGEST_XML = 1 << 20
_PART_SIZE = 8000


class Kind:
    """Command numbers."""

    BEAT, BEAT_ANSWER = 0x5F, 0x60
    ERROR = 0x2000
    SERVICE, SERVICE_ANSWER = 0x2001, 0x2002
    XML, XML_ANSWER = 0x2003, 0x2004


class TooLong(ValueError):
    """A packet or an XML longer than a card takes."""


class BadPart(ValueError):
    """A part that does not follow the one before."""


class PacketReader:
    """Takes bytes in any segmentation and gives whole packets."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """(command, body) of what is complete now. Raises TooLong when the stream is none of the protocol."""
        self._bytes += data
        found: list[tuple[int, bytes]] = []
        while len(self._bytes) >= _HEAD.size:
            size, kind = _HEAD.unpack_from(self._bytes)
            if not _HEAD.size <= size <= _LONGEST_PACKET:
                raise TooLong(f"{size} bytes")
            if len(self._bytes) < size:
                break
            found.append((kind, bytes(self._bytes[_HEAD.size : size])))
            del self._bytes[:size]
        return found


@dataclass(slots=True)
class Assembly:
    """Parts of one XML until it is whole."""

    _size: int = 0
    _bytes: bytearray = field(default_factory=bytearray)

    def take(self, body: bytes) -> bytes | None:
        """The XML, once it is whole. Raises BadPart, TooLong."""
        if len(body) < _PART.size:
            raise BadPart("no part")
        size, offset = _PART.unpack_from(body)
        if size > _LONGEST_XML:
            raise TooLong(f"{size} bytes of XML")
        if offset == 0:
            self._size, self._bytes = size, bytearray()
        if size != self._size or offset != len(self._bytes):
            self._bytes = bytearray()
            raise BadPart(f"part at {offset}")
        self._bytes += body[_PART.size :]
        if len(self._bytes) < size:
            return None
        whole, self._bytes = bytes(self._bytes), bytearray()
        return whole


def pack(kind: int, body: bytes = b"") -> bytes:
    """One packet."""
    return _HEAD.pack(_HEAD.size + len(body), kind) + body


def pack_xml(xml: str) -> bytes:
    """An answer in as many packets as it needs."""
    data = xml.encode("utf-8")
    places = range(0, len(data), _PART_SIZE)
    return b"".join(
        pack(Kind.XML_ANSWER, _PART.pack(len(data), at) + data[at : at + _PART_SIZE]) for at in places
    )
