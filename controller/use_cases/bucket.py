"""How often something may happen: so many at once, so many a second."""

from hall_core.clock import Clock

__all__ = ["Bucket"]


class Bucket:
    """`try_take` takes a token if there is one; `wait_s` says how long until there is."""

    def __init__(self, clock: Clock, *, per_s: float, burst: int) -> None:
        self._clock, self._per_s, self._burst = clock, per_s, burst
        self._tokens, self._at = float(burst), clock.monotonic()

    def try_take(self) -> bool:
        """One token if there is one."""
        self._tokens, self._at = self._now()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def hold(self, seconds: float) -> None:
        """No token for so long: whoever gives them out asked for less."""
        self._tokens, self._at = 0.0, self._clock.monotonic() + seconds

    def wait_s(self) -> float:
        """How long until there is a token."""
        tokens, at = self._now()
        return max(0.0, (1 - tokens) / self._per_s) + max(0.0, at - self._clock.monotonic())

    def full(self) -> bool:
        """True when nothing was taken for a while."""
        return self._now()[0] >= self._burst

    def _now(self) -> tuple[float, float]:
        now = self._clock.monotonic()
        tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_s)
        return tokens, max(now, self._at)
