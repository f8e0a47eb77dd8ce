"""A chain of a day's calls: who changes, removes or moves one changes every digest after it.

Each call becomes a digest of its own, and each link digests the link before it and that. So the holder of
one number can follow the chain to its head from the digests after it, without learning whose calls they are.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date

from hall_core.queueing import facts as f

__all__ = ["Call", "Link", "begin", "call_of", "follow_on", "link", "links"]

_VERSION = "quiethall chain of calls 1"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the chain knows it: fact `n` of the stream."""

    n: int
    kind: str
    ticket: str
    counter: str
    at: str

    def digest(self) -> str:
        """Of this call alone."""
        return _digest(_VERSION, "call", self.n, self.kind, self.ticket, self.counter, self.at)


@dataclass(frozen=True, slots=True)
class Link:
    """A call in its chain: `head` is the chain's head up to and with it."""

    call: Call
    digest: str
    before: str
    head: str


def call_of(n: int, fact: f.Fact) -> Call:
    """The call of fact `n`; of a fact that is none, a call that no chain was made with."""
    at = fact.at.astimezone(UTC).isoformat()
    kind, ticket, counter = (str(getattr(fact, name, "")) for name in ("kind", "ticket_id", "counter"))
    return Call(n, kind, ticket, counter, at)


def begin(hall: str, day: date, stream: str) -> str:
    """The head of a chain without calls."""
    return _digest(_VERSION, "begin", hall, day.isoformat(), stream)


def link(before: str, digest: str) -> str:
    """The head after one more call."""
    return _digest(_VERSION, "link", before, digest)


def links(before: str, calls: Iterable[Call]) -> list[Link]:
    """The calls chained onto a head."""
    made: list[Link] = []
    for call in calls:
        digest = call.digest()
        head = link(before, digest)
        made.append(Link(call, digest, before, head))
        before = head
    return made


def follow_on(before: str, digests: Iterable[str]) -> str:
    """The head that these digests lead to: what the holder of a proof computes."""
    for digest in digests:
        before = link(before, digest)
    return before


def _digest(*parts: str | int) -> str:
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
