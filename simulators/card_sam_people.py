"""Cards of people who do not exist: their numbers begin with a place that is none, and live in memory."""

from dataclasses import dataclass, field
from random import Random

__all__ = ["Card", "card_of_nobody", "masked"]

#: no division of China has this code
_NOWHERE = "9" * 6
#: weights and signs of the last place of a number (GB 11643)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SIGNS = "10X98765432"
_PHOTO = 1024


@dataclass(frozen=True, slots=True)
class Card:
    """What a card gives the reader: 256 octets of text, 1024 of photo. Neither is shown by `repr`."""

    masked: str
    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)


def card_of_nobody(nth: int, random: Random) -> Card:
    """The nth card; the photo is noise, for only a licensed decoder could read a real one."""
    number = _numbered(f"{_NOWHERE}1900010{nth}{nth:03}")
    fields = (
        (f"测试{'一二三四五六七八九'[nth - 1]}", 30),
        (str(nth % 2 + 1), 2),
        ("01", 4),
        (f"1900010{nth}", 16),
        ("无此地区测试街道1号", 70),
        (number, 36),
        ("测试公安局", 30),
        ("20200101", 16),
        ("长期", 16),
        ("", 36),
    )
    text = b"".join(words.ljust(octets // 2).encode("utf-16-le") for words, octets in fields)
    return Card(masked(number), text, random.randbytes(_PHOTO))


def masked(number: str) -> str:
    """A number as it may be shown."""
    return f"{number[:6]}{'*' * 8}{number[-4:]}"


def _numbered(first: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True))
    return first + _SIGNS[total % 11]
