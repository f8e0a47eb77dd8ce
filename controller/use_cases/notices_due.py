"""Which notices a fact leads to, pure: kind, words, urgency, and until when it is of use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hall_core.queueing import facts as f
from hall_core.queueing.ordering import ahead_of
from hall_core.queueing.queue import Queue, Ticket

__all__ = ["NEARLY", "NOT_AFTER", "NoticeDue", "confirmation", "nearly_due", "notice_for"]

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
    """A notice to be written. `call_no` is 0 for kinds that are sent once per ticket."""

    ticket_id: str
    kind: str
    call_no: int
    text: str
    at: datetime

    @property
    def priority(self) -> int:
        """0 is the most urgent."""
        return _URGENCY[self.kind]

    @property
    def not_after(self) -> datetime:
        """From then on it is not sent any more."""
        return self.at + NOT_AFTER[self.kind]


def notice_for(fact: f.Fact, queue: Queue, signature: str) -> NoticeDue | None:
    """The notice this fact leads to; None when nobody left a number or nothing is to be said."""
    if not isinstance(fact, f.TicketIssued | f.TicketCalled | f.TicketRecalled):
        return None
    ticket = queue.tickets.get(fact.ticket_id)
    if ticket is None or ticket.phone_sealed is None:
        return None
    if isinstance(fact, f.TicketIssued):
        return confirmation(ticket.ticket_id, ticket.label, fact.ahead, fact.at, signature)
    place = _counter_name(queue, fact.counter)
    text = f"【{signature}】您的号码{ticket.label}请到{place}办理。"
    return NoticeDue(ticket.ticket_id, "called", fact.call_no, text[:LONGEST], fact.at)


def confirmation(ticket_id: str, label: str, ahead: int | None, at: datetime, signature: str) -> NoticeDue:
    """You have this number."""
    line = "" if ahead is None else f"，前面{ahead}人"
    text = f"【{signature}】取号成功：{label}{line}。"
    return NoticeDue(ticket_id, "confirmation", 0, text[:LONGEST], at)


def nearly_due(
    facts: Iterable[f.Fact], queue: Queue, told: set[str], now: datetime, signature: str
) -> list[NoticeDue]:
    """Who waits with at most three ahead after the line has moved. `told` are tickets told before."""
    moved = [fact for fact in facts if isinstance(fact, _MOVES_THE_LINE)]
    if queue.setup is None or not moved or now - moved[-1].at > NOT_AFTER["nearly"]:
        return []
    found = []
    for ticket in queue.waiting.values():
        if _may_be_told(ticket, told):
            ahead = ahead_of(queue, ticket, now)
            if ahead <= NEARLY:
                text = f"【{signature}】您的号码{ticket.label}前面还有{ahead}人，请到大厅等候。"
                found.append(NoticeDue(ticket.ticket_id, "nearly", 0, text[:LONGEST], moved[-1].at))
    return found


def _may_be_told(ticket: Ticket, told: set[str]) -> bool:
    # Who came when nearly nobody waited has read the number of people ahead on the confirmation.
    return ticket.phone_sealed is not None and ticket.ahead > NEARLY and ticket.ticket_id not in told


def _counter_name(queue: Queue, counter: str) -> str:
    setup = queue.setup.counter(counter) if queue.setup else None
    return setup.name if setup else f"{counter}号窗口"
