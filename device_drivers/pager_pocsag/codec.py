"""POCSAG code words. Source: ITU-R M.584-2.

A transmission is a preamble of alternating bits and batches: a sync word and eight frames of two code words.
A code word is 21 bits, ten check bits of BCH(31,21) and even parity; an address stands in the frame that its
lowest three bits name.
"""

import re
import unicodedata
from collections.abc import Iterable

__all__ = [
    "BATCH_BITS",
    "HIGHEST_ADDRESS",
    "IDLE",
    "SYNC",
    "address_word",
    "alpha_words",
    "ascii_text",
    "batches",
    "code_word",
    "numeric_words",
    "packed",
]

SYNC, IDLE = 0x7CD215D8, 0x7A89C197
GENERATOR = 0x769
HIGHEST_ADDRESS = (1 << 21) - 1
WORDS_IN_BATCH = 16
BATCH_BITS = 32 * (WORDS_IN_BATCH + 1)

#: the numeric alphabet; a digit leaves with its lowest bit first. The two odd ones mean "spare" and "urgent"
_NUMERIC = "0123456789\0\0 -)("


def code_word(data: int) -> int:
    """21 bits of data with their check bits and parity."""
    rest = data << 10
    for bit in range(30, 9, -1):
        if rest >> bit & 1:
            rest ^= GENERATOR << bit - 10
    word = (data << 10 | rest) << 1
    return word | word.bit_count() & 1


def address_word(address: int, function: int) -> int:
    """The word that wakes a pager; its lowest three bits are said by the frame it stands in."""
    return code_word(address >> 3 << 2 | function)


def numeric_words(text: str) -> list[int]:
    """Five digits a word, filled with blanks; what a numeric pager cannot show is left out."""
    digits = [_NUMERIC.index(c) for c in text if c in _NUMERIC]
    digits += [_NUMERIC.index(" ")] * (-len(digits) % 5)
    bits = "".join(f"{digit:04b}"[::-1] for digit in digits)
    return _message_words(bits)


def alpha_words(text: str) -> list[int]:
    """Seven bits a character, lowest first, running on from word to word; filled with nothing."""
    bits = "".join(f"{ord(c):07b}"[::-1] for c in text)
    return _message_words(bits + "0" * (-len(bits) % 20))


def batches(address: int, word: int, message: list[int]) -> list[int]:
    """Sync, frames and idle words; at least one idle word ends the message."""
    words = [IDLE] * (2 * (address & 7)) + [word, *message, IDLE]
    words += [IDLE] * (-len(words) % WORDS_IN_BATCH)
    sent: list[int] = []
    for at in range(0, len(words), WORDS_IN_BATCH):
        sent += [SYNC, *words[at : at + WORDS_IN_BATCH]]
    return sent


def packed(
    words: Iterable[int], preamble_bits: int, *, lowest_first: bool = False, inverted: bool = False
) -> bytes:
    """Preamble and words as bytes, the first bit of the air in the highest bit (or in the lowest)."""
    data = b"\xaa" * (preamble_bits // 8) + b"".join(word.to_bytes(4, "big") for word in words)
    if lowest_first:
        data = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    return bytes(byte ^ 0xFF for byte in data) if inverted else data


def ascii_text(words: str, most: int) -> str:
    """What plain POCSAG can carry of a sentence: label and counter. Chinese has no place in it."""
    kept = unicodedata.normalize("NFKC", words)
    return " ".join(re.findall(r"[!-~]+", kept))[:most].rstrip()


def _message_words(bits: str) -> list[int]:
    return [code_word(1 << 20 | int(bits[at : at + 20], 2)) for at in range(0, len(bits), 20)]
