"""From a card's data to the two things a hall may know: a keyed digest of the number, and how it is shown.

Name, address, birthday and photo are never decoded; the number is a local name here and nowhere else.
"""

import hmac
import re

from hall_core.devices.vocabulary import CardRead
from hall_core.errors import BadFrame

__all__ = ["card_read"]

#: lengths of text and photo stand before them, two octets each
_LENGTHS = 4
#: name 30, sex 2, nation 4, birth 16, address 70 come first; all text is UTF-16LE
_NUMBER = slice(_LENGTHS + 122, _LENGTHS + 122 + 36)
_FORM = re.compile(r"[0-9]{17}[0-9X]")


def card_read(data: bytes, pepper: bytes) -> CardRead:
    """HMAC-SHA256 of the number in hex, and its first six and last four signs. Raises BadFrame."""
    number = data[_NUMBER].decode("utf-16-le", errors="replace").strip(" \0").upper()
    if not _FORM.fullmatch(number):
        raise BadFrame("卡内没有居民身份证号码 (no ID number on the card)")
    digest = hmac.new(pepper, number.encode("ascii"), "sha256").hexdigest()
    return CardRead(digest=digest, masked=f"{number[:6]}{'*' * 8}{number[-4:]}")
