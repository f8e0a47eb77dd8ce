"""Clocks of simulated machines: the wall may be wrong and may be doubted, monotonic time may not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.simulation.loop import VirtualLoop

#: no wall clock of a computer says anything else
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)


@dataclass(slots=True)
class TrueTime:
    """What time it really is. `skipped` are nights nobody waits for."""

    loop: VirtualLoop
    start: datetime
    skipped: float = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.loop.time() + self.skipped)


@dataclass(slots=True)
class SimClock:
    """A machine's clock: `error_s` away from the truth."""

    true: TrueTime
    error_s: float = 0.0
    synchronised: bool = True
    was_wrong: bool = False

    def now(self) -> datetime:
        return max(FIRST, min(LAST, self.true.now() + timedelta(seconds=self.error_s)))

    def monotonic(self) -> float:
        return self.true.loop.time()

    def trusted(self) -> bool:
        return self.synchronised

    def show(self, wall: datetime, *, trusted: bool) -> None:
        """From now on the wall says this."""
        self.error_s = (wall - self.true.now()).total_seconds()
        self.synchronised, self.was_wrong = trusted, True

    def correct(self) -> None:
        """Synchronised with the truth."""
        self.error_s, self.synchronised = 0.0, True
