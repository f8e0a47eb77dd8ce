"""On days as halls live them, what people were told holds for four of five; and it is told quickly."""

import pytest

from bench.lived_days import SIZES, live


@pytest.mark.parametrize("size", SIZES)
def test_four_of_five_ranges_hold(size: str) -> None:
    promises = [p for seed in (101, 102, 103) for p in live(size, seed)]
    told = [p for p in promises if p.high is not None and p.high > 5]
    assert len(told) > 100
    assert sum(p.held for p in told) / len(told) >= 0.8


@pytest.mark.parametrize("size", SIZES)
def test_ranges_are_narrow_enough_to_be_of_use(size: str) -> None:
    told = [p for p in live(size, 104) if p.high is not None and p.high > 5]
    width = sum(p.high - p.low for p in told) / len(told)
    assert width <= 1.5 * max(10, sum(p.waited for p in told) / len(told))
