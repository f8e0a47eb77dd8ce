"""Wakes one worker."""

import asyncio

__all__ = ["Bell"]


class Bell:
    """Rung by whoever made work; many rings before the worker listens are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """There is work."""
        self._event.set()

    async def heard(self, seconds: float) -> None:
        """Until it is rung, or `seconds` have passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
