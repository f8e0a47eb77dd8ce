"""The registers of a Modbus panel, laid out by its profile, and what they make visible.

Written values become visible at a commit; panels without a commit register show every write at once.
"""

from dataclasses import dataclass, field
from typing import Any

from hall_core.devices.profile import Profile

__all__ = ["Registers", "Seen"]

ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3
#: firmware 1.2
_FIRMWARE = 0x0102


@dataclass(frozen=True, slots=True)
class Seen:
    """What the panel shows since a commit. `blink` is how often a called text goes on and off."""

    mode: str | None = None
    blink: int = 0
    brightness: int | None = None
    texts: dict[str, str] = field(default_factory=dict)


class Registers:
    """Holding and input registers of one panel. Volatile: `clear` is a power cycle."""

    def __init__(self, profile: Profile) -> None:
        options = profile.options
        self._map: dict[str, dict[str, Any]] = options["registers"]
        self._modes = {number: name for name, number in options.get("modes", {}).items()}
        self._max_write = int(options.get("max_write", 123))
        self._inputs: dict[int, int] = {}
        self._known: set[int] = set()
        self._reserved: set[int] = set()
        for place in options.get("reserved", []):
            self._reserved |= set(range(place["address"], place["address"] + place["count"]))
        for place in self._map.values():
            if place.get("space") != "input":
                self._known |= set(range(place["address"], place["address"] + place.get("count", 1)))
        self._cells: dict[int, int] = {}
        self.clear()

    def clear(self) -> None:
        """What the registers hold right after power-on."""
        self._cells = dict.fromkeys(self._known, 0)
        for place in self._map.values():
            if "count" in place:
                blank = 0x20 if place.get("encoding") == "ascii-per-register" else 0x2020
                for i in range(place["count"]):
                    self._cells[place["address"] + i] = blank
        if firmware := self._map.get("firmware"):
            cells = self._inputs if firmware.get("space") == "input" else self._cells
            cells[firmware["address"]] = _FIRMWARE

    def read(self, address: int, count: int, *, inputs: bool) -> list[int] | int:
        """Register values, or a Modbus exception code."""
        cells = self._inputs if inputs else self._cells | dict.fromkeys(self._reserved, 0)
        wanted = range(address, address + count)
        return [cells[a] for a in wanted] if all(a in cells for a in wanted) else ILLEGAL_ADDRESS

    def write(self, address: int, values: list[int]) -> tuple[int, bool]:
        """Store a request. Returns its exception code (0 = stored) and whether the sight changes with it."""
        if len(values) > self._max_write:
            return ILLEGAL_VALUE, False
        new = {address + i: value for i, value in enumerate(values)}
        if not set(new) <= self._known | self._reserved:
            return ILLEGAL_ADDRESS, False
        if not self._allowed(new):
            return ILLEGAL_VALUE, False
        self._cells |= {a: v for a, v in new.items() if a in self._known}
        commit = self._map.get("commit")
        if commit is None:
            return 0, True
        at = commit["address"]
        committed = new.get(at) == 1
        self._cells[at] = 0
        return 0, committed

    def seen(self) -> Seen:
        """What the stored values look like when shown."""
        mode = self._value("mode")
        return Seen(
            mode=None if mode is None else self._modes.get(mode),
            blink=self._value("blink") or 0,
            brightness=self._value("brightness"),
            texts={name: self._text(place) for name, place in self._map.items() if "count" in place},
        )

    def _allowed(self, new: dict[int, int]) -> bool:
        """The limits of the roles: a known mode, brightness 0..15, blink 0..255."""
        for name, place in self._map.items():
            value = new.get(place["address"])
            if value is None or "count" in place:
                continue
            if name == "mode" and self._modes and value not in self._modes:
                return False
            if value > {"brightness": 15, "blink": 255}.get(name, 0xFFFF):
                return False
        return True

    def _value(self, name: str) -> int | None:
        place = self._map.get(name)
        return None if place is None else self._cells[place["address"]]

    def _text(self, place: dict[str, Any]) -> str:
        cells = [self._cells[place["address"] + i] for i in range(place["count"])]
        if place.get("encoding") == "ascii-per-register":
            raw = bytes(cell & 0xFF for cell in cells)
        else:
            little = place.get("order") == "lo-hi"
            raw = b"".join(cell.to_bytes(2, "little" if little else "big") for cell in cells)
        encoding = "gbk" if place.get("encoding", "gbk") == "gbk" else "ascii"
        text = raw.split(b"\x00", 1)[0].decode(encoding, errors="replace").replace("\ufffd", "□")
        return text.rstrip(place.get("pad", " ") or " ").rstrip()
