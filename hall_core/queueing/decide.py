"""Wishes are decided here: into facts, or refused with a reason a clerk understands.

`decide` changes nothing. It returns the facts that would happen, or raises a `Refused`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hall_core.errors import BoxReplaced, Refused, RequestIdReused
from hall_core.queueing import commands as c
from hall_core.queueing import decide_appointments as appointments
from hall_core.queueing import decide_boxes as boxes
from hall_core.queueing import decide_counters as counters
from hall_core.queueing import decide_hall as halls
from hall_core.queueing import decide_notices as notices
from hall_core.queueing import decide_pagers as pagers
from hall_core.queueing import decide_places as places
from hall_core.queueing import decide_ratings as ratings
from hall_core.queueing import decide_tickets as tickets
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case, Circumstances, command_name
from hall_core.queueing.decide_reregister import re_register
from hall_core.queueing.escalating import escalate
from hall_core.queueing.queue import Queue

__all__ = ["Circumstances", "decide", "known", "refusal"]

_DECIDE: dict[type[c.CommandBase], Callable[[Case, Any], list[f.Fact]]] = {
    c.ConfigureHall: halls.configure,
    c.OpenBusinessDay: halls.open_day,
    c.GrantZone: halls.grant,
    c.SetCalendar: halls.set_calendar,
    c.TakeOver: boxes.take_over,
    c.ReRegister: re_register,
    c.RetireBox: boxes.retire,
    c.IssueTicket: tickets.issue,
    c.AdmitTicket: tickets.admit,
    c.BookAppointment: appointments.book,
    c.DropAppointment: appointments.drop,
    c.PostponeTicket: places.postpone,
    c.ComeLater: places.come_later,
    c.OpenCounter: counters.open_counter,
    c.PauseCounter: lambda case, x: case.turn(x, f.CounterPaused, reason=x.reason),
    c.ResumeCounter: lambda case, x: case.turn(x, f.CounterResumed),
    c.CloseCounter: lambda case, x: case.turn(x, f.CounterClosed),
    c.CallNext: counters.call_next,
    c.Call: counters.call,
    c.Recall: counters.recall,
    c.Start: counters.at_counter(f.ServiceStarted),
    c.Finish: counters.finish,
    c.NoShow: counters.at_counter(f.TicketNoShow),
    c.Hold: counters.hold,
    c.Return: places.give_back,
    c.Transfer: counters.transfer,
    c.RateVisit: ratings.rate,
    c.RateTicket: ratings.rate_ticket,
    c.ExplainRating: ratings.explain,
    c.CancelTicket: tickets.cancel,
    c.GivePager: pagers.give_pager,
    c.RecordNotice: notices.record,
    c.Escalate: escalate,
}


def known(queue: Queue, command: c.CommandBase) -> bool:
    """True when this very request was answered before. Raises RequestIdReused for a different body."""
    if command.request_id is None or command.request_id not in queue.requests:
        return False
    if queue.requests[command.request_id].fingerprint != command.fingerprint:
        raise RequestIdReused
    return True


def decide(queue: Queue, command: c.Command, around: Circumstances) -> list[f.Fact]:
    """The facts this wish leads to, in order; raises a `Refused` and changes nothing otherwise.

    A box that was replaced (`Queue.retired`) gives and calls nothing: BoxReplaced.
    A request answered before leads to no facts: `queue.requests` holds its answer.
    """
    if known(queue, command):
        return []
    if queue.retired and isinstance(command, boxes.FOR_THE_PRESENT_BOX):
        raise BoxReplaced
    facts = _DECIDE[type(command)](Case(queue, command, around), command)
    return [*notices.nearly_by_hall(queue, facts, around), *facts]


def refusal(command: c.CommandBase, error: Refused, now: datetime) -> f.WishRefused:
    """The fact that tells the controller why its wish was refused."""
    return f.WishRefused(
        at=now,
        request_id=command.request_id,
        fingerprint=command.fingerprint,
        wish=command_name(command),
        slug=error.slug,
        detail=error.sentence("zh"),
    )
