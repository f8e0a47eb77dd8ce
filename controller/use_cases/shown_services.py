"""What halls' services look like to whoever asks, worked out once for all of them."""

from datetime import datetime
from typing import Any

from hall_core.queueing.queue import Queue
from hall_core.queueing.summary import services_summary

__all__ = ["ShownServices"]

Row = dict[str, Any]


class ShownServices:
    """Worked out anew when the hall's queue has changed, and every second: estimates go with the time."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Queue, datetime, list[Row]]] = {}

    def of(self, hall: str, queue: Queue, now: datetime) -> list[Row]:
        """As `services_summary`; the same rows for all, not to be changed. `now` is the hall's time."""
        second = now.replace(microsecond=0)
        known = self._kept.get(hall)
        # A queue never changes: every fact makes another one.
        if known is None or known[0] is not queue or known[1] != second:
            known = self._kept[hall] = queue, second, services_summary(queue, now)
        return known[2]
