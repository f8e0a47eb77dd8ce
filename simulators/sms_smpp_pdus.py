"""SMPP 3.4 read and written from the centre's side. Source: the specification of 12-Oct-1999."""

from dataclasses import dataclass
from typing import Self

__all__ = ["COMMANDS", "BadPdu", "Pdu", "Submit", "receipt", "whole"]

COMMANDS = {
    "bind_receiver": 0x00000001,
    "bind_transmitter": 0x00000002,
    "submit_sm": 0x00000004,
    "deliver_sm": 0x00000005,
    "unbind": 0x00000006,
    "bind_transceiver": 0x00000009,
    "enquire_link": 0x00000015,
}
NAMES = {number: name for name, number in COMMANDS.items()}
ANSWER = 0x80000000
ENCODINGS = {0: "latin-1", 1: "ascii", 3: "latin-1", 8: "utf-16-be"}


class BadPdu(Exception):
    """Bytes that are not SMPP."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit: name of the command, whether it is an answer, status, sequence number, body."""

    name: str
    answer: bool
    status: int
    sequence: int
    body: bytes

    @classmethod
    def read(cls, data: bytes) -> Self:
        """From all of its bytes."""
        numbers = [int.from_bytes(data[n : n + 4], "big") for n in (4, 8, 12)]
        name = NAMES.get(numbers[0] & ~ANSWER, "")
        return cls(name, bool(numbers[0] & ANSWER), numbers[1], numbers[2], data[16:])


def whole(name: str, sequence: int, body: bytes = b"", *, answer: bool = False, status: int = 0) -> bytes:
    """A unit as bytes; an unknown name is a generic_nack."""
    command = COMMANDS.get(name, 0) | (ANSWER if answer else 0)
    numbers = (16 + len(body), command, status, sequence)
    return b"".join(number.to_bytes(4, "big") for number in numbers) + body


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def string(self, most: int) -> str:
        end = self._data.find(b"\0", self._at, self._at + most)
        if end < 0:
            raise BadPdu(f"no end of a string within {most} bytes")
        raw, self._at = self._data[self._at : end], end + 1
        return raw.decode("ascii", errors="replace")

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, size: int) -> bytes:
        raw = self._data[self._at : self._at + size]
        if len(raw) < size:
            raise BadPdu("cut short")
        self._at += size
        return raw

    def options(self) -> dict[int, bytes]:
        found = {}
        while self._at < len(self._data):
            tag, size = int.from_bytes(self.take(2), "big"), int.from_bytes(self.take(2), "big")
            found[tag] = self.take(size)
        return found


def login_of(pdu: Pdu) -> tuple[str, str]:
    """System id and password of a bind."""
    reader = _Reader(pdu.body)
    return reader.string(16), reader.string(9)


@dataclass(frozen=True, slots=True)
class Submit:
    """What a submit_sm says. `part` is (reference, of how many, which) of a longer message."""

    source: str
    to: str
    text: str
    registered: bool
    validity: str
    part: tuple[int, int, int] | None
    data_coding: int

    @classmethod
    def read(cls, pdu: Pdu) -> Self:
        """Raises BadPdu."""
        reader = _Reader(pdu.body)
        reader.string(6)
        addresses = []
        for _ in range(2):
            reader.take(2)
            addresses.append(reader.string(21))
        esm_class = reader.byte()
        reader.take(2)
        reader.string(17)
        validity = reader.string(17)
        registered, _replace, coding, _default = reader.take(4)
        raw = reader.take(reader.byte())
        raw = reader.options().get(0x0424, b"") or raw
        part = None
        if esm_class & 0x40:
            header, raw = raw[1 : 1 + raw[0]], raw[1 + raw[0] :]
            if header[:2] == b"\x00\x03":
                part = (header[2], header[3], header[4])
        if coding not in ENCODINGS:
            raise BadPdu(f"data coding {coding}")
        try:
            text = raw.decode(ENCODINGS[coding])
        except UnicodeDecodeError as error:
            raise BadPdu("text is not in its data coding") from error
        return cls(addresses[0], addresses[1], text, bool(registered & 1), validity, part, coding)


def receipt(sequence: int, message_id: str, source: str, to: str, stat: str, day: str) -> bytes:
    """A deliver_sm with a delivery receipt: text as in appendix B, and the two optional parameters."""
    err = "000" if stat == "DELIVRD" else "001"
    arrived = "001" if stat == "DELIVRD" else "000"
    dates = f"submit date:{day} done date:{day}"
    told = f"id:{message_id} sub:001 dlvrd:{arrived} {dates} stat:{stat} err:{err} text:"
    state = {"DELIVRD": 2, "UNDELIV": 5}[stat]
    tlv_id = message_id.encode() + b"\0"
    body = (
        b"\0\x01\x01"
        + to.encode()
        + b"\0\0\0"
        + source.encode()
        + b"\0\x04\0\0\0\0\0\0\0\0"
        + bytes([len(told)])
        + told.encode()
        + b"\x00\x1e"
        + len(tlv_id).to_bytes(2, "big")
        + tlv_id
        + b"\x04\x27\x00\x01"
        + bytes([state])
    )
    return whole("deliver_sm", sequence, body)
