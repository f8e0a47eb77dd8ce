"""Numbers of people in what people type: masked in words, refused in ids, and other numbers left alone."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from hall_core.personal import holds_number, mask_numbers, mask_phone
from hall_core.queueing.commands import Hold

phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
gaps = st.sampled_from(["", " ", "-", ".", "\u3000"])
# a place that does not exist: numbers of nobody
identities = st.builds(
    lambda year, month, day, rest, sign: f"999999{year}{month:02}{day:02}{rest:03}{sign}",
    *(st.integers(1900, 2029), st.integers(1, 12), st.integers(1, 28), st.integers(0, 999)),
    st.sampled_from("0123456789Xx"),
)
#: words around a number that are no part of one
around = st.text(alphabet="请打电话 call,。a", max_size=8)


def written(phone: str, gap: str, country: str) -> str:
    return f"{country}{phone[:3]}{gap}{phone[3:7]}{gap}{phone[7:]}"


@given(
    phone=phones, gap=gaps, country=st.sampled_from(["", "+86", "+86 ", "0086"]), before=around, after=around
)
def test_a_telephone_number_in_words_is_masked_however_it_is_written(phone, gap, country, before, after):
    masked = mask_numbers(f"{before}{written(phone, gap, country)}{after}")
    assert masked == f"{before}{mask_phone(phone)}{after}"
    assert phone not in re.sub(r"\D", "", masked)


@given(number=identities, before=around, after=around)
def test_an_identity_number_in_words_is_masked(number, before, after):
    assert mask_numbers(f"{before}{number}{after}") == f"{before}{number[:6]}********{after}"


@given(phone=phones)
def test_what_is_masked_once_stays_as_it_is(phone):
    once = mask_numbers(f"电话{phone}")
    assert mask_numbers(once) == once


@given(digits=st.from_regex(r"[0-9]{1,10}", fullmatch=True))
def test_short_numbers_are_nobodys(digits):
    assert mask_numbers(f"A{digits}") == f"A{digits}"
    assert not holds_number(digits)


@given(phone=phones, mark=st.sampled_from(["-", "_", ".", ":", "/"]))
def test_an_id_that_is_or_has_somebodys_number_is_known(phone, mark):
    assert holds_number(phone)
    assert holds_number(f"+86{phone}")
    assert holds_number(f"take{mark}{phone}{mark}1")


@given(st.uuids())
def test_ids_of_programs_are_never_taken_for_numbers(made):
    assert not holds_number(str(made))


@given(st.from_regex(r"[0-9A-HJKMNP-TV-Z]{26}", fullmatch=True))
def test_sortable_ids_are_never_taken_for_numbers(made):
    assume(not made.isdigit())
    assert not holds_number(made)


def test_a_clerks_reason_is_masked_and_a_request_id_that_is_a_number_is_refused():
    phone = "138" + "0" * 8
    assert Hold(counter="1", reason=f"请打{phone}").reason == "请打138****0000"
    with pytest.raises(ValidationError) as refused:
        Hold(counter="1", request_id=phone)
    assert phone not in str(refused.value.errors(include_input=False))
