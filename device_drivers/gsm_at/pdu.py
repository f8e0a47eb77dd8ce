"""Short messages as SMS-SUBMIT PDUs (3GPP TS 23.040, 9.2.2.1), the text always as UCS2.

A PDU holds the number: it is never shown by `repr`.
"""

from dataclasses import dataclass, field

__all__ = ["Submit", "parts_of", "submits"]

#: octets of user data in one message; a part of a longer one gives six to its header
ALONE, IN_PARTS = 140, 134
#: first octet: SMS-SUBMIT with a relative validity period; with a user data header
_SUBMIT, _WITH_HEADER = 0x11, 0x40
_INTERNATIONAL, _UNKNOWN = 0x91, 0x81
_UCS2 = 0x08
#: a validity period up to twelve hours counts in steps of five minutes, from one step
_STEP_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Submit:
    """One message for `AT+CMGS`: octets without the service centre, and the whole in hex."""

    length: int
    hexed: str = field(repr=False)


def submits(to: str, text: str, *, reference: int, validity_minutes: int) -> tuple[Submit, ...]:
    """The messages that carry the text to the number (digits, `+` in front or not).

    `reference` 0..255 tells the parts of one text from those of another. Validity 5..720 minutes.
    """
    parts = parts_of(text)
    if len(parts) == 1:
        return (_submit(to, parts[0], b"", validity_minutes),)
    headers = (bytes([5, 0, 3, reference, len(parts), n]) for n in range(1, len(parts) + 1))
    return tuple(
        _submit(to, part, header, validity_minutes) for part, header in zip(parts, headers, strict=True)
    )


def parts_of(text: str) -> tuple[bytes, ...]:
    """The text as UCS2, cut between characters so that each part fits into one message."""
    codes = [character.encode("utf-16-be", errors="replace") for character in text]
    if sum(map(len, codes)) <= ALONE:
        return (b"".join(codes),)
    parts = [bytearray()]
    for code in codes:
        if len(parts[-1]) + len(code) > IN_PARTS:
            parts.append(bytearray())
        parts[-1] += code
    return tuple(map(bytes, parts))


def _submit(to: str, ucs2: bytes, header: bytes, validity_minutes: int) -> Submit:
    first = _SUBMIT | (_WITH_HEADER if header else 0)
    validity = validity_minutes // _STEP_MINUTES - 1
    data = header + ucs2
    # message reference 0: the modem counts itself; protocol 0
    body = bytes([first, 0]) + _address(to) + bytes([0, _UCS2, validity, len(data)]) + data
    # service centre of no length: the one the SIM knows
    return Submit(len(body), "00" + body.hex().upper())


def _address(to: str) -> bytes:
    digits = to.removeprefix("+")
    kind = _INTERNATIONAL if to.startswith("+") else _UNKNOWN
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    return bytes([len(digits), kind]) + bytes.fromhex(swapped)
