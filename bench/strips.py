"""Strip simulators in the measuring process: they note on its clock when a text became visible."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from hall_core.clock import SystemClock
from hall_core.devices.layout import HallFile
from simulators.device import SimDevice
from simulators.hall import SimulatedHall

__all__ = ["Strips", "watched_strips"]


class Strips:
    """`when` waits for a text on a strip and says at what perf_counter time it was first seen."""

    def __init__(self, devices: dict[str, SimDevice]) -> None:
        self._first_seen: dict[tuple[str, str], float] = {}
        self._changed = asyncio.Event()
        self.names = list(devices)
        for device in devices.values():
            device.on_show = self._showed

    def _showed(self, device: SimDevice, shows: dict[str, Any]) -> None:
        self._first_seen.setdefault((device.name, shows["text"]), perf_counter())
        self._changed.set()

    async def when(self, name: str, text: str) -> float:
        """Raises TimeoutError when it is not seen within 10 s."""
        async with asyncio.timeout(10):
            while (name, text) not in self._first_seen:
                self._changed.clear()
                await self._changed.wait()
        return self._first_seen[name, text]

    def forget(self) -> None:
        """Start anew, so that a text may be shown again."""
        self._first_seen.clear()


@asynccontextmanager
async def watched_strips(layout: HallFile) -> AsyncIterator[Strips]:
    """Serve every strip of a hall at its address."""
    simulated = SimulatedHall(layout, SystemClock())
    async with simulated:
        yield Strips(simulated.devices)
