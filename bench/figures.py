"""One measured figure, its baseline from the same run and its target."""

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Figure", "Target", "figure", "percentile", "spread", "unmeasured"]


@dataclass(frozen=True, slots=True)
class Target:
    """Bounds on the value and on its ratio to the baseline; all that are given must hold."""

    most: float | None = None
    least: float | None = None
    ratio_most: float | None = None
    ratio_least: float | None = None

    def text(self, unit: str) -> str:
        """The target as people read it."""
        parts = [
            (self.ratio_most, "≤ {:g} ×"),
            (self.ratio_least, "≥ {:g} ×"),
            (self.most, "≤ {:,g} " + unit),
            (self.least, "≥ {:,g} " + unit),
        ]
        return ", ".join(form.format(bound).strip() for bound, form in parts if bound is not None)

    def met(self, value: float, ratio: float | None) -> bool:
        """True when every bound holds; a bound on a ratio that does not exist does not hold."""
        low, high = float("-inf"), float("inf")
        return (
            value <= (high if self.most is None else self.most)
            and value >= (low if self.least is None else self.least)
            and (self.ratio_most is None or (ratio is not None and ratio <= self.ratio_most))
            and (self.ratio_least is None or (ratio is not None and ratio >= self.ratio_least))
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `broken` says what was lost or doubled: that fails the whole run."""

    row: str
    value: float | None
    unit: str
    baseline: float | None
    ratio: float | None
    target: str
    met: bool
    note: str = ""
    broken: list[str] = field(default_factory=list)


def figure(
    row: str,
    value: float,
    unit: str,
    target: Target,
    *,
    baseline: float | None = None,
    note: str = "",
    broken: Sequence[str] = (),
) -> Figure:
    """Compare a value with its baseline and its target."""
    ratio = value / baseline if baseline else None
    return Figure(
        row=row,
        value=round(value, 3),
        unit=unit,
        baseline=None if baseline is None else round(baseline, 3),
        ratio=None if ratio is None else round(ratio, 3),
        target=target.text(unit),
        met=target.met(value, ratio) and not broken,
        note=note,
        broken=list(broken),
    )


def unmeasured(row: str, error: BaseException) -> Figure:
    """A row that could not be measured: no figure, and the run fails."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    first = (str(error).strip().splitlines() or [""])[0]
    why = f"could not be measured: {type(error).__name__} {first}".rstrip()
    return Figure(row, None, "", None, None, "", met=False, broken=[why])


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value that `percent` % of the samples do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered) + 0.5) - 1))]


def spread(samples: Sequence[float]) -> str:
    """A few words about how samples in seconds are spread, in ms."""
    shown = ((name, percentile(samples, p) * 1000) for name, p in (("p50", 50), ("p99", 99), ("max", 100)))
    return ", ".join(f"{name} {ms:.2f}" for name, ms in shown) + f" ms ({len(samples)} samples)"
