"""Following a hall's facts. One that cannot be followed is set aside and never holds up those after it.

The same facts lead to the same queue, whether they come one by one, in messages, or from storage.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact, FactUnreadable, HallConfigured
from hall_core.queueing.queue import Queue
from hall_core.wire.damaged import unreadable

__all__ = ["follow"]

#: what a fact that does not follow from those before it makes of a queue
_DOES_NOT_FOLLOW = (KeyError, AssertionError, TypeError, ValueError)


def follow(queue: Queue, facts: Iterable[Fact], hall: str, now: datetime) -> tuple[Queue, list[Fact]]:
    """The queue after these facts, and the facts as they were applied; of each day's facts all at once."""
    told = list(facts)
    if not any(_foreign(fact, hall) for fact in told):
        try:
            return replay(queue, told), told
        except _DOES_NOT_FOLLOW:
            pass  # one of them: find out which
    return _one_by_one(queue, told, hall, now)


def _one_by_one(queue: Queue, facts: Sequence[Fact], hall: str, now: datetime) -> tuple[Queue, list[Fact]]:
    applied: list[Fact] = []
    for told in facts:
        fact = _aside(told, "another hall's set-up", now) if _foreign(told, hall) else told
        try:
            queue = replay(queue, (fact,))
        except _DOES_NOT_FOLLOW:
            fact = _aside(fact, "does not follow from the facts before it", now)
            queue = replay(queue, (fact,))
        applied.append(fact)
    return queue, applied


def _foreign(fact: Fact, hall: str) -> bool:
    return isinstance(fact, HallConfigured) and fact.setup.hall != hall


def _aside(fact: Fact, reason: str, now: datetime) -> Fact:
    if isinstance(fact, FactUnreadable):
        return fact
    return unreadable(fact.model_dump_json(exclude_none=True), reason, now)
