"""A token bucket: so many a second on average, a few more at once."""

import asyncio

from hall_core.clock import Clock

__all__ = ["Bucket"]


class Bucket:
    """`take` waits until there is a token."""

    def __init__(self, clock: Clock, *, per_s: float, burst: int) -> None:
        self._clock, self._per_s, self._burst = clock, per_s, burst
        self._tokens, self._at = float(burst), clock.monotonic()
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """One token; whoever came first goes first."""
        async with self._turn:
            if not self.try_take():
                await asyncio.sleep(self.wait_s())
                # The clocks of loop and bucket differ by a hair: the wait has paid for this token.
                self._tokens, self._at = 0.0, self._clock.monotonic()

    def try_take(self) -> bool:
        """One token if there is one."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_s(self) -> float:
        """How long until there is a token."""
        return max(0.0, (1 - self._tokens) / self._per_s)

    def full(self) -> bool:
        """True when nothing was taken for a while."""
        return self._tokens + (self._clock.monotonic() - self._at) * self._per_s >= self._burst
