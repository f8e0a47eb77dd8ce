"""Two thousand generated histories of the real classes: whatever goes wrong, the promises are kept."""

import pytest

from tests.simulation.run import repeat
from tests.simulation.world import simulate

SEEDS = 2_000
CHUNK = 20
FAULTS = ("agent", "centre", "broker", "line", "reset", "weather", "clock", "night", "replace", "full")
#: so many chunks belong to the fast tests
FAST = 3


def chunks():
    for first in range(0, SEEDS, CHUNK):
        yield pytest.param(first, marks=[] if first < FAST * CHUNK else [pytest.mark.slow])


@pytest.mark.parametrize("first", list(chunks()))
def test_whatever_goes_wrong_every_promise_is_kept(first):
    broken = []
    for seed in range(first, first + CHUNK):
        found = simulate(seed).violations
        if found:
            broken.append(f"{repeat(seed)}\n  " + "\n  ".join(map(str, found[:5])))
    assert not broken, "\n".join(["broken promises; each history is told again by its command:", *broken])


def test_the_worlds_are_rough_enough_to_prove_something():
    counts = {}
    for seed in range(CHUNK):
        for name, n in simulate(seed).counts.items():
            counts[name] = counts.get(name, 0) + n
    assert counts["tickets"] > 25 * CHUNK
    assert counts["calls"] > 2 * CHUNK
    for fault in FAULTS:
        assert counts.get(fault, 0) >= 2, f"{fault} hardly ever happens"
