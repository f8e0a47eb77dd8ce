"""Reads a stream of ESC/POS bytes as a printer does and hands out what it means, piece by piece.

Only commands real slips use are understood; of the others the parameters are skipped.
"""

from dataclasses import dataclass, field

__all__ = ["Command", "EscposParser"]

ESC, FS, GS, DLE = 0x1B, 0x1C, 0x1D, 0x10

#: parameter bytes after `ESC x`, `FS x`, `GS x`; commands not listed take one
_PARAMETERS: dict[int, dict[int, int]] = {
    ESC: {
        ord("@"): 0,
        ord("2"): 0,
        ord("<"): 0,
        ord("i"): 0,
        ord("m"): 0,
        ord("$"): 2,
        ord("\\"): 2,
        ord("p"): 3,
        ord("c"): 2,
        ord("W"): 8,
        0x0C: 0,
    },
    FS: {ord("&"): 0, ord("."): 0, ord("S"): 2, ord("2"): 34, ord("?"): 2, ord("p"): 2},
    GS: {ord("L"): 2, ord("W"): 2, ord("P"): 2, ord("$"): 2, ord("\\"): 2, ord(":"): 0, ord("("): 3},
}


@dataclass(frozen=True, slots=True)
class Command:
    """One piece. `name` is "text", or prefix and letter such as "GS V"; `data` its bytes."""

    name: str
    data: bytes = b""


@dataclass(slots=True)
class EscposParser:
    """Keeps what is incomplete until the rest comes."""

    pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Command]:
        """Commands that are complete now, in order."""
        self.pending += data
        commands: list[Command] = []
        while self.pending:
            taken = self._one()
            if taken is None:
                return commands
            size, command = taken
            del self.pending[:size]
            if command:
                commands.append(command)
        return commands

    def _one(self) -> tuple[int, Command | None] | None:
        first = self.pending[0]
        if first in _PARAMETERS:
            return self._escape(first)
        if first == DLE:
            return self._real_time()
        if first == 0x0A:
            return 1, Command("LF")
        if first < 0x20:
            return 1, Command("HT") if first == 0x09 else None
        size = next((i for i, b in enumerate(self.pending) if b < 0x20), len(self.pending))
        return size, Command("text", bytes(self.pending[:size]))

    def _real_time(self) -> tuple[int, Command | None] | None:
        if len(self.pending) < 3:
            return None
        if self.pending[1] == 0x04:
            return 3, Command("DLE EOT", bytes(self.pending[2:3]))
        return (3 if self.pending[1] in (0x05, 0x14) else 1), None

    def _escape(self, prefix: int) -> tuple[int, Command | None] | None:
        if len(self.pending) < 2:
            return None
        letter = self.pending[1]
        size = self._size(prefix, letter)
        if size is None or len(self.pending) < 2 + size:
            return None
        name = f"{ {ESC: 'ESC', FS: 'FS', GS: 'GS'}[prefix] } {chr(letter)}"
        return 2 + size, Command(name, bytes(self.pending[2 : 2 + size]))

    def _size(self, prefix: int, letter: int) -> int | None:
        """How many parameter bytes follow; None while the bytes that tell have not come."""
        rest = self.pending[2:]
        if prefix == GS and letter == ord("("):
            return None if len(rest) < 3 else 3 + rest[1] + 256 * rest[2]
        if prefix == GS and letter == ord("v"):
            return None if len(rest) < 6 else 6 + (rest[2] + 256 * rest[3]) * (rest[4] + 256 * rest[5])
        if prefix == GS and letter == ord("V"):
            return None if not rest else (2 if rest[0] in (65, 66, 97, 98, 103, 104) else 1)
        if prefix == GS and letter == ord("k"):
            return _bar_code(rest)
        if prefix == ESC and letter == ord("*"):
            return (
                None if len(rest) < 3 else 3 + (rest[1] + 256 * rest[2]) * (3 if rest[0] in (32, 33) else 1)
            )
        if prefix == ESC and letter == ord("D"):
            end = rest.find(0)
            return None if end < 0 else end + 1
        return _PARAMETERS[prefix].get(letter, 1)


def _bar_code(rest: bytearray) -> int | None:
    if not rest:
        return None
    if rest[0] > 64:
        return None if len(rest) < 2 else 2 + rest[1]
    end = rest.find(0)
    return None if end < 0 else end + 1
