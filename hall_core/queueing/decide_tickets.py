"""Wishes of citizens: take a number, bring one in, give it up."""

from hall_core.errors import (
    BadRequest,
    HallClosed,
    IllegalTransition,
    UnknownTicket,
)
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.decide_appointments import expected, place_in_time
from hall_core.queueing.decide_notices import notice_by
from hall_core.queueing.decide_pagers import in_nobodys_hand
from hall_core.queueing.estimates import range_minutes
from hall_core.queueing.numbering import OFFLINE_LINE, label_of, next_number
from hall_core.queueing.opening import hall_open
from hall_core.queueing.ordering import ahead_of, effective_time, waiting_for
from hall_core.queueing.queue import Appointment, Ticket
from hall_core.queueing.states import TicketState
from hall_core.queueing.trips import wanted_services

__all__ = ["admit", "cancel", "issue"]


def issue(case: Case, x: c.IssueTicket) -> list[f.Fact]:
    """A number is given, or an appointment becomes one.

    Raises HallClosed, ServiceClosed, UnknownService, PagerInUse, NoGrant, ZoneExhausted; for several
    services what `wanted_services` raises; for an appointment also UnknownAppointment, AppointmentUsed,
    AppointmentNotNow.
    """
    booked = expected(case, x.appointment) if x.appointment is not None else None
    if booked is not None:
        x = _checked_in(x, booked)
    setup = case.setup
    case.service(x.service)
    if case.queue.day is None or not hall_open(case.queue, case.now):
        raise HallClosed
    service, visits = wanted_services(case, x, case.now, open_only=True)
    if x.priority is not None and x.priority not in setup.credits_min:
        raise BadRequest(what=f"priority {x.priority!r}")
    if x.ticket_id in case.queue.tickets:
        raise BadRequest(what="ticket_id stands for another ticket")
    if x.pager is not None:
        in_nobodys_hand(case.queue, x.pager)
    number = next_number(
        case.queue, line=service.prefix, day=case.queue.day, incarnation=case.around.incarnation
    )
    since = place_in_time(case, booked) if booked else case.now
    effective_at = effective_time(since, setup.credits_min.get(x.priority or "", 0))
    fact = f.TicketIssued(
        **case.common,
        ticket_id=x.ticket_id,
        label=label_of(service.prefix, number),
        service=service.id,
        line=service.prefix,
        number=number,
        day=case.queue.day,
        channel=x.channel,
        priority=x.priority,
        effective_at=effective_at,
        token=x.token,
        ahead=0,
        appointment=booked.appointment_id if booked else None,
        pager=x.pager,
        notice_by=notice_by(case, x.ticket_id),
        visits=visits,
        relative=x.relative,
        phone_sealed=x.phone_sealed,
        phone_tail=x.phone_tail,
    )
    # What the citizen is told comes from the line as it will be with this ticket in it.
    ticket = Ticket.issued(fact)
    # Without a credit or a slot everybody who is there already goes first: no need to compare with each.
    plain = x.priority is None and booked is None
    ahead = len(waiting_for(case.queue, service.id)) if plain else ahead_of(case.queue, ticket, case.now)
    range_min = range_minutes(case.queue, ticket, case.now)
    return [fact.model_copy(update={"ahead": ahead, "range_min": range_min})]


def _checked_in(x: c.IssueTicket, booked: Appointment) -> c.IssueTicket:
    """The wish with what the appointment knows: the citizen's link stays one and the same."""
    known = {
        "ticket_id": booked.appointment_id,
        "token": booked.token,
        "service": booked.service,
        "priority": x.priority or booked.priority,
    }
    if booked.phone_sealed is not None:
        known |= {"phone_sealed": booked.phone_sealed, "phone_tail": booked.phone_tail}
    return x.model_copy(update=known)


def admit(case: Case, x: c.AdmitTicket) -> list[f.Fact]:
    """A number given elsewhere during an outage is taken in.

    Raises HallClosed for another day, IllegalTransition when the same request was called here already.
    """
    setup, day = case.setup, case.queue.day
    case.service(x.service)
    label = label_of(OFFLINE_LINE, x.number)
    issued_at = x.issued_at.astimezone(case.now.tzinfo)
    if day is None or issued_at.date() != day:
        raise HallClosed  # its day is over, or not yet begun here
    if x.ticket_id in case.queue.tickets or label in case.queue.labels:
        raise BadRequest(what=f"{label} was taken in before")
    if x.priority is not None and x.priority not in setup.credits_min:
        raise BadRequest(what=f"priority {x.priority!r}")
    facts: list[f.Fact] = []
    done = case.queue.requests.get(x.replaces or "")
    other = case.queue.tickets.get(done.ticket_id or "") if done else None
    if other is not None and other.state is TicketState.WAITING:
        facts.append(case.move(x, other, f.TicketCancelled, reason="merged"))
    elif other is not None and other.state not in (TicketState.CANCELLED, TicketState.LAPSED):
        raise IllegalTransition(label=other.label, state=other.state.value, action="cancel")
    # A clock that runs ahead at the centre gives nobody a place in the future.
    taken_at = min(issued_at, case.now)
    service, visits = wanted_services(case, x, taken_at, open_only=False)
    fact = f.TicketIssued(
        **case.common,
        ticket_id=x.ticket_id,
        label=label,
        service=service.id,
        line=OFFLINE_LINE,
        number=x.number,
        day=day,
        channel=x.channel,
        priority=x.priority,
        effective_at=effective_time(taken_at, setup.credits_min.get(x.priority or "", 0)),
        token=x.token,
        ahead=0,
        late=True,
        visits=visits,
        relative=x.relative,
        phone_sealed=x.phone_sealed,
        phone_tail=x.phone_tail,
    )
    ticket = Ticket.issued(fact)
    told = {
        "ahead": ahead_of(case.queue, ticket, case.now),
        "range_min": range_minutes(case.queue, ticket, case.now),
    }
    return [*facts, fact.model_copy(update=told)]


def cancel(case: Case, x: c.CancelTicket) -> list[f.Fact]:
    """A ticket is voided. Raises UnknownTicket, UnknownCounter, IllegalTransition."""
    in_hand = case.counter(x.counter).ticket_id if x.counter is not None else None
    wanted = x.ticket or in_hand
    if wanted is None and x.counter is not None:
        raise IllegalTransition(label=x.counter, state="no-ticket", action="cancel")
    ticket = case.queue.find(wanted) if wanted else None
    if ticket is None:
        raise UnknownTicket(ticket=wanted or "")
    if x.counter is None and ticket.state is TicketState.SERVING:
        raise IllegalTransition(label=ticket.label, state=ticket.state.value, action="cancel")
    return [case.move(x, ticket, f.TicketCancelled, reason=x.reason)]
