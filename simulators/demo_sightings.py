"""What the simulated devices were seen to show, with the moment, since the demo began."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hall_core.clock import Clock
from simulators.device import SimDevice
from simulators.hall import SimulatedHall

__all__ = ["Sighting", "Sightings"]

#: kinds of devices on which citizens read a number by itself; what a display shows comes over its input
_TELLS_CALLS = ("strip", "keypad", "board", "printer")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device showed this from `at` on; `text` is all of it as one string."""

    at: datetime
    text: str
    #: a key-pad's own field for the number called: three digits without the letter
    digits: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    hall: str
    family: str
    kind: str
    counter: str | None


class Sightings:
    """Looks at every device of the halls from the moment it is made; forgets nothing."""

    def __init__(self, halls: Iterable[SimulatedHall], clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[_Seen, list[Sighting]] = defaultdict(list)
        self.families: dict[str, set[str]] = defaultdict(set)
        for hall in halls:
            for device in hall.devices.values():
                self._watch(hall.hall.hall, device)

    def at_counter(self, hall: str, counter: str) -> dict[tuple[str, str], list[Sighting]]:
        """Sightings of each device at a counter, by `(kind, family)`, in order of time."""
        return self._by_kind(lambda who: (who.hall, who.counter) == (hall, counter))

    def in_hall(self, hall: str) -> dict[tuple[str, str], list[Sighting]]:
        """Sightings of the devices that belong to no counter, by `(kind, family)`."""
        return self._by_kind(lambda who: (who.hall, who.counter) == (hall, None))

    def _by_kind(self, fits: Callable[[_Seen], bool]) -> dict[tuple[str, str], list[Sighting]]:
        return {(who.kind, who.family): seen for who, seen in self._seen.items() if fits(who)}

    def _watch(self, hall: str, device: SimDevice) -> None:
        who = _Seen(hall, device.family, device.kind, device.setup.counter)
        if device.kind not in _TELLS_CALLS:
            return
        self.families[hall].add(device.family)

        def note(_device: SimDevice, shows: dict[str, Any]) -> None:
            digits = str(shows.get("ticket", "")) if device.kind == "keypad" else None
            self._seen[who].append(Sighting(self._clock.now(), " | ".join(_texts(shows)), digits))

        device.on_show = note


def _texts(shows: Any) -> Iterator[str]:
    if isinstance(shows, dict):
        shows = list(shows.values())
    if isinstance(shows, list | tuple):
        for part in shows:
            yield from _texts(part)
    elif shows is not None:
        yield str(shows)
