"""The code that gives a box numbers over the telephone, when nothing else reaches it.

Twelve characters of Crockford's base 32 (no I, L, O, U), `XXXX-XXXX-XXXX`, are 60 bits:

    zone (7) | first day, its ordinal modulo 256 (8) | number of days (5) | HMAC-SHA256, its first 40 bits

The HMAC is over hall, box, zone, number of days and the whole date of the first day: a code is good for one
box and those days, and never again when its 8 bits come round. The key is the hall's own.
"""

import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from hall_core.errors import OverrideInvalid

__all__ = ["LONGEST_DAYS", "TAIL", "Override", "box_tail", "read_code", "write_code"]

#: a code gives numbers for so many days at most
LONGEST_DAYS = 30
#: so many characters of a box's incarnation are read out on the telephone
TAIL = 8
LAST_ZONE = 98
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH, _BITS, _MAC_BITS = 12, 60, 40
#: what people write between the groups, and what they take for a digit
_HEARD = str.maketrans("OIL", "011", " -_.\t\u3000\u2013\u2014\uff0d")


@dataclass(frozen=True, slots=True)
class Override:
    """A zone for one box, on consecutive days, both included. `tail` ends the box's incarnation."""

    hall: str
    tail: str
    zone: int
    first_day: date
    last_day: date

    @property
    def grant_id(self) -> str:
        """The same at the box and at the centre, which never speak about it."""
        return f"override-{self.hall}-{self.zone}-{self.first_day:%Y%m%d}-{self.tail}"


def box_tail(incarnation: str) -> str:
    """What stands on the box's page: the end of its incarnation, as people read it out."""
    return _heard(incarnation)[-TAIL:]


def write_code(override: Override, key: bytes) -> str:
    """The code in groups of four. Raises ValueError for a zone or a span no code can say."""
    days = (override.last_day - override.first_day).days + 1
    if not (0 <= override.zone <= LAST_ZONE and 1 <= days <= LONGEST_DAYS):
        raise ValueError(f"no code says zone {override.zone} for {days} days")
    payload = (override.zone << 8 | override.first_day.toordinal() % 256) << 5 | days
    value = payload << _MAC_BITS | _mac(override, key)
    letters = "".join(_ALPHABET[value >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return "-".join(letters[i : i + 4] for i in range(0, _LENGTH, 4))


def read_code(code: str, key: bytes, *, hall: str, tail: str, today: date) -> Override:
    """What a code gives this box; lower case, blanks, and O for 0 or I and L for 1 are understood.

    Raises OverrideInvalid for one that is not of this hall and box, or whose days are over.
    """
    letters = _heard(code)
    if len(letters) != _LENGTH or any(letter not in _ALPHABET for letter in letters):
        raise OverrideInvalid
    value = 0
    for letter in letters:
        value = value << 5 | _ALPHABET.index(letter)
    payload, mac = value >> _MAC_BITS, value & (1 << _MAC_BITS) - 1
    zone, days = payload >> 13, payload & 31
    # The day with these 8 bits that is next to today.
    off = ((payload >> 5 & 255) - today.toordinal() + 128) % 256 - 128
    if zone > LAST_ZONE or not 1 <= days <= LONGEST_DAYS:
        raise OverrideInvalid
    first = today + timedelta(days=off)
    said = Override(hall, box_tail(tail), zone, first, first + timedelta(days=days - 1))
    right = hmac.compare_digest(mac.to_bytes(5, "big"), _mac(said, key).to_bytes(5, "big"))
    if not right or said.last_day < today:
        raise OverrideInvalid
    return said


def _heard(text: str) -> str:
    return text.upper().translate(_HEARD)


def _mac(said: Override, key: bytes) -> int:
    days = (said.last_day - said.first_day).days + 1
    text = f"quiethall override 1|{said.hall}|{said.tail}|{said.zone}|{said.first_day.isoformat()}|{days}"
    return int.from_bytes(hmac.new(key, text.encode(), sha256).digest()[: _MAC_BITS // 8], "big")
