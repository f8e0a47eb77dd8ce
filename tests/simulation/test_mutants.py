"""The product broken on purpose: a simulation that does not notice proves nothing."""

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import repeat, run_with
from tests.simulation.world import STEPS

SEEDS = 50


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_every_mutant_is_caught_within_fifty_seeds(name):
    seen = set()
    for seed in range(SEEDS):
        codes = {violation.code for violation in run_with(seed, STEPS, name).violations}
        if codes & MUTANTS[name].breaks:
            return
        seen |= codes
    pytest.fail(
        f"{MUTANTS[name].about}: not caught, seen only {seen or 'nothing'}; try {repeat(0, STEPS, name)}"
    )


def test_a_mutant_leaves_nothing_behind():
    before = run_with(3, STEPS, "").digest
    for name in MUTANTS:
        with MUTANTS[name].applied():
            pass
    assert run_with(3, STEPS, "").digest == before
