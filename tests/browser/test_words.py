"""The catalogues of both languages."""

from string import Formatter
from typing import Any

import pytest

from firmware_profiles import all_profiles
from hall_core.queueing.states import CounterState, TicketState
from hall_ui import words
from hall_ui.naming import in_words, together


def flat(catalogue: Any) -> dict[str, str]:
    return {f"{part}.{name}": text for part, names in catalogue.items() for name, text in names.items()}


def braces(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_words_with_the_same_braces() -> None:
    chinese, english = flat(words("zh")), flat(words("en"))
    assert chinese.keys() == english.keys()
    assert {k: braces(v) for k, v in chinese.items()} == {k: braces(v) for k, v in english.items()}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_state_has_a_word(lang: str) -> None:
    kept = words(lang)
    assert {s.value for s in TicketState} <= kept["ticket"].keys()
    assert {s.value for s in (*TicketState, *CounterState)} <= kept["state"].keys()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_of_device_has_a_word(lang: str) -> None:
    kinds = {profile.kind for profile in all_profiles().values()}
    assert kinds <= words(lang)["kinds"].keys()


@pytest.mark.parametrize(
    ("name", "chinese", "english"),
    [
        ("3号窗口", "3号窗口", "counter 3"),
        ("12", "12", "counter 12"),
        ("2楼咨询台", "2楼咨询台", "2楼咨询台"),
        ("", "", ""),
    ],
)
def test_a_counter_inside_a_sentence_is_named_in_the_readers_language(
    name: str, chinese: str, english: str
) -> None:
    assert (in_words(name, "zh"), in_words(name, "en")) == (chinese, english)


def test_counters_that_are_numbered_alike_share_one_word() -> None:
    assert together(["1号窗口", "3号窗口"], "zh") == "1、3号窗口"
    assert together(["1号窗口", "3号窗口"], "en") == "1, 3"
    assert together(["1号窗口", "咨询台"], "zh") == "1号窗口、咨询台"
