"""Captured exchanges: files of `# source`, `# profile`, `# command`, then `> hex` to and `< hex` from the device.

A message of a broker has its `# topic` on the line before it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent.parent / "captures"


@dataclass(frozen=True)
class Capture:
    """One file."""

    family: str
    name: str
    source: str
    profile: str
    command: dict[str, Any]
    lines: tuple[tuple[Literal[">", "<"], bytes], ...]
    #: of each line; empty where it has none
    topics: tuple[str, ...] = ()

    @property
    def sent(self) -> list[bytes]:
        """What the host said."""
        return [data for mark, data in self.lines if mark == ">"]

    @property
    def heard(self) -> list[bytes]:
        """What the device said."""
        return [data for mark, data in self.lines if mark == "<"]

    def __str__(self) -> str:
        return f"{self.family}-{self.name}"


def all_captures() -> list[Capture]:
    """Every capture there is."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.txt"))]


def _read(path: Path) -> Capture:
    head: dict[str, str] = {}
    lines: list[tuple[Literal[">", "<"], bytes]] = []
    topics: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            key, _, value = line[2:].partition(": ")
            head[key] = value
        elif line.startswith(("> ", "< ")):
            lines.append((">" if line[0] == ">" else "<", bytes.fromhex(line[2:])))
            topics.append(head.pop("topic", ""))
        elif line.strip():
            raise ValueError(f"{path}: what is {line!r}?")
    command = json.loads(head["command"])
    return Capture(
        path.parent.name, path.stem, head["source"], head["profile"], command, tuple(lines), tuple(topics)
    )
