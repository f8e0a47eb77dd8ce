"""Wishes of citizens who say how their visit was: once, with reasons when it was bad."""

from typing import Any

from hall_core.errors import IllegalTransition, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.queue import Ticket
from hall_core.queueing.reasons import BAD_SCORE, checked_reasons
from hall_core.queueing.states import TicketState

__all__ = ["explain", "rate", "rate_ticket"]


def rate(case: Case, x: c.RateVisit) -> list[f.Fact]:
    """The visit at the counter, or the last one there, is rated once.

    Raises IllegalTransition, BadRequest.
    """
    counter = case.counter(x.counter)
    in_hand = case.queue.in_hand(x.counter)
    serving = in_hand is not None and in_hand.state is TicketState.SERVING
    ticket = in_hand if serving else case.queue.tickets.get(counter.last_id or "")
    if ticket is None:
        raise IllegalTransition(label=x.counter, state="no-ticket", action="rate")
    return [_rated(case, x, ticket, x.counter)]


def rate_ticket(case: Case, x: c.RateTicket) -> list[f.Fact]:
    """A visit of today that is over is rated once. Raises UnknownTicket, IllegalTransition, BadRequest."""
    # Only by its id: a label is on every screen of the hall, and may be anybody's guess.
    ticket = case.queue.tickets.get(x.ticket)
    if ticket is None:
        raise UnknownTicket(ticket=x.ticket)
    if ticket.state is not TicketState.FINISHED or ticket.counter is None:
        raise IllegalTransition(label=ticket.label, state=ticket.state.value, action="rate")
    return [_rated(case, x, ticket, ticket.counter)]


def _rated(case: Case, x: c.RateVisit | c.RateTicket, ticket: Ticket, counter: str) -> f.Fact:
    if ticket.rating is not None:
        raise IllegalTransition(label=ticket.label, state="rated", action="rate")
    said: dict[str, Any] = {"score": x.score, "channel": x.channel}
    said["reasons"] = checked_reasons(x.score, x.reasons)
    return f.TicketRated(**case.common, ticket_id=ticket.ticket_id, counter=counter, **said)


def explain(case: Case, x: c.ExplainRating) -> list[f.Fact]:
    """The reasons of a bad rating, which was sent before them, are told once.

    Raises UnknownTicket, IllegalTransition, BadRequest.
    """
    case.counter(x.counter)
    ticket = case.queue.tickets.get(x.ticket)
    if ticket is None or ticket.counter != x.counter:
        raise UnknownTicket(ticket=x.ticket)
    if ticket.rating is None or ticket.rating > BAD_SCORE or ticket.explained:
        state = "explained" if ticket.explained else "not-bad"
        raise IllegalTransition(label=ticket.label, state=state, action="explain")
    reasons = checked_reasons(ticket.rating, x.reasons)
    told = {"ticket_id": ticket.ticket_id, "counter": x.counter, "reasons": reasons}
    return [f.TicketRatingExplained(**case.common, **told)]
