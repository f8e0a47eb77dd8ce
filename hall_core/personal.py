"""Numbers of people in what people type: masked in what they say, refused where an id belongs.

Found are mobile numbers of mainland China, also spaced, hyphenated or with +86, and identity numbers of 18
signs. Telephone numbers of halls and landlines are nobody's.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

__all__ = ["FreeText", "PlainId", "holds_number", "mask_numbers", "mask_phone"]

_GAP = r"[ \u3000.·-]?"
_PHONE = rf"(?:(?:\+|00)86{_GAP})?1[3-9]\d(?:{_GAP}\d){{8}}"
_BORN = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_IDENTITY = rf"[1-9]\d{{5}}{_GAP}(?:19|20)\d\d{_BORN}{_GAP}\d{{3}}[\dXx]"
#: not a part of something longer
_ANY = re.compile(rf"(?<!\d)(?:(?P<identity>{_IDENTITY})|(?P<phone>{_PHONE}))(?!\d)", re.ASCII)
#: ids are long and random: there only what stands between marks is a number
_ALONE = re.compile(rf"(?<![0-9A-Za-z])(?:{_IDENTITY}|{_PHONE})(?![0-9A-Za-z])", re.ASCII)


def mask_phone(phone: str) -> str:
    """`138****1234`, of 11 digits."""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_numbers(text: str) -> str:
    """The text with every number of a person in it masked."""
    return _ANY.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    if found["identity"]:
        return f"{found['identity'][:6]}********"
    return mask_phone(re.sub(r"\D", "", found["phone"])[-11:])


def holds_number(identifier: str) -> bool:
    """True when something that should be an id is, or contains, somebody's number."""
    return _ALONE.search(identifier) is not None


def _plain(identifier: str) -> str:
    if holds_number(identifier):
        raise ValueError("holds a telephone or identity number; make a random id instead")
    return identifier


#: what people wrote about something; numbers of people in it are masked at once
FreeText = Annotated[str, AfterValidator(mask_numbers)]
#: an id that was made by a program, not somebody's number
PlainId = Annotated[str, AfterValidator(_plain)]
