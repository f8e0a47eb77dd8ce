"""Notices to citizens, pure: which a fact leads to, their words, and until when they are of use.

The controller and a hall with a modem of its own say the same words by the same rules.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hall_core.queueing import facts as f
from hall_core.queueing.ordering import in_order
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.wordings import KINDS, wording

__all__ = [
    "BY_HALL",
    "NEARLY",
    "NOT_AFTER",
    "REMIND_BEFORE",
    "NoticeDue",
    "call_notice",
    "closed_notice",
    "confirmation",
    "escalation_notice",
    "nearly_due",
    "nearly_notice",
    "places",
    "postponed_notice",
    "reminder",
    "reminder_no",
]

#: how long each kind is of use to its reader
NOT_AFTER = {name: kind.useful for name, kind in KINDS.items()}
#: an appointment's holder is reminded so long before
REMIND_BEFORE = timedelta(hours=2)
#: "three ahead of you"
NEARLY = 3
#: `notice_by` of a call whose notice the hall sends through its own modem
BY_HALL = "hall"
_MOVES_THE_LINE = (
    f.TicketCalled,
    f.TicketCancelled,
    f.TicketTransferred,
    f.TicketPostponed,
    f.TicketHeld,
    f.TicketNoShow,
    f.TicketLapsed,
)


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """A notice to be sent. `call_no` tells notices of one kind and ticket apart, 0 for kinds sent once.

    `words` fill a template of the same kind. `send_at` is later than `at` for reminders; `phone_sealed` is
    given when there is no ticket that holds it.
    """

    ticket_id: str
    kind: str
    call_no: int
    text: str
    at: datetime
    by_hall: bool = False
    words: Mapping[str, str] = field(default_factory=dict)
    send_at: datetime | None = None
    phone_sealed: str | None = None

    @property
    def priority(self) -> int:
        """0 is the most urgent."""
        return KINDS[self.kind].urgency

    @property
    def not_after(self) -> datetime:
        """From then on it is not sent any more."""
        return (self.send_at or self.at) + NOT_AFTER[self.kind]


def call_notice(fact: f.TicketCalled | f.TicketRecalled, queue: Queue, signature: str) -> NoticeDue:
    """Come to this counter. The ticket must be one of the queue's."""
    ticket = queue.tickets[fact.ticket_id]
    setup = queue.setup.counter(fact.counter) if queue.setup else None
    place = setup.name if setup else f"{fact.counter}号窗口"
    text, words = wording("called", signature, {"label": ticket.label, "counter": place})
    by_hall = fact.notice_by == BY_HALL
    return NoticeDue(ticket.ticket_id, "called", fact.call_no, text, fact.at, by_hall, words)


def escalation_notice(fact: f.CallEscalated, queue: Queue, signature: str) -> NoticeDue | None:
    """You were called and did not come: to the ticket's holder, or to the relative who was named."""
    ticket = queue.tickets.get(fact.ticket_id)
    kind = {"sms": "recall", "relative": "relative"}.get(fact.step)
    if ticket is None or kind is None:
        return None
    setup = queue.setup.counter(fact.counter) if queue.setup else None
    place = setup.name if setup else f"{fact.counter}号窗口"
    text, words = wording(kind, signature, {"label": ticket.label, "counter": place})
    sealed = ticket.relative.phone_sealed if fact.step == "relative" and ticket.relative else None
    return NoticeDue(
        *(ticket.ticket_id, kind, fact.call_no, text, fact.at),
        by_hall=fact.notice_by == BY_HALL,
        words=words,
        phone_sealed=sealed,
    )


def confirmation(
    ticket_id: str, label: str, ahead: int | None, at: datetime, signature: str, *, by_hall: bool = False
) -> NoticeDue:
    """You have this number."""
    known = {"label": label} if ahead is None else {"label": label, "ahead": str(ahead)}
    text, words = wording("confirmation", signature, known)
    return NoticeDue(ticket_id, "confirmation", 0, text, at, by_hall, words)


def nearly_due(
    facts: Iterable[f.Fact], queue: Queue, candidates: Collection[Ticket], now: datetime, signature: str
) -> list[NoticeDue]:
    """Which of these tickets wait with at most three ahead, after these facts have moved the line."""
    moved = [fact for fact in facts if isinstance(fact, _MOVES_THE_LINE)]
    if queue.setup is None or not moved or now - moved[-1].at > NOT_AFTER["nearly"]:
        return []
    # Who came when nearly nobody waited has read the number of people ahead when the number was given.
    asked = [t for t in candidates if t.ahead > NEARLY and not t.nearly_by_hall]
    ahead = places(queue, {t.service for t in asked}, now) if asked else {}
    at = moved[-1].at
    return [nearly_notice(t, n, at, signature) for t in asked if (n := ahead.get(t.ticket_id, 99)) <= NEARLY]


def nearly_notice(
    ticket: Ticket, ahead: int, at: datetime, signature: str, *, by_hall: bool = False
) -> NoticeDue:
    """You are nearly next."""
    text, words = wording("nearly", signature, {"label": ticket.label, "ahead": str(ahead)})
    return NoticeDue(ticket.ticket_id, "nearly", 0, text, at, by_hall, words)


def postponed_notice(ticket: Ticket, queue: Queue, at: datetime, signature: str) -> NoticeDue:
    """You let others pass; this is your new place."""
    ahead = places(queue, {ticket.service}, at).get(ticket.ticket_id, 0)
    text, words = wording("postponed", signature, {"label": ticket.label, "ahead": str(ahead)})
    return NoticeDue(ticket.ticket_id, "postponed", ticket.postponed, text, at, words=words)


def closed_notice(ticket: Ticket, queue: Queue, at: datetime, signature: str) -> NoticeDue:
    """The hall closed before your number was called."""
    hall = queue.setup.name if queue.setup else ""
    text, words = wording("hall-closed", signature, {"label": ticket.label, "hall": hall})
    return NoticeDue(ticket.ticket_id, "hall-closed", 0, text, at, words=words)


def reminder(fact: f.AppointmentBooked, queue: Queue, starts: datetime, signature: str) -> NoticeDue | None:
    """You are expected at `starts`, on the hall's clock. Who books for the next hours needs no reminder."""
    send_at = fact.starts_at - REMIND_BEFORE
    if fact.phone_sealed is None or queue.setup is None or send_at <= fact.at:
        return None
    service = queue.setup.service(fact.service)
    known = {"time": f"{starts:%m月%d日%H:%M}", "hall": queue.setup.name}
    known["service"] = service.name if service else fact.service
    text, words = wording("reminder", signature, known)
    return NoticeDue(
        fact.appointment_id,
        "reminder",
        reminder_no(fact),
        text,
        fact.at,
        words=words,
        send_at=send_at,
        phone_sealed=fact.phone_sealed,
    )


def reminder_no(fact: f.AppointmentBooked) -> int:
    """A reminder of another time is another notice: they differ by the minute of the appointment."""
    return int(fact.starts_at.timestamp() // 60)


def places(queue: Queue, services: Collection[str], now: datetime) -> dict[str, int]:
    """How many people of the same service go before each waiting ticket of these services."""
    found: dict[str, int] = {}
    for service in services:
        line = in_order(queue, (t for t in queue.waiting.values() if t.service == service), now)
        found.update((t.ticket_id, n) for n, t in enumerate(line))
    return found
