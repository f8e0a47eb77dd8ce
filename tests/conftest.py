"""What every test may use. Time stands still unless a test moves it."""

import os
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, settings

from hall_core.clock import FixedClock

# Shared machines are slow at times: an example may take long, it may not give another answer.
settings.register_profile(
    "quiethall", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quiethall")


def pytest_addoption(parser):
    parser.addoption("--all-cells", action="store_true", help="every cell of the matrix of outages")


@pytest.fixture
def clock() -> FixedClock:
    """A Monday morning, 09:30 in Shanghai."""
    return FixedClock(datetime(2026, 11, 23, 1, 30, tzinfo=UTC))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where everything can be installed a skip hides a feature: under CI it is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped under CI: {report.longrepr}"
    return report
