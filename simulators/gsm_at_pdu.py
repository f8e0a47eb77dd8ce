"""Reads the SMS-SUBMIT PDUs a modem is given (3GPP TS 23.040, 9.2.2.1)."""

from dataclasses import dataclass, field

__all__ = ["NotAMessage", "Submit", "read_submit"]

#: the GSM 7-bit default alphabet (TS 23.038, 6.2.1); 0x1B begins a sign of the extension
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = dict(zip(b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", "\f^{}\\[~]|€", strict=True))
_SUBMIT = 1
#: octets of the validity period by its format
_VALIDITY = (0, 7, 1, 7)
_CONCATENATED = 0


class NotAMessage(ValueError):
    """The octets are no SMS-SUBMIT."""


@dataclass(frozen=True, slots=True)
class Submit:
    """One message, or one part of a text. `to` is the number, never shown by `repr`."""

    to: str = field(repr=False)
    text: str
    reference: int = 0
    parts: int = 1
    part: int = 1


def read_submit(hexed: str, length: int) -> Submit:
    """Take a PDU apart; `length` is what `AT+CMGS` announced. Raises NotAMessage."""
    try:
        octets = bytes.fromhex(hexed)
        body = octets[1 + octets[0] :]
        if len(body) != length:
            raise NotAMessage("another length than announced")
        return _read(body)
    except (ValueError, IndexError) as error:
        raise NotAMessage(str(error)) from error


def _read(body: bytes) -> Submit:
    first = body[0]
    if first & 3 != _SUBMIT:
        raise NotAMessage("no SMS-SUBMIT")
    digits, kind = body[2], body[3]
    at = 4 + (digits + 1) // 2
    swapped = "".join(f"{octet & 15:X}{octet >> 4:X}" for octet in body[4:at])[:digits]
    if not swapped.isdecimal():
        raise NotAMessage("no number")
    to = ("+" if kind == 0x91 else "") + swapped
    coding = body[at + 1]
    at += 2 + _VALIDITY[first >> 3 & 3]
    length, data = body[at], body[at + 1 :]
    header = data[: data[0] + 1] if first & 0x40 else b""
    text = _text(coding, length, header, data)
    return Submit(to, text, *_concatenation(header))


def _text(coding: int, length: int, header: bytes, data: bytes) -> str:
    alphabet = coding >> 2 & 3
    if alphabet == 0:
        # seven-bit signs begin at the first sign boundary behind the header
        skip = (len(header) * 8 + 6) // 7
        if len(data) != (length * 7 + 7) // 8:
            raise NotAMessage("wrong length of user data")
        return _decode_septets(_septets(data, length)[skip:])
    if len(data) != length or length > 140:
        raise NotAMessage("wrong length of user data")
    rest = data[len(header) :]
    return rest.decode("utf-16-be", errors="replace") if alphabet == 2 else rest.decode("latin-1")


def _concatenation(header: bytes) -> tuple[int, int, int]:
    """Reference, parts, part."""
    at = 1
    while at + 1 < len(header):
        kind, size = header[at], header[at + 1]
        if kind == _CONCATENATED and size == 3:
            return header[at + 2], header[at + 3], header[at + 4]
        at += 2 + size
    return 0, 1, 1


def _septets(data: bytes, count: int) -> list[int]:
    bits = int.from_bytes(data, "little")
    return [bits >> (7 * i) & 0x7F for i in range(count)]


def _decode_septets(septets: list[int]) -> str:
    text, extended = "", False
    for septet in septets:
        if septet == 0x1B and not extended:
            extended = True
            continue
        text += _EXTENSION.get(septet, " ") if extended else _BASIC[septet]
        extended = False
    return text
