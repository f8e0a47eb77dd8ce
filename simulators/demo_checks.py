"""Pure checks after Jepsen's `unique-ids` and `total-queue`: nothing twice, nothing lost."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeVar

__all__ = ["contains_label", "percentile", "total_queue", "unique_ids"]

T = TypeVar("T", bound=Hashable)


def unique_ids(ids: Iterable[T]) -> dict[T, int]:
    """Every id that stands more than once, with how often."""
    return {key: count for key, count in Counter(ids).items() if count > 1}


def total_queue(acknowledged: Iterable[T], found: Iterable[T]) -> list[T]:
    """What was acknowledged and is not found, each once, in order: it is lost."""
    there = set(found)
    return [key for key in dict.fromkeys(acknowledged) if key not in there]


def contains_label(text: str, label: str) -> bool:
    """True when a text shows this label and not only a longer one it is part of."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(label)}(?![0-9])", text) is not None


def percentile(values: Iterable[float], share: float) -> float | None:
    """The value that `share` (0…1) of all values do not exceed; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]
