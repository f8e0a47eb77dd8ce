"""Which notices a fact leads to at the controller, pure. Words and times are the halls' too."""

from collections.abc import Iterable
from datetime import datetime

from controller.use_cases.live import local_time
from hall_core.queueing import facts as f
from hall_core.queueing import notices
from hall_core.queueing.notices import BY_HALL, NEARLY, NOT_AFTER, NoticeDue, confirmation
from hall_core.queueing.queue import Queue

__all__ = ["NEARLY", "NOT_AFTER", "NoticeDue", "confirmation", "nearly_due", "notice_for"]

_TOLD = (
    f.TicketIssued,
    f.TicketCalled,
    f.TicketRecalled,
    f.TicketPostponed,
    f.TicketLapsed,
    f.NoticeByHall,
    f.CallEscalated,
)


def notice_for(fact: f.Fact, queue: Queue, signature: str) -> NoticeDue | None:
    """The notice this fact leads to; None when nobody left a number or nothing is to be said.

    One that the hall sends itself is written down too, with `by_hall`.
    """
    if isinstance(fact, f.AppointmentBooked):
        return notices.reminder(fact, queue, local_time(queue, fact.starts_at), signature)
    if not isinstance(fact, _TOLD):
        return None
    ticket = queue.tickets.get(fact.ticket_id)
    if isinstance(fact, f.CallEscalated):
        due = notices.escalation_notice(fact, queue, signature)
        # A relative's notice holds the number itself: the ticket's is another one.
        known = due and (due.phone_sealed if due.kind == "relative" else ticket and ticket.phone_sealed)
        return due if known else None
    if ticket is None or ticket.phone_sealed is None:
        return None
    if isinstance(fact, f.TicketIssued):
        return confirmation(
            ticket.ticket_id,
            ticket.label,
            fact.ahead,
            fact.at,
            signature,
            by_hall=fact.notice_by == BY_HALL,
        )
    if isinstance(fact, f.NoticeByHall):
        taken_on = fact.notice == "nearly" and fact.outcome == "pending"
        return notices.nearly_notice(ticket, NEARLY, fact.at, signature, by_hall=True) if taken_on else None
    if isinstance(fact, f.TicketPostponed):
        return notices.postponed_notice(ticket, queue, fact.at, signature)
    if isinstance(fact, f.TicketLapsed):
        # A hall that closes a past day only now tells nobody at night.
        late = local_time(queue, fact.at).date() > ticket.day
        return None if late else notices.closed_notice(ticket, queue, fact.at, signature)
    return notices.call_notice(fact, queue, signature)


def nearly_due(
    facts: Iterable[f.Fact], queue: Queue, told: set[str], now: datetime, signature: str
) -> list[NoticeDue]:
    """Who left a number and waits with at most three ahead after the line has moved; `told` were told."""
    waiting = queue.waiting.values()
    candidates = [t for t in waiting if t.phone_sealed is not None and t.ticket_id not in told]
    return notices.nearly_due(facts, queue, candidates, now, signature)
