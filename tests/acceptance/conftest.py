"""What the acceptance tests need of the machine."""

import os

import pytest

from simulators.broker import find_mosquitto


@pytest.fixture
def mosquitto():
    """Mosquitto's path. Missing it is a skip for a person and a failure for CI."""
    found = find_mosquitto()
    if found is None:
        missing = "Mosquitto is missing: apt-get install mosquitto"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return found
