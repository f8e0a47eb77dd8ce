"""The only legal source of time. Everything else takes a `Clock`."""

import ctypes
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["WRITTEN", "Clock", "FixedClock", "SteadyTime", "SystemClock"]

#: no clock that shows an earlier time has been set
WRITTEN = datetime(2025, 1, 1, tzinfo=UTC)
#: a synchronised clock moves less than this against the machine's seconds
JUMP = timedelta(minutes=1)
#: a doubtful clock so far ahead of the last fact is wrong, however long the box was away
ABSURD = timedelta(days=400)
ASK_EVERY_S = 1.0
#: a wall that was just set is off by less than this
SET = timedelta(seconds=1)
_STA_UNSYNC = 0x40


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


class _Timex(ctypes.Structure):
    """The beginning of the kernel's `struct timex`, and room for the rest (adjtimex(2))."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def _kernel_says() -> bool:
    """Whether the kernel holds its wall clock for synchronised; True where it cannot be asked."""
    if sys.platform != "linux":
        return True
    asked = _Timex()  # modes 0: only read
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        return True
    return state < 0 or not asked.status & _STA_UNSYNC


class SystemClock:
    """The machine's own clocks.

    The wall is trusted once the kernel has called it synchronised, until it jumps: a box without a network
    drifts for weeks by seconds only. Before this program was written it is never trusted. `believed` says
    that somebody answers for it: a battery clock in a hall without any network. `adopt` takes the time from
    somebody who knows it, and corrects the wall by the difference until the wall jumps or is synchronised.
    """

    def __init__(
        self,
        *,
        believed: bool = False,
        synchronised: Callable[[], bool] = _kernel_says,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._believed, self._synchronised, self._wall = believed, synchronised, wall
        self._asked_at = -ASK_EVERY_S
        self._trusted = False
        #: wall minus monotonic time when the kernel last called the wall synchronised
        self._offset: timedelta | None = None
        #: what the wall is corrected by, and wall minus monotonic time when that was said
        self._told: tuple[timedelta, timedelta] | None = None

    def now(self) -> datetime:
        wall = self._wall()
        return wall + self._correction(wall)

    def monotonic(self) -> float:
        return time.monotonic()

    @property
    def told(self) -> bool:
        """True while the time is somebody else's word."""
        self._correction(self._wall())
        return self._told is not None

    @property
    def corrected(self) -> bool:
        """True while the machine's own wall shows another time than `now`."""
        return bool(self._correction(self._wall()))

    def adopt(self, now: datetime) -> None:
        """Somebody who knows says what time it is now."""
        wall = self._wall()
        by = now - wall
        self._told = (by if abs(by) >= SET else timedelta(0)), _against(wall, time.monotonic())
        self._asked_at = -ASK_EVERY_S

    def trusted(self) -> bool:
        mono = time.monotonic()
        if mono - self._asked_at >= ASK_EVERY_S:
            self._asked_at, self._trusted = mono, self._ask(mono)
        return self._trusted

    def _ask(self, mono: float) -> bool:
        wall = self._wall()
        offset = _against(wall, mono)
        if self._synchronised():
            # The kernel knows better than anybody who was asked.
            self._offset, self._told = offset, None
        steady = self._offset is not None and abs(offset - self._offset) < JUMP
        now = wall + self._correction(wall)
        return now >= WRITTEN and (self._believed or steady or self._told is not None)

    def _correction(self, wall: datetime) -> timedelta:
        """What the wall is wrong by, as far as it was said; what was said of a wall that jumped is void."""
        if self._told is None:
            return timedelta(0)
        by, offset = self._told
        if abs(_against(wall, time.monotonic()) - offset) < JUMP:
            return by
        self._told, self._asked_at = None, -ASK_EVERY_S
        return timedelta(0)


def _against(wall: datetime, mono: float) -> timedelta:
    """The wall against seconds that never jump."""
    return wall - datetime.fromtimestamp(0, UTC) - timedelta(seconds=mono)


class SteadyTime:
    """Time for facts, which never runs backwards, and whether to believe it.

    A wall behind the last fact stands still at that fact until it has caught up. A doubtful wall that is
    absurdly far ahead is not followed: from the last fact on the seconds are counted instead.
    """

    def __init__(self, clock: Clock, last: datetime | None) -> None:
        self._clock, self._last, self._since = clock, last, clock.monotonic()

    @property
    def last(self) -> datetime | None:
        """When the last fact happened."""
        return self._last

    @property
    def ahead(self) -> timedelta:
        """How far in the wall's future the last fact lies."""
        return self._last - self._clock.now() if self._last else timedelta(0)

    def now(self) -> datetime:
        """The time to write down now."""
        wall = self._clock.now()
        if self._last is None:
            return wall
        if wall - self._last > ABSURD and not self._clock.trusted():
            return self._last + timedelta(seconds=self._clock.monotonic() - self._since)
        return max(wall, self._last)

    def written(self, at: datetime) -> None:
        """A fact happened at this time."""
        if self._last is None or at > self._last:
            self._last, self._since = at, self._clock.monotonic()

    def trusted(self) -> bool:
        """False while the wall is not synchronised, or behind what was written."""
        behind = self._last is not None and self._clock.now() < self._last - JUMP
        return self._clock.trusted() and not behind


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
