"""What is wrong with the box itself, as lines among the devices: disk, journal, mirror, clock.

A line is there while the trouble lasts; the centre raises an alarm for it and ends it.
"""

from collections.abc import Callable
from datetime import datetime

from hall_core.devices.vocabulary import DeviceState
from hall_core.wire.envelope import DeviceReport

__all__ = ["BoxHealth", "Trouble"]

#: state and sentence of what is wrong, None while nothing is
Trouble = Callable[[], tuple[DeviceState, str] | None]


class BoxHealth:
    """`reports` asks every part of the box; `since` stays while a trouble lasts."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._parts: dict[str, Trouble] = {}
        self._since: dict[tuple[str, str], str] = {}

    def watch(self, name: str, trouble: Trouble) -> None:
        """Ask this part, too."""
        self._parts[name] = trouble

    def reports(self) -> list[DeviceReport]:
        """A line for each part that has a trouble."""
        found = []
        for name, ask in self._parts.items():
            trouble = ask()
            if trouble is None:
                self._since = {key: at for key, at in self._since.items() if key[0] != name}
                continue
            state, detail = trouble
            since = self._since.setdefault((name, state.value), self._now().isoformat())
            found.append(
                DeviceReport(
                    name=f"box-{name}",
                    kind="box",
                    profile=f"box.{name}",
                    state=state.value,
                    since=since,
                    detail=detail,
                )
            )
        return found
