"""What hands do to a large display, whatever its make: its remote control, its cable, its vent.

Only this is shared. How a display stands, answers and wakes is written in each simulator from its own maker's
paper: a wrong belief in one place would pass every test of both.
"""

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Handled", "handle"]


class Handled(Protocol):
    """What a hand can change; the volume is in the display's own steps."""

    source: int
    volume: int
    muted: bool
    signal: bool
    blocked: bool


def handle(display: Handled, key: str, sources: Sequence[int], loudest: int) -> None:
    """One key of the remote control, or one thing done to the display."""
    match key:
        case "input":
            at = sources.index(display.source) if display.source in sources else -1
            display.source = sources[(at + 1) % len(sources)]
        case "mute":
            display.muted = not display.muted
        case "volume-up" | "volume-down":
            step = 1 if key == "volume-up" else -1
            display.volume = min(max(display.volume + step, 0), loudest)
        case "unplug":
            display.signal = not display.signal
        case "block-vent":
            display.blocked = not display.blocked
