"""Halls by how satisfied their citizens are, pure.

A hall is placed by the lower end of its Wilson interval: the share of satisfied citizens that it has at
least, as far as so few or so many ratings can tell (95 %). A small hall is not put above a large one by
luck; and one with hardly any ratings is not put below it for having few: it has no place.

Only ratings that somebody gave are counted. Visits nobody rated are counted apart, whatever the district
takes them for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

__all__ = ["FEWEST", "SATISFIED", "HallFigures", "interval", "ranking"]

#: 基本满意 and better
SATISFIED = 3
#: a hall with fewer ratings has no place
FEWEST = 10
#: two-sided 95 %
Z = 1.959963984540054


@dataclass(slots=True)
class HallFigures:
    """What is counted for one hall. `silent` are visits that ended long ago and nobody rated."""

    hall: str
    scores: dict[int, int] = field(default_factory=dict)
    finished: int = 0
    rated: int = 0
    silent: int = 0
    cases: int = 0
    due: int = 0
    in_time: int = 0


def interval(good: int, n: int) -> tuple[float, float]:
    """The Wilson interval of a share: where it lies with 95 % certainty. Of none nothing is known."""
    if n == 0:
        return 0.0, 1.0
    share, square = good / n, Z * Z
    middle = share + square / (2 * n)
    spread = Z * sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = (middle - spread) / (1 + square / n), (middle + spread) / (1 + square / n)
    return max(0.0, low), min(1.0, high)


def ranking(figures: Iterable[HallFigures], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row for each hall: those with a place first, the best first; then the others, most rated first."""
    rows = [_row(one, names.get(one.hall, one.hall)) for one in figures]
    rows.sort(key=lambda row: (-row["satisfied_low"], -row["n"], row["hall"]))
    placed = [row for row in rows if row["n"] >= FEWEST]
    others = sorted((row for row in rows if row["n"] < FEWEST), key=lambda row: (-row["n"], row["hall"]))
    for place, row in enumerate(placed, start=1):
        # Who cannot be told apart shares the place.
        before = placed[place - 2] if place > 1 else None
        same = before is not None and (before["satisfied_low"], before["n"]) == (
            row["satisfied_low"],
            row["n"],
        )
        row["rank"] = before["rank"] if same and before is not None else place
    return placed + others


def _row(one: HallFigures, name: str) -> dict[str, Any]:
    n = sum(one.scores.values())
    good = sum(count for score, count in one.scores.items() if score >= SATISFIED)
    low, high = interval(good, n)
    return {
        "rank": None,
        "hall": one.hall,
        "name": name,
        "n": n,
        "scores": {str(score): one.scores.get(score, 0) for score in (5, 4, 3, 2, 1)},
        "average": _share(sum(score * count for score, count in one.scores.items()), n, 2),
        "satisfied": _share(good, n),
        "satisfied_low": round(low, 4),
        "satisfied_high": round(high, 4),
        "visits": one.finished,
        "response_rate": _share(one.rated, one.finished),
        "unrated_long_ago": one.silent,
        "cases": one.cases,
        "answered_in_time": _share(one.in_time, one.due),
    }


def _share(part: float, whole: int, digits: int = 4) -> float | None:
    """None where there is nothing to take a share of."""
    return round(part / whole, digits) if whole else None
