"""Pure: a call of a ticket whose holder carries a pager, or one that nobody answers -> the page."""

from hall_core.devices.vocabulary import PageUser
from hall_core.queueing import facts as f
from hall_core.queueing.queue import Queue

__all__ = ["PAGE_WITHIN_S", "page_for", "page_id"]

#: a pager that could not be reached for so long after the call does not shake for it any more
PAGE_WITHIN_S = 30.0


def page_for(queue: Queue, fact: f.Fact) -> PageUser | None:
    """The page a call leads to, or the step after it that shakes the pager once more; the text is what every
    pager can show.
    """
    if not isinstance(fact, f.TicketCalled | f.TicketRecalled | f.CallEscalated):
        return None
    again = isinstance(fact, f.CallEscalated)
    if isinstance(fact, f.CallEscalated) and fact.step != "pager":
        return None
    ticket = queue.tickets.get(fact.ticket_id)
    if ticket is None or ticket.pager is None:
        return None
    text = f"{ticket.label} {fact.counter}"
    job_id = page_id(ticket.ticket_id, fact.call_no, again=again)
    return PageUser(job_id=job_id, pager=ticket.pager, text=text)


def page_id(ticket_id: str, call_no: int, *, again: bool = False) -> str:
    """One page per call, and one more when nobody came."""
    return f"{ticket_id}.page.{call_no}" + (".again" if again else "")
