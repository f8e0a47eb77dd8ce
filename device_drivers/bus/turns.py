"""Who speaks next on a bus. Pure: no time, no tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

__all__ = ["Turns", "Urgency", "Waiting"]

OrderT = TypeVar("OrderT")


class Urgency(IntEnum):
    """A smaller number goes first."""

    #: what a speaking device is waiting for
    ECHO = 0
    #: a number was called, a slip is wanted
    CALL = 1
    #: any other change of what is shown
    CLEAR = 2
    #: asking how a device is
    POLL = 3


@dataclass(slots=True, eq=False)
class Waiting(Generic[OrderT]):
    """One order waiting for its turn."""

    unit: int
    urgency: Urgency
    order: OrderT
    #: whose picture it is: of several pictures of one owner only the newest waits
    picture_of: object = None
    place: int = 0


class Turns(Generic[OrderT]):
    """The queue of one bus. `gives_way(unit)`: its orders wait until nobody else wants the wire."""

    def __init__(self, gives_way: Callable[[int], bool]) -> None:
        self._gives_way = gives_way
        self._waiting: list[Waiting[OrderT]] = []
        self._places = 0

    @property
    def any(self) -> bool:
        """True while somebody waits."""
        return bool(self._waiting)

    def join(self, new: Waiting[OrderT]) -> Waiting[OrderT] | None:
        """Line up. Returns the picture this one supersedes; the newcomer takes over its place and urgency."""
        self._places += 1
        new.place = self._places
        old = self._picture(new.picture_of)
        if old is not None:
            self._waiting.remove(old)
            new.place, new.urgency = old.place, min(old.urgency, new.urgency)
        self._waiting.append(new)
        return old

    def leave(self, waiting: Waiting[OrderT]) -> None:
        """Wait no longer."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def take(self) -> Waiting[OrderT] | None:
        """The next one, out of the queue."""
        if not self._waiting:
            return None
        best = min(self._waiting, key=lambda w: (self._gives_way(w.unit), w.urgency, w.place))
        self._waiting.remove(best)
        return best

    def clear(self) -> list[Waiting[OrderT]]:
        """Everybody, out of the queue."""
        everybody, self._waiting = self._waiting, []
        return everybody

    def _picture(self, owner: object) -> Waiting[OrderT] | None:
        if owner is None:
            return None
        return next((w for w in self._waiting if w.picture_of is owner), None)
