"""Tells any number of waiting tasks that something new is there."""

import asyncio

__all__ = ["Bell"]


class Bell:
    """Counts rings. A task that was busy while it rang does not wait: it compares counts.

    `also` rings along.
    """

    def __init__(self, also: "Bell | None" = None) -> None:
        self.count = 0
        self._also = also
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody."""
        self.count += 1
        event, self._event = self._event, asyncio.Event()
        event.set()
        if self._also:
            self._also.ring()

    async def wait_past(self, seen: int) -> int:
        """Return the count as soon as it is greater than `seen`."""
        while self.count <= seen:
            await self._event.wait()
        return self.count
