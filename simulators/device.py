"""One simulated device: its identity, what a visitor sees on it, its history, its faults and its keys.

What makes it a strip, a pad or a printer is its `Body`, the part a family file brings.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from simulators.faults import Faults, UnknownKey
from simulators.line import Line, Link

__all__ = ["HISTORY", "Body", "Family", "SimDevice", "rfc3339"]

#: how many past sights a device remembers
HISTORY = 1_000


def rfc3339(at: datetime) -> str:
    """Chinese wall time with microseconds and offset."""
    return at.astimezone(ZoneInfo("Asia/Shanghai")).isoformat(timespec="microseconds")


class Body(Protocol):
    """The family's part of a device. `keys` are the names of the keys it has."""

    @property
    def keys(self) -> tuple[str, ...]: ...

    def shows(self) -> dict[str, Any]:
        """What somebody in front of it sees now; JSON values only."""
        ...

    def press(self, key: str) -> None:
        """A key is pressed; only called with one of `keys`."""
        ...

    def power_cycle(self) -> None:
        """Forget what real hardware forgets without power."""
        ...

    def fault_changed(self, name: str, on: bool) -> None:
        """A fault went on or off."""
        ...


class Family(Protocol):
    """What a file of this folder offers for the family it is named after."""

    FAULTS: tuple[str, ...]

    def build_body(self, device: "SimDevice") -> Body: ...

    def build_talk(self, devices: tuple["SimDevice", ...], line: Line) -> "Talk": ...


class Talk(Protocol):
    """What the devices of one address hear and answer."""

    async def heard(self, link: Link, data: bytes) -> None:
        """Bytes came in, in any segmentation."""
        ...

    def lost(self, link: Link) -> None:
        """The other side hung up."""
        ...


class SimDevice:
    """A simulated device as testers and the demo see it. `on_show` is called right after it changed."""

    def __init__(
        self, setup: DeviceSetup, profile: Profile, family: Family, line: Line, clock: Clock, random: Random
    ) -> None:
        self.name = setup.name
        self.kind = profile.kind
        self.family = profile.family
        self.unit = setup.unit
        self.setup, self.profile, self.line = setup, profile, line
        self.clock, self.random = clock, random
        self.history: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self.on_show: Callable[[SimDevice, dict[str, Any]], None] = lambda _device, _shows: None
        #: told of everything that changes, also faults: for pages
        self.watchers: set[Callable[[SimDevice], None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self.faults = Faults(setup.name, family.FAULTS, clock)
        self.body = family.build_body(self)
        self.faults.changed = self._fault_changed

    @property
    def address(self) -> str:
        """Where it is served, with the real port when the hall file said port 0."""
        return self.line.address

    def shows(self) -> dict[str, Any]:
        """What somebody in front of it sees now."""
        return self.body.shows()

    def showed(self, shows: dict[str, Any] | None = None) -> None:
        """A body says: from now on this is seen. Goes into the history."""
        seen = self.shows() if shows is None else shows
        self.history.append({"at": rfc3339(self.clock.now()), "shows": seen})
        self.on_show(self, seen)
        self.changed()

    def fault(self, name: str, seconds: float | None = None) -> None:
        """Switch a fault on, for `seconds` or until cleared. Raises UnknownFault."""
        self.faults.switch_on(name, seconds)

    def clear(self, name: str | None = None) -> None:
        """End one fault or all."""
        self.faults.clear(name)

    def key(self, key: str) -> None:
        """Press a key. Raises UnknownKey."""
        if key not in self.body.keys:
            raise UnknownKey(device=self.name, key=key, known=", ".join(self.body.keys) or "-")
        self.body.press(key)
        self.changed()

    def changed(self) -> None:
        """It looks different now, or its faults do."""
        for watcher in [*self.watchers]:
            watcher(self)

    def alarm(self, seconds: float | None, ring: Callable[[], None] | None = None) -> None:
        """Call `ring` after a while, instead of what was set before; None: no more.

        Without `ring` the page is told that the device looks different now.
        """
        if self._alarm:
            self._alarm.cancel()
        self._alarm = None
        if seconds is not None:
            due = ring or self.changed
            self._alarm = asyncio.get_running_loop().call_later(seconds, due)

    def close(self) -> None:
        """Stop its timers."""
        self.alarm(None)
        self.faults.close()

    @property
    def dead(self) -> bool:
        """True while it neither hears nor speaks."""
        return self.faults.on("offline") or self.faults.on("power-cycle")

    def report(self, history: int = HISTORY) -> dict[str, Any]:
        """The tester's view of it (stable surface of the wall)."""
        past = list(self.history)
        return {
            "name": self.name,
            "kind": self.kind,
            "family": self.family,
            "profile": self.profile.id,
            "address": self.address,
            "unit": self.unit,
            "counter": self.setup.counter,
            "shows": self.shows(),
            "history": past[max(0, len(past) - history) :],
            "faults": self.faults.active(),
            "fault_kinds": list(self.faults.kinds),
            "keys": list(self.body.keys),
        }

    def _fault_changed(self, name: str, on: bool) -> None:
        if name == "power-cycle" and on:
            self.body.power_cycle()
            if not self.faults.timed(name):  # off and on again at once
                self.faults.clear(name)
                return
        self.body.fault_changed(name, on)
        self.line.device_changed()
        self.changed()
