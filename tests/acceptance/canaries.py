"""Looks for numbers of people in everything that is kept, however they are written."""

import base64
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

__all__ = ["forms", "found_in", "values_of"]


def forms(number: str) -> list[bytes]:
    """A number as it might be written down, most of which nobody would think of."""
    cut = [number, *_grouped(number), number[::-1]]
    if len(number) == 11:
        cut += [f"+86{number}", f"+86 {number}", f"+86-{number}", f"0086{number}"]
    found: list[bytes] = []
    for text in cut:
        plain = text.encode()
        found += [plain, text.encode("utf-16-le"), text.encode("utf-16-be")]
        found += [plain.hex().encode(), plain.hex().upper().encode(), plain.hex(" ").encode()]
        found += _base64(plain)
    for name in ("md5", "sha1", "sha256", "sm3"):
        if name in hashlib.algorithms_available:
            for text in (number, f"+86{number}"):
                digest = hashlib.new(name, text.encode())
                found += [digest.hexdigest().encode(), digest.digest()]
    return list(dict.fromkeys(found))


def _grouped(number: str) -> list[str]:
    ways = ((3, 4, 4), (3, 3, 5)) if len(number) == 11 else ((6, 8, 4), (6, 4, 4, 4))
    found = []
    for way in ways:
        parts, at = [], 0
        for length in way:
            parts.append(number[at : at + length])
            at += length
        found += [mark.join(parts) for mark in (" ", "-", ".", "\u00a0", "%20", "\u3000")]
    return found


def _base64(plain: bytes) -> Iterator[bytes]:
    """The signs that stay the same at each of the three places a text can have in base64."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + plain)
        first = -(-before * 8 // 6)
        last = (before + len(plain)) * 8 // 6
        yield whole[first:last]
        yield base64.urlsafe_b64encode(bytes(before) + plain)[first:last]


def values_of(file: Path) -> bytes:
    """Every value of an SQLite file: long ones are cut up on its pages. Empty for other files."""
    with file.open("rb") as opened:
        if opened.read(16) != b"SQLite format 3\0":
            return b""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
        opened.text_factory = bytes
        names = [
            row[0].decode() for row in opened.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        rows = [row for name in names for row in opened.execute(f'SELECT * FROM "{name}"')]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def found_in(folder: Path, numbers: dict[str, str]) -> list[str]:
    """`whose number in which file` for every number, by whose it is, that is found below this folder."""
    looked_for: dict[bytes, list[tuple[bytes, str]]] = {}
    for whose, number in numbers.items():
        for form in forms(number):
            looked_for.setdefault(form[:_HEAD], []).append((form, whose))
    hits = set()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        for content in (file.read_bytes(), values_of(file)):
            hits |= {f"{whose} in {file.relative_to(folder)}" for whose in _found(content, looked_for)}
    return sorted(hits)


#: so many first bytes decide whether the rest is looked at: thousands of forms in one pass over a file
_HEAD = 8
_PART = 1 << 18


def _found(content: bytes, looked_for: dict[bytes, list[tuple[bytes, str]]]) -> Iterator[str]:
    for start in range(0, len(content), _PART):
        part = content[start : start + _PART + _HEAD - 1]
        heads = {part[at : at + _HEAD] for at in range(len(part) - _HEAD + 1)}
        for head in heads & looked_for.keys():
            yield from (whose for form, whose in looked_for[head] if form in content)
