"""What the acceptance tests need of the machine."""

import os
import random

import pytest

from simulators.broker import find_mosquitto
from tests.acceptance.syscalls import evenly


@pytest.fixture
def mosquitto():
    """Mosquitto's path. Missing it is a skip for a person and a failure for CI."""
    found = find_mosquitto()
    if found is None:
        missing = "Mosquitto is missing: apt-get install mosquitto"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return found


@pytest.fixture
def sample(request, record_property):
    """`sample(calls, call, n)`: n of the calls that were counted, evenly; each with `--all-cells` or without n."""
    seed = random.SystemRandom().randrange(2**32)
    record_property("seed", seed)
    print(f"seed {seed}")  # noqa: T201 - repeats what failed
    offset = random.Random(seed).random()

    def chosen(calls, call, number=None):
        assert calls[call], f"{call} was never called: {dict(calls)}"
        every = [(call, k) for k in range(1, calls[call] + 1)]
        whole = number is None or request.config.getoption("--all-cells")
        return every if whole else evenly(every, number, offset)

    return chosen
