"""An answer that is worked out once for everybody who asks within a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from hall_core.clock import Clock

__all__ = ["Kept"]

T = TypeVar("T")


#: making takes one part in so many of the time at most, however many ask
REST = 20


class Kept(Generic[T]):
    """Keeps a value for so many seconds, longer when it takes long to make; who comes while it is being
    made waits for it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._made: tuple[float, T] | None = None
        self._making = asyncio.Lock()

    async def get(self, clock: Clock, make: Callable[[], Awaitable[T]]) -> T:
        """The value, not older than agreed."""
        async with self._making:
            if self._made is None or clock.monotonic() >= self._made[0]:
                began = clock.monotonic()
                value = await make()
                took = clock.monotonic() - began
                self._made = (began + max(self._seconds, REST * took), value)
            return self._made[1]
