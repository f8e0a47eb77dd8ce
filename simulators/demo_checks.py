"""What the demo's report looks for beside the checkers: what is lost, what is shown, how long it took."""

import re
from collections.abc import Hashable, Iterable
from typing import TypeVar

from simulators.checkers import total_queue

__all__ = ["contains_label", "missing", "percentile"]

T = TypeVar("T", bound=Hashable)


def missing(acknowledged: Iterable[T], found: Iterable[T]) -> tuple[T, ...]:
    """What was acknowledged and is not found, each once, in order: it is lost."""
    return total_queue((), acknowledged, list(found)).lost


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
