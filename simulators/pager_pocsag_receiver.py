"""What a POCSAG pager does with the bits of the air: hunts for the sync word, mends words, reads messages.

After ITU-R M.584-2: an address stands in its own frame, up to two wrong bits in a word are mended, and a
message ends where the next word is an address or idle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

__all__ = ["Page", "Receiver"]

_SYNC = "01111100110100100001010111011000"
_IDLE = "01111010100010011100000110010111"
_DIGITS = {0b1010: "*", 0b1011: "U", 0b1100: " ", 0b1101: "-", 0b1110: "]", 0b1111: "["}
_WORD, _WORDS = 32, 16


@dataclass(frozen=True, slots=True)
class Page:
    """One message on the air. `bits` are its message bits, 20 a word."""

    address: int
    function: int
    bits: str

    @property
    def alpha(self) -> str:
        """Seven bits a character, the first of them lowest; control characters end the text."""
        codes = [int(self.bits[at : at + 7][::-1], 2) for at in range(0, len(self.bits) - 6, 7)]
        text = "".join(chr(code) for code in codes)
        return text.rstrip("\0\3\4")

    @property
    def numeric(self) -> str:
        """Four bits a digit, the first of them lowest."""
        nibbles = [int(self.bits[at : at + 4][::-1], 2) for at in range(0, len(self.bits) - 3, 4)]
        return "".join(_DIGITS.get(n, str(n)) for n in nibbles).rstrip()


class Receiver:
    """Takes bits in any segmentation and gives the pages that are complete."""

    def __init__(self) -> None:
        self._bits = ""
        self._place: int | None = None
        self._open: tuple[int, int] | None = None
        self._message = ""

    def feed(self, bits: str) -> list[Page]:
        """Whole pages, in the order of the air."""
        self._bits += bits
        return list(self._run())

    def _run(self) -> Iterator[Page]:
        while True:
            if self._place is None:
                if not self._hunt():
                    return
                continue
            if len(self._bits) < _WORD:
                return
            word, self._bits = self._bits[:_WORD], self._bits[_WORD:]
            if self._place == _WORDS:
                yield from self._next_batch(word)
                continue
            yield from self._take(word, self._place >> 1)
            self._place += 1

    def _hunt(self) -> bool:
        """Find a sync word with at most two wrong bits. False when more bits are needed."""
        for at in range(len(self._bits) - _WORD + 1):
            if _wrong(self._bits[at : at + _WORD], _SYNC) <= 2:
                self._bits, self._place = self._bits[at + _WORD :], 0
                return True
        self._bits = self._bits[-(_WORD - 1) :]
        return False

    def _next_batch(self, word: str) -> Iterator[Page]:
        """A batch is followed by another sync word, or the transmission has ended."""
        if _wrong(word, _SYNC) <= 2:
            self._place = 0
            return
        self._place, self._bits = None, word[1:] + self._bits
        yield from self._end()

    def _take(self, word: str, frame: int) -> Iterator[Page]:
        if _wrong(word, _IDLE) <= 2:
            yield from self._end()
            return
        mended = _mend(word)
        if mended is None:
            return  # lost to noise; the pager goes on with the next
        if mended[0] == "1":
            if self._open is not None:
                self._message += mended[1:21]
            return
        yield from self._end()
        self._open = (int(mended[1:19], 2) << 3 | frame, int(mended[19:21], 2))

    def _end(self) -> Iterator[Page]:
        if self._open is not None:
            yield Page(*self._open, self._message)
        self._open, self._message = None, ""


def _wrong(word: str, wanted: str) -> int:
    return sum(a != b for a, b in zip(word, wanted, strict=True))


def _remainder(bits: str) -> int:
    """Of 31 bits as a polynomial, divided by x^10 + x^9 + x^8 + x^6 + x^5 + x^3 + 1."""
    register = 0
    for bit in bits:
        register = register << 1 | (bit == "1")
        if register >> 10:
            register ^= 0b11101101001
    return register


@cache
def _patterns() -> dict[int, tuple[int, ...]]:
    """Remainder -> which one or two of the 31 bits are wrong."""
    singles = [_remainder("0" * at + "1" + "0" * (30 - at)) for at in range(31)]
    pairs = {singles[a] ^ singles[b]: (a, b) for a, b in combinations(range(31), 2)}
    return pairs | {singles[at]: (at,) for at in range(31)} | {0: ()}


def _mend(word: str) -> str | None:
    """The word with up to two wrong bits turned back; None when there were more."""
    wrong = _patterns().get(_remainder(word[:31]))
    if wrong is None:
        return None
    mended = [*word]
    for at in wrong:
        mended[at] = "0" if mended[at] == "1" else "1"
    if len(wrong) == 2 and mended[:31].count("1") % 2 != int(mended[31]):
        return None  # three wrong bits look like two others; the parity tells
    return "".join(mended)
