"""What people and devices send by mistake is told as what it is, and nothing happens that nobody meant."""

import asyncio
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_agent.bell import Bell
from edge_agent.inputs import Inputs
from edge_agent.readers import Readers
from edge_agent.slips import Slips
from hall_core.clock import FixedClock
from hall_core.devices.vocabulary import CodeScanned, KeyOp, KeyPressed
from hall_core.errors import SlipInvalid, WireError
from hall_core.wire.envelope import decode
from hall_core.wire.local import Happened
from tests.edge_agent.conftest import hall_setup, issue, running
from tests.edge_agent.test_devices import place

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
LINK = "https://hall.example/t/" + "k" * 22
TOLD = {"found", "returned", "checked-in", "refused", "unknown", "damaged", "foreign"}
#: almost a code of this hall, or anything a scanner may type
CODES = st.one_of(
    st.text(max_size=60),
    st.from_regex(
        r"(https?://[a-z.]{1,8}/t/)?[A-Za-z0-9_-]{0,70}(#1(\.[A-Za-z0-9_-]{0,12}){0,9})?", fullmatch=True
    ),
    st.text(max_size=20).map(lambda tail: LINK + tail),
    st.from_regex(r"[A-Za-z]?\d{0,6}", fullmatch=True),
)
KEYS = st.tuples(st.sampled_from(KeyOp), st.text("0123456789", max_size=255))


@given(CODES)
def test_no_text_is_taken_for_a_slip_nobody_signed(text):
    with tempfile.TemporaryDirectory() as folder, pytest.raises(SlipInvalid):
        Slips("binjiang", Path(folder) / "slip.key", lambda: "").read(text, NOW, "scan-1")


@given(st.lists(CODES, max_size=4), st.lists(KEYS, max_size=6))
@settings(max_examples=40)
def test_whatever_is_scanned_or_typed_is_told_and_breaks_nothing(texts, keys):
    async def play(folder):
        numbers = count(1)

        def new_id():
            return f"id-{next(numbers)}"

        async with running(Path(folder) / "journal.db", FixedClock(NOW), hall_setup()) as hall:
            await hall.handle(issue(1))
            readers = Readers(hall, new_id, Bell())
            readers.slips = Slips("binjiang", Path(folder) / "slip.key", lambda: "").read
            inputs = Inputs(hall, readers, new_id)
            for text in texts:
                await inputs.hear(place("scanner"), CodeScanned(text=text))
                assert readers.last["scanner"].shown["result"] in TOLD
            for op, digits in keys:
                await inputs.hear(place("pad", counter="1"), KeyPressed(op=op, digits=digits))
                await inputs.hear(place("lost-pad", counter="no-such"), KeyPressed(op=op, digits=digits))
            assert len(hall.queue.tickets) == 1, "nobody took a number"

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(folder))


@pytest.mark.parametrize("digits", ["abc", "1 2", "-1", "１２", "9" * 256, "²"])
def test_what_a_box_sends_as_digits_and_is_none_is_not_heard(digits):
    with pytest.raises(ValidationError):
        KeyPressed(op=KeyOp.RETURN, digits=digits)
    event = f'{{"kind":"key-pressed","op":"return","digits":"{digits}"}}'
    with pytest.raises(WireError):
        decode(Happened, f'{{"v":1,"boot":"b","n":1,"age_s":0,"ttl_s":3,"event":{event}}}'.encode())
