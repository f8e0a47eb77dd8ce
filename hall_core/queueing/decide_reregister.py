"""A paper slip whose record is gone: its number stands in line again, with its time, once."""

from hall_core.errors import SlipInvalid
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.estimates import range_minutes
from hall_core.queueing.numbering import label_of
from hall_core.queueing.ordering import ahead_of, effective_time
from hall_core.queueing.queue import Ticket

__all__ = ["re_register"]


def re_register(case: Case, x: c.ReRegister) -> list[f.Fact]:
    """The slip's ticket is taken in; no facts when it is known. Its signature was checked where it was read.

    Raises UnknownService, and SlipInvalid for another day or a number that somebody else has.
    """
    setup, service = case.setup, case.service(x.service)
    if x.ticket_id in case.queue.tickets:
        return []
    label = label_of(x.line, x.number)
    if x.day != case.queue.day or label in case.queue.labels:
        raise SlipInvalid
    # A clock that ran ahead when the slip was printed gives nobody a place in the future.
    issued_at = min(x.issued_at.astimezone(case.now.tzinfo), case.now)
    fact = f.TicketIssued(
        **case.common,
        ticket_id=x.ticket_id,
        label=label,
        service=service.id,
        line=x.line,
        number=x.number,
        day=x.day,
        channel="slip",
        visits=tuple(service for service in x.more_services if setup.service(service)),
        priority=x.priority if x.priority in setup.credits_min else None,
        effective_at=effective_time(issued_at, setup.credits_min.get(x.priority or "", 0)),
        token=x.token,
        ahead=0,
        issued_at=issued_at,
    )
    ticket = Ticket.issued(fact)
    told = {
        "ahead": ahead_of(case.queue, ticket, case.now),
        "range_min": range_minutes(case.queue, ticket, case.now),
    }
    return [fact.model_copy(update=told)]
