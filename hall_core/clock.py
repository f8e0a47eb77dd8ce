"""The only legal source of time. Everything else takes a `Clock`."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "FixedClock", "SystemClock"]


class Clock(Protocol):
    """Wall time for people, monotonic time for intervals, and whether the wall may be believed."""

    def now(self) -> datetime:
        """Wall time, always aware (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...

    def trusted(self) -> bool:
        """False until the wall clock has been synchronised since boot."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clocks. `synchronised` is what the operating system says of its wall."""

    synchronised: bool = True

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def trusted(self) -> bool:
        return self.synchronised


@dataclass(slots=True)
class FixedClock:
    """A clock that moves only when told to: for simulations and tests."""

    wall: datetime
    mono: float = 0.0
    synchronised: bool = field(default=True)

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def trusted(self) -> bool:
        return self.synchronised

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds`."""
        self.wall += timedelta(seconds=seconds)
        self.mono += seconds
