"""A box takes another one's place: it goes on with those who wait, and the old one does nothing more."""

from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case

__all__ = ["FOR_THE_PRESENT_BOX", "retire", "take_over"]

#: what only the hall's present box may do; what was begun at a counter may be ended anywhere
FOR_THE_PRESENT_BOX = (
    c.IssueTicket,
    c.AdmitTicket,
    c.TakeOver,
    c.ReRegister,
    c.BookAppointment,
    c.OpenCounter,
    c.CallNext,
    c.Call,
    c.Recall,
    c.Escalate,
)


def take_over(case: Case, x: c.TakeOver) -> list[f.Fact]:
    """Those who waited at the box before wait here, with their numbers and their times.

    Tickets this box knows already, of another day, or of a service the hall has no more are left out.
    """
    facts: list[f.Fact] = []
    for ticket in x.tickets:
        known = ticket.ticket_id in case.queue.tickets or ticket.label in case.queue.labels
        if known or ticket.day != case.queue.day or case.setup.service(ticket.service) is None:
            continue
        told = {name: getattr(ticket, name) for name in c.TakenOver.model_fields}
        told["visits"] = tuple(service for service in ticket.visits if case.setup.service(service))
        facts.append(f.TicketIssued(**case.common, **told))
    return facts


def retire(case: Case, x: c.RetireBox) -> list[f.Fact]:
    """This box has been replaced; said again it stays so."""
    if case.queue.retired:
        return []
    return [f.BoxRetired(**case.common, successor=x.successor)]
