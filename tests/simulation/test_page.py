"""The page about what is promised names every check and every mutant there is, and no other."""

import re
from pathlib import Path

from tests.simulation.invariants import CHECKERS, WATCHED
from tests.simulation.mutants import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
#: the notes' list: what a queue over a lossy line has been got wrong by
OF_THE_NOTES = {
    "resumes-from-the-last-synced-number",
    "a-lease-ends-by-the-clock",
    "zone-of-the-dead-box-is-reclaimed",
    "the-day-is-what-the-clock-shows",
    "acknowledged-before-the-flush",
    "no-request-ids",
    "no-merge-rule",
    "no-stream-order",
    "no-dedup",
    "blind-retries-of-messages",
    "no-second-copy",
    "grants-without-an-address",
}


def rows(heading):
    table = PAGE.split(heading)[1].split("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines() if "|" in row][
        1:
    ]


def test_every_promise_on_the_page_is_checked_and_every_check_is_on_the_page():
    named = {code for row in rows("| | promise | checked as |\n") for code in re.split(r", ", row[0])}
    # two functions look after what people outside hold, one after numbers that rise and miss none
    assert named == {*CHECKERS, *WATCHED, "I10"}
    assert {f"I{n}" for n in range(1, 14)} <= named


def test_what_is_seen_on_the_way_is_told_by_its_code():
    sources = "".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("*.py"))
    told = set(re.findall(r'wrong\(\s*"([\w]+)"', sources))
    assert set(WATCHED) <= told <= {*WATCHED, *CHECKERS}


def test_every_mutant_is_on_the_page_with_the_promises_it_breaks():
    table = {
        row[0].strip("`"): (row[1], set(row[2].split(", "))) for row in rows("when this promise breaks |\n")
    }
    assert table == {name: (mutant.about, set(mutant.breaks)) for name, mutant in MUTANTS.items()}


def test_every_mutant_of_the_notes_is_there():
    assert MUTANTS.keys() >= OF_THE_NOTES
