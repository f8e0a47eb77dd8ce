"""Who speaks next on a bus. Pure: no time, no tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

__all__ = ["PASSED_BY", "Turns", "Urgency", "Waiting"]

OrderT = TypeVar("OrderT")

#: a unit that gives way gets the place of a poll again when so many went before it: on a line that is always
#: busy nobody would notice otherwise that it has returned
PASSED_BY = 8


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
    #: how many went before it although they came later or wanted less
    passed_by: int = 0


class Turns(Generic[OrderT]):
    """The queue of one bus. `gives_way(unit)`: its orders wait for all others, but not for ever."""

    def __init__(self, gives_way: Callable[[int], bool]) -> None:
        self._gives_way = gives_way
        self._waiting: list[Waiting[OrderT]] = []
        self._places = 0

    @property
    def any(self) -> bool:
        """True while somebody waits."""
        return bool(self._waiting)

    @property
    def living(self) -> bool:
        """True while a unit waits that does not give way."""
        return any(not self._gives_way(w.unit) for w in self._waiting)

    @property
    def pressing(self) -> bool:
        """True while a unit that does not give way waits with a call, or is owed an echo."""
        return any(w.urgency <= Urgency.CALL and not self._gives_way(w.unit) for w in self._waiting)

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

    def back(self, waiting: Waiting[OrderT]) -> None:
        """It was taken too early: it waits on, behind all who do not give way."""
        waiting.passed_by = 0
        self._waiting.append(waiting)

    def leave(self, waiting: Waiting[OrderT]) -> None:
        """Wait no longer."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def take(self) -> Waiting[OrderT] | None:
        """The next one, out of the queue."""
        if not self._waiting:
            return None
        best = min(self._waiting, key=self._rank)
        self._waiting.remove(best)
        for other in self._waiting:
            other.passed_by += self._gives_way(other.unit)
        return best

    def _rank(self, waiting: Waiting[OrderT]) -> tuple[bool, Urgency, int]:
        if not self._gives_way(waiting.unit):
            return False, waiting.urgency, waiting.place
        return waiting.passed_by < PASSED_BY, Urgency.POLL, waiting.place

    def clear(self) -> list[Waiting[OrderT]]:
        """Everybody, out of the queue."""
        everybody, self._waiting = self._waiting, []
        return everybody

    def _picture(self, owner: object) -> Waiting[OrderT] | None:
        if owner is None:
            return None
        return next((w for w in self._waiting if w.picture_of is owner), None)
