"""Numbered streams, pure: the receiver takes only the next entry, the sender repeats from the last
acknowledgement. Neither trusts a broker's session or its receipts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hall_core.errors import StreamGap, WireError

__all__ = ["Sender", "fitting", "fresh"]

T = TypeVar("T")

#: a message takes no further entry beyond so many characters: in bytes that is far from the largest one
FULL = 128 * 1024


def fresh(applied: int, first: int, entries: Sequence[T]) -> Sequence[T]:
    """The entries a receiver that holds `applied` has still to apply: none when it has them all.

    Raises StreamGap when entries before `first` are missing.
    """
    if first > applied + 1:
        raise StreamGap(expected=applied + 1, got=first)
    return entries[applied + 1 - first :]


def fitting(sizes: Iterable[int], full: int = FULL) -> int:
    """How many of the next entries, of so many characters each, one message takes; the first one always."""
    number = total = 0
    for size in sizes:
        total += size
        if number and total > full:
            break
        number += 1
    return number


@dataclass(slots=True)
class Sender:
    """How far a stream was sent and acknowledged. `window` bounds what is under way."""

    acked: int = 0
    sent: int = 0
    window: int = 2_000

    def room(self) -> int:
        """How many more entries may be sent now."""
        return max(0, self.window - (self.sent - self.acked))

    def acknowledge(self, applied: int, last: int) -> bool:
        """Note a cumulative acknowledgement of a stream that ends at `last`; True when it moved on.

        Late ones are harmless. Raises WireError for what was never written.
        """
        if applied > last:
            msg = f"acknowledgement of entry {applied} of a stream that ends at {last}"
            raise WireError(msg)
        moved = applied > self.acked
        self.acked = max(self.acked, applied)
        self.sent = max(self.sent, self.acked)
        return moved

    def resend(self, applied: int | None = None) -> None:
        """Go back: to the last acknowledgement, or to what the receiver says it holds."""
        if applied is not None:
            self.acked = applied
        self.sent = self.acked
