"""What must hold of sets, as Jepsen checks it: every number once, everything that went in comes out.

One module for the simulation, the tests with real programs and the demo's report.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

__all__ = ["SetFull", "TotalQueue", "set_full", "total_queue", "unique_ids"]


def unique_ids(given: Iterable[T]) -> dict[T, int]:
    """What was given more than once, and how often."""
    return {item: n for item, n in Counter(given).items() if n > 1}


@dataclass(frozen=True, slots=True)
class TotalQueue(Generic[T]):
    """`lost` went in and never came out, `unexpected` came out and never went in, `duplicated` came again."""

    lost: tuple[T, ...] = ()
    unexpected: tuple[T, ...] = ()
    duplicated: tuple[T, ...] = ()

    @property
    def ok(self) -> bool:
        return not (self.lost or self.unexpected or self.duplicated)


def total_queue(attempted: Iterable[T], acknowledged: Iterable[T], received: Sequence[T]) -> TotalQueue[T]:
    """What was acknowledged must come out, once; what was only attempted may."""
    out, may = Counter(received), set(attempted)
    must = list(dict.fromkeys(acknowledged))
    may.update(must)
    return TotalQueue(
        lost=tuple(item for item in must if item not in out),
        unexpected=tuple(item for item in out if item not in may),
        duplicated=tuple(item for item, n in out.items() if n > 1),
    )


@dataclass(frozen=True, slots=True)
class SetFull(Generic[T]):
    """`stable` are seen at the end, `lost` were seen and then not any more, `never_read` were never seen."""

    stable: tuple[T, ...] = ()
    lost: tuple[T, ...] = ()
    never_read: tuple[T, ...] = field(default=())


def set_full(added: Iterable[T], reads: Sequence[Iterable[T]]) -> SetFull[T]:
    """What became of every element that was added, by the pictures read one after the other."""
    pictures = [set(read) for read in reads]
    ever, last = set().union(*pictures), pictures[-1] if pictures else set()
    items = list(dict.fromkeys(added))
    return SetFull(
        stable=tuple(item for item in items if item in last),
        lost=tuple(item for item in items if item in ever and item not in last),
        never_read=tuple(item for item in items if item not in ever),
    )
