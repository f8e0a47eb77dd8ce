"""Which notices the hall sends itself: decided with the fact they tell of, so that nobody is told twice."""

from collections.abc import Sequence
from typing import Literal

from hall_core.errors import UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case, Circumstances
from hall_core.queueing.evolve import replay
from hall_core.queueing.notices import NEARLY, nearly_due, places
from hall_core.queueing.queue import Queue

__all__ = ["nearly_by_hall", "notice_by", "record"]


def notice_by(case: Case, ticket_id: str) -> Literal["hall"] | None:
    """Who tells the holder of this ticket."""
    return "hall" if ticket_id in case.around.by_hall else None


def nearly_by_hall(queue: Queue, facts: Sequence[f.Fact], around: Circumstances) -> list[f.Fact]:
    """Who comes nearly next by these facts and is told so by the hall. These facts go before those.

    Who was nearly next before them was told by whoever was in charge then.
    """
    waiting = [queue.waiting[i] for i in around.by_hall if i in queue.waiting]
    if not waiting or not facts:
        return []
    before = places(queue, {t.service for t in waiting}, around.now)
    later = replay(queue, facts)
    far = [later.waiting[i] for t in waiting if before[i := t.ticket_id] > NEARLY and i in later.waiting]
    due = nearly_due(facts, later, far, around.now, "")
    return [f.NoticeByHall(at=around.now, ticket_id=n.ticket_id, notice="nearly") for n in due]


def record(case: Case, x: c.RecordNotice) -> list[f.Fact]:
    """What came of a notice. Raises UnknownTicket when its day is over."""
    if x.ticket not in case.queue.tickets:
        raise UnknownTicket(ticket=x.ticket)
    fields = {"ticket_id": x.ticket, "notice": x.notice, "call_no": x.call_no, "outcome": x.outcome}
    return [f.NoticeByHall(**case.common, **fields)]
