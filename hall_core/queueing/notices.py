"""Notices to citizens, pure: which a fact leads to, their words, and until when they are of use.

The controller and a hall with a modem of its own say the same words by the same rules.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hall_core.queueing import facts as f
from hall_core.queueing.ordering import ahead_of
from hall_core.queueing.queue import Queue, Ticket

__all__ = ["BY_HALL", "NEARLY", "NOT_AFTER", "NoticeDue", "call_notice", "confirmation", "nearly_due"]

#: how long each kind is of use to its reader
NOT_AFTER = {
    "called": timedelta(minutes=2),
    "nearly": timedelta(minutes=10),
    "confirmation": timedelta(minutes=30),
}
_URGENCY = {"called": 0, "nearly": 1, "confirmation": 2}
#: "three ahead of you"
NEARLY = 3
#: one short message of a Chinese operator
LONGEST = 70
#: `notice_by` of a call whose notice the hall sends through its own modem
BY_HALL = "hall"
_MOVES_THE_LINE = (
    f.TicketCalled,
    f.TicketCancelled,
    f.TicketTransferred,
    f.TicketHeld,
    f.TicketNoShow,
    f.TicketLapsed,
)


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """A notice to be sent. `call_no` is 0 for kinds that are sent once per ticket."""

    ticket_id: str
    kind: str
    call_no: int
    text: str
    at: datetime
    by_hall: bool = False

    @property
    def priority(self) -> int:
        """0 is the most urgent."""
        return _URGENCY[self.kind]

    @property
    def not_after(self) -> datetime:
        """From then on it is not sent any more."""
        return self.at + NOT_AFTER[self.kind]


def call_notice(fact: f.TicketCalled | f.TicketRecalled, queue: Queue, signature: str) -> NoticeDue:
    """Come to this counter. The ticket must be one of the queue's."""
    ticket = queue.tickets[fact.ticket_id]
    setup = queue.setup.counter(fact.counter) if queue.setup else None
    place = setup.name if setup else f"{fact.counter}号窗口"
    text = f"【{signature}】您的号码{ticket.label}请到{place}办理。"
    by_hall = fact.notice_by == BY_HALL
    return NoticeDue(ticket.ticket_id, "called", fact.call_no, text[:LONGEST], fact.at, by_hall)


def confirmation(ticket_id: str, label: str, ahead: int | None, at: datetime, signature: str) -> NoticeDue:
    """You have this number."""
    line = "" if ahead is None else f"，前面{ahead}人"
    text = f"【{signature}】取号成功：{label}{line}。"
    return NoticeDue(ticket_id, "confirmation", 0, text[:LONGEST], at)


def nearly_due(
    facts: Iterable[f.Fact], queue: Queue, candidates: Collection[Ticket], now: datetime, signature: str
) -> list[NoticeDue]:
    """Which of these tickets wait with at most three ahead, after these facts have moved the line."""
    moved = [fact for fact in facts if isinstance(fact, _MOVES_THE_LINE)]
    if queue.setup is None or not moved or now - moved[-1].at > NOT_AFTER["nearly"]:
        return []
    found = []
    for ticket in candidates:
        # Who came when nearly nobody waited has read the number of people ahead when the number was given.
        if ticket.ahead > NEARLY and not ticket.nearly_by_hall and ticket.ticket_id in queue.waiting:
            ahead = ahead_of(queue, ticket, now)
            if ahead <= NEARLY:
                found.append(nearly(ticket, ahead, moved[-1].at, signature))
    return found


def nearly(ticket: Ticket, ahead: int, at: datetime, signature: str) -> NoticeDue:
    """You are nearly next."""
    text = f"【{signature}】您的号码{ticket.label}前面还有{ahead}人，请到大厅等候。"
    return NoticeDue(ticket.ticket_id, "nearly", 0, text[:LONGEST], at)
