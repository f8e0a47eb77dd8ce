"""The report's checks find what they must find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.checkers import unique_ids
from simulators.demo_checks import contains_label, missing, percentile


def test_ids_that_stand_once_are_no_finding():
    assert unique_ids(["A001", "A002", "B001"]) == {}


def test_an_id_that_stands_twice_is_found_with_how_often():
    assert unique_ids(["A001", "A002", "A001", "A001"]) == {"A001": 3}


@given(st.lists(st.integers(0, 20)))
def test_unique_ids_finds_exactly_the_repeated_ones(ids):
    assert set(unique_ids(ids)) == {i for i in ids if ids.count(i) > 1}


def test_what_was_acknowledged_and_is_not_there_is_lost():
    assert missing(["a", "b", "c"], ["c", "a", "x"]) == ("b",)


@given(st.lists(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_missing_is_what_was_acknowledged_without_what_was_found(acknowledged, found):
    assert set(missing(acknowledged, found)) == set(acknowledged) - found


@pytest.mark.parametrize(
    ("text", "label", "there"),
    [
        ("请 A018 到 3 号窗口", "A018", True),
        ("3号窗口\nA018", "A018", True),
        ("请A018到3号窗口", "A018", True),
        ("A0181", "A018", False),
        ("BA018", "A018", False),
        ("A019", "A018", False),
        ("", "A018", False),
    ],
)
def test_a_label_is_found_only_as_itself(text, label, there):
    assert contains_label(text, label) is there


def test_percentiles_are_values_that_were_measured():
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) is None


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_percentile_is_not_exceeded_by_that_share(values, share):
    found = percentile(values, share)
    assert sum(v <= found for v in values) >= share * len(values) - 1e-9
