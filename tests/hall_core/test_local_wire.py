"""The wire inside a hall: its topics, its ages, and the golden messages of docs/local-wire.md."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import WireError
from hall_core.wire import local
from hall_core.wire.envelope import Message, decode, encode
from hall_core.wire.local import LOCAL_TOPICS, Ages, LocalLeaf, local_place, local_topic

PAPER = (Path(__file__).parents[2] / "docs" / "local-wire.md").read_text("utf-8")
GOLDEN = re.findall(r"^`(qhl/\S+)`\n```json\n(.*)\n```", PAPER, flags=re.MULTILINE)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
KINDS: dict[LocalLeaf, type[Message]] = {row.leaf: getattr(local, row.message) for row in LOCAL_TOPICS}


def test_every_leaf_is_in_the_table_and_in_the_paper() -> None:
    assert [row.leaf for row in LOCAL_TOPICS] == [*LocalLeaf]
    for row in LOCAL_TOPICS:
        device = "" if row.leaf is LocalLeaf.BOX else "/{device}"
        (line,) = [
            x for x in PAPER.splitlines() if x.startswith(f"| `qhl/1/{{box}}/{row.leaf.value}{device}`")
        ]
        retained = "yes" if row.retain else "no"
        assert re.match(
            rf"\| \S+ \| {row.sender.replace('satellite', 'box')} \| {retained}.*`{row.message}`", line
        )


def test_every_message_has_a_golden_one() -> None:
    assert {local_place(full)[1] for full, _ in GOLDEN} == {*LocalLeaf}


@pytest.mark.parametrize(("full", "body"), GOLDEN)
def test_a_golden_message_is_read_and_written_again(full: str, body: str) -> None:
    _, leaf, _ = local_place(full)
    read = decode(KINDS[leaf], body.encode())
    written = json.loads(encode(read))
    golden = json.loads(body)
    assert written | golden == written, "everything in the paper is kept"
    assert {k: v for k, v in written.items() if k not in golden} in ({}, {"version": "", "devices": []})


@given(box=NAMES, device=NAMES, leaf=st.sampled_from([x for x in LocalLeaf if x is not LocalLeaf.BOX]))
def test_a_topic_goes_there_and_back(box: str, device: str, leaf: LocalLeaf) -> None:
    assert local_place(local_topic(box, leaf, device)) == (box, leaf, device)
    assert local_place(local_topic(box, LocalLeaf.BOX)) == (box, LocalLeaf.BOX, "")


@pytest.mark.parametrize(
    "full",
    [
        "",
        "qhl/1/kiosk-1/up/box/printer",
        "qhl/1/kiosk-1/up/health",
        "qhl/1/kiosk-1/up/health/",
        "qhl/1/kiosk-1/up/gossip/printer",
        "qhl/2/kiosk-1/up/box",
        "qhl/1/+/up/box",
        "qhl/1/Kiosk/up/box",
        "qhl/1/kiosk-1/down/show/+",
        "qh/1/kiosk-1/up/box",
    ],
)
def test_a_foreign_topic_is_refused(full: str) -> None:
    with pytest.raises(WireError, match="not in the table"):
        local_place(full)


@given(st.text(max_size=60))
def test_whatever_the_topic_nothing_but_a_wire_error_is_raised(full: str) -> None:
    try:
        local_place(full)
    except WireError:
        return


@pytest.mark.parametrize(
    ("box", "device"), [("Box", "a"), ("box", ""), ("box", "a/b"), ("", "a"), ("#", "a")]
)
def test_a_name_that_is_none_is_refused(box: str, device: str) -> None:
    with pytest.raises(WireError, match="names are"):
        local_topic(box, LocalLeaf.SHOW, device)
    with pytest.raises(WireError, match="names are"):
        local_topic("box", LocalLeaf.BOX, "printer")


def test_a_message_is_as_old_as_it_took_longer_than_the_fastest() -> None:
    ages = Ages()
    assert ages.age("a", sent=100.0, heard=7.0) == 0
    assert ages.age("a", sent=101.0, heard=8.5) == pytest.approx(0.5, abs=0.01)
    assert ages.age("a", sent=102.0, heard=8.9) == 0
    assert ages.age("a", sent=103.0, heard=19.9) == pytest.approx(10, abs=0.01)
    assert ages.age("b", sent=0.0, heard=20.0) == 0, "another life has a clock of its own"


def test_clocks_of_unlike_speed_make_no_message_old() -> None:
    ages = Ages()
    worst = max(ages.age("a", sent=float(s), heard=s * 1.0001) for s in range(0, 400_000, 50))
    assert worst < 0.1


def test_only_some_lives_are_remembered() -> None:
    ages = Ages()
    for life in range(100):
        ages.age(str(life), 0, 0)
    assert len(ages._fastest) == Ages.LIVES
