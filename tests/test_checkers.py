"""The checkers themselves: each sees what it is for, and nothing else."""

from simulators.checkers import set_full, total_queue, unique_ids


def test_what_was_given_twice_is_named_with_how_often():
    assert unique_ids(["A001", "A002", "A001"]) == {"A001": 2}
    assert unique_ids([]) == {}


def test_what_was_acknowledged_and_did_not_come_out_is_lost():
    assert total_queue(["a", "b", "c"], ["a", "b"], ["a"]).lost == ("b",)
    assert total_queue(["a", "b"], ["a"], ["b", "a"]).ok


def test_what_came_out_twice_or_never_went_in_is_named():
    found = total_queue(["a"], ["a"], ["a", "a", "z"])
    assert (found.duplicated, found.unexpected, found.lost) == (("a",), ("z",), ())


def test_an_element_that_is_seen_and_then_not_any_more_is_lost():
    found = set_full(["a", "b", "c"], [["a", "b"], ["a"]])
    assert (found.stable, found.lost, found.never_read) == (("a",), ("b",), ("c",))
