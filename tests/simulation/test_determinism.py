"""One seed is one history, here and in another process: otherwise a failure could not be looked at twice."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.world import simulate

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", [1, 9, 37])
def test_the_same_seed_gives_the_same_history(seed):
    first, again = simulate(seed), simulate(seed)
    assert first.history == again.history
    assert first.digest == again.digest


def test_another_seed_gives_another_history():
    assert simulate(1).digest != simulate(2).digest


def test_another_process_with_other_hashes_tells_the_same_history():
    said = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation.run", "--seed", "9"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        ).stdout
        for hashes in ("1", "4711")
    ]
    assert said[0] == said[1]
    assert re.search(r"history [0-9a-f]{16}$", said[0], flags=re.MULTILINE)
    assert simulate(9).digest in said[0]
