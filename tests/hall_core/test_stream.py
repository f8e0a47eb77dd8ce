"""Numbered streams: whatever happens on the way, every entry is applied once and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import StreamGap, WireError
from hall_core.wire.stream import Sender, fitting, fresh


@given(applied=st.integers(0, 30), first=st.integers(1, 40), length=st.integers(0, 15))
def test_a_receiver_takes_exactly_the_entries_it_has_not(applied: int, first: int, length: int) -> None:
    entries = list(range(first, first + length))
    if first > applied + 1:
        with pytest.raises(StreamGap) as caught:
            fresh(applied, first, entries)
        assert (caught.value.expected, caught.value.got) == (applied + 1, first)
    else:
        assert list(fresh(applied, first, entries)) == [n for n in entries if n > applied]


def test_a_gap_says_what_was_expected() -> None:
    with pytest.raises(StreamGap, match="expected entry 4, got 6"):
        fresh(3, 6, ["six"])


@given(sizes=st.lists(st.integers(1, 40), max_size=20), full=st.integers(1, 60))
def test_a_message_takes_what_fits_and_one_entry_always(sizes: list[int], full: int) -> None:
    number = fitting(sizes, full)
    assert number == 0 if not sizes else 1 <= number <= len(sizes)
    assert number <= 1 or sum(sizes[:number]) <= full
    assert number == len(sizes) or sum(sizes[: number + 1]) > full


def test_a_sender_stops_at_its_window_until_it_is_acknowledged() -> None:
    sender = Sender(window=10)
    sender.sent = 10
    assert sender.room() == 0
    assert sender.acknowledge(4, 20)
    assert sender.room() == 4
    sender.sent = 20
    assert sender.room() == 0


def test_a_late_acknowledgement_is_harmless() -> None:
    sender = Sender(acked=7, sent=9)
    assert not sender.acknowledge(5, 9)
    assert not sender.acknowledge(7, 9)
    assert (sender.acked, sender.sent) == (7, 9)


def test_an_acknowledgement_of_what_was_never_written_is_refused() -> None:
    sender = Sender(acked=2, sent=3)
    with pytest.raises(WireError):
        sender.acknowledge(4, 3)
    assert (sender.acked, sender.sent) == (2, 3)


def test_a_resend_starts_behind_the_last_acknowledgement_or_where_the_receiver_says() -> None:
    sender = Sender(acked=7, sent=30)
    sender.resend()
    assert (sender.acked, sender.sent) == (7, 7)
    sender.resend(3)
    assert (sender.acked, sender.sent) == (3, 3)


class Line:
    """A journal, a line that loses, doubles and reorders, and a receiver that knows only its position."""

    def __init__(self, length: int, batch: int, window: int) -> None:
        self.journal = [f"entry {n}" for n in range(1, length + 1)]
        self.batch, self.sender = batch, Sender(window=window)
        self.up: list[tuple[int, list[str]]] = []
        self.down: list[int] = []
        self.applied: list[str] = []

    def send(self) -> None:
        first = self.sender.sent + 1
        part = self.journal[first - 1 : first - 1 + min(self.batch, self.sender.room())]
        if part:
            self.up.append((first, part))
            self.sender.sent += len(part)

    def receive(self, place: int, *, keep: bool) -> None:
        if not self.up:
            return
        message = self.up[place % len(self.up)] if keep else self.up.pop(place % len(self.up))
        try:
            self.applied += fresh(len(self.applied), *message)
        except StreamGap:
            return  # ignored: the sender will repeat
        self.down.append(len(self.applied))

    def acknowledge(self, place: int, *, keep: bool) -> None:
        if self.down:
            applied = self.down[place % len(self.down)] if keep else self.down.pop(place % len(self.down))
            self.sender.acknowledge(applied, len(self.journal))

    def lose(self, messages: list, place: int) -> None:
        if messages:
            messages.pop(place % len(messages))

    def do(self, action: str, place: int, *, keep: bool) -> None:
        {
            "send": self.send,
            "receive": lambda: self.receive(place, keep=keep),
            "acknowledge": lambda: self.acknowledge(place, keep=keep),
            "lose": lambda: self.lose(self.up, place),
            "lose-ack": lambda: self.lose(self.down, place),
            "resend": self.sender.resend,
            # a new connection: the receiver says what it holds
            "birth": lambda: self.sender.resend(len(self.applied)),
        }[action]()


ACTIONS = st.tuples(
    st.sampled_from(
        ["send", "send", "receive", "receive", "acknowledge", "lose", "lose-ack", "resend", "birth"]
    ),
    st.integers(0, 9),
    st.booleans(),
)


@given(
    length=st.integers(1, 25),
    batch=st.integers(1, 6),
    window=st.integers(1, 12),
    actions=st.lists(ACTIONS, max_size=60),
)
def test_every_entry_is_applied_once_and_in_order_whatever_the_line_does(
    length: int, batch: int, window: int, actions: list[tuple[str, int, bool]]
) -> None:
    line = Line(length, batch, window)
    for action, place, keep in actions:
        line.do(action, place, keep=keep)
        assert line.applied == line.journal[: len(line.applied)], "applied out of order or twice"
        assert line.sender.acked <= len(line.applied), "believed more than was stored"
        assert line.sender.sent - line.sender.acked <= window
    for _ in range(length + 1):  # the line heals
        line.sender.resend()
        line.send()
        line.receive(len(line.up) - 1, keep=False)
        line.acknowledge(len(line.down) - 1, keep=False)
    assert line.applied == line.journal
    assert line.sender.acked == length
