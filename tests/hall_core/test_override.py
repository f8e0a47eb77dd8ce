"""Codes read out on the telephone: for one hall, one box and some days, and for nobody else."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hall_core.errors import OverrideInvalid
from hall_core.queueing.override import LONGEST_DAYS, Override, box_tail, read_code, write_code

KEY = bytes(range(32))
TODAY = date(2026, 11, 23)
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

tails = st.text(LETTERS, min_size=8, max_size=8)


@st.composite
def overrides(draw) -> Override:
    first = TODAY + timedelta(days=draw(st.integers(-20, 100)))
    days = timedelta(days=draw(st.integers(0, LONGEST_DAYS - 1)))
    return Override("haitang", draw(tails), draw(st.integers(0, 98)), first, first + days)


def read(code, said, *, key=KEY, hall=None, tail=None, today=None):
    today = today or max(TODAY, said.first_day)
    return read_code(code, key, hall=hall or said.hall, tail=tail or said.tail, today=today)


def example(**changes):
    values = {"hall": "haitang", "tail": "7K3M9QXZ", "zone": 1, "first_day": TODAY, "last_day": TODAY}
    return Override(**{**values, **changes})


@given(overrides())
def test_a_code_says_what_was_written(said):
    assume(said.last_day >= TODAY)
    code = write_code(said, KEY)
    assert len(code) == 14
    assert read(code, said) == said


@given(overrides(), st.sampled_from([str.lower, str.title, lambda c: c.replace("-", " "), "　".join]))
def test_a_code_may_be_typed_as_it_was_heard(said, heard):
    assume(said.last_day >= TODAY)
    typed = heard(write_code(said, KEY)).replace("0", "o").replace("1", "l")
    assert read(f" {typed} ", said) == said


@given(overrides(), st.integers(0, 11), st.sampled_from(LETTERS))
def test_a_code_with_one_other_character_is_refused(said, place, other):
    letters = list(write_code(said, KEY).replace("-", ""))
    assume(letters[place] != other and said.last_day >= TODAY)
    letters[place] = other
    with pytest.raises(OverrideInvalid):
        read("".join(letters), said)


@given(overrides(), tails, st.binary(min_size=32, max_size=32))
def test_another_box_another_hall_and_another_key_refuse_it(said, tail, key):
    assume(tail != said.tail and key != KEY and said.last_day >= TODAY)
    code = write_code(said, KEY)
    for other in ({"tail": tail}, {"hall": "yulan"}, {"key": key}):
        with pytest.raises(OverrideInvalid):
            read(code, said, **other)


@given(overrides(), st.integers(1, 5000))
def test_a_code_is_over_when_its_days_are_and_never_comes_back(said, later):
    with pytest.raises(OverrideInvalid):
        read(write_code(said, KEY), said, today=said.last_day + timedelta(days=later))


@given(st.text(max_size=20))
def test_whatever_is_typed_is_refused_politely(text):
    with pytest.raises(OverrideInvalid):
        read(text, example())


def test_the_form_of_codes_stays_what_boxes_in_halls_understand():
    assert write_code(example(last_day=TODAY + timedelta(days=6)), KEY) == "0B77-XKRG-5PP4"
    assert example().grant_id == "override-haitang-1-20261123-7K3M9QXZ"


def test_no_code_says_more_than_it_has_room_for():
    for wrong in (example(zone=99), example(last_day=TODAY + timedelta(days=30))):
        with pytest.raises(ValueError, match="no code says"):
            write_code(wrong, KEY)


def test_a_box_is_called_by_the_end_of_its_incarnation():
    assert box_tail("01KB00000000000000003M9QXZ") == "003M9QXZ"
    assert box_tail("7k3m 9qxz") == "7K3M9QXZ"


def test_the_longest_names_make_an_id_that_fits():
    assert len(example(hall="x" * 32, zone=98).grant_id) <= 64
