"""Why one number was called before another: the one rule or event that decided, found in the day's facts.

A reason is the smallest thing without which the order would have been the other way round. Its words are
in `hall_ui/words`, `[order]`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hall_core.errors import BadRequest, UnknownTicket
from hall_core.queueing.journeys import Called, DayBook, Journey, Place
from hall_core.queueing.ordering import effective_time
from hall_core.queueing.states import TicketState

__all__ = ["CODES", "Because", "Passing", "passed", "why"]

#: every reason there is; `second` is the one that was called later, or not yet
CODES = (
    "earlier", "same-moment", "came-later", "entered-later", "left",
    "credit", "appointment", "other-appointment", "past-goal",
    "late-merged", "late-alternates", "special-call",
    "other-missed", "other-returned", "other-held", "other-postponed",
    "transferred", "held-place", "kept-place", "other-service", "other-sent", "taken-over", "slip",
)  # fmt: skip

_IN_LINE = frozenset({TicketState.WAITING, TicketState.HELD, TicketState.NO_SHOW})
_GONE = frozenset({TicketState.CANCELLED, TicketState.LAPSED})
#: what moves a ticket back, and the reason that is for those who were called before it
_MOVED_BACK = {"ticket-returned": "other-returned", "ticket-postponed": "other-postponed"}


@dataclass(frozen=True, slots=True)
class Because:
    """`first` was called before `second`, at `call`, because of `code`; `there` is where `second` stood then,
    None before it had come.
    """

    code: str
    first: Journey
    second: Journey
    call: Called
    there: Place | None


@dataclass(frozen=True, slots=True)
class Passing:
    """Who passed a ticket, newest first; `elsewhere` counts those of other lines called in between."""

    reasons: tuple[Because, ...]
    elsewhere: int


def why(book: DayBook, one: str, other: str) -> Because | None:
    """Why one of these two labels was called before the other; None while neither has been called.

    Who was called and stands in line again, or was set aside, can be passed anew. Raises UnknownTicket,
    BadRequest for one label twice.
    """
    a, b = _find(book, one), _find(book, other)
    if a is b:
        raise BadRequest(what="one, other")
    # The answer wanted is about `one` going first, so its calls are looked at first.
    for x, y in ((a, b), (b, a)):
        for call in x.calls:
            there = y.before(call.seq)
            had_its_turn = bool(y.calls) and y.calls[0].seq < call.seq
            if not had_its_turn or (there is not None and there.state in _IN_LINE):
                return Because(_code(book, call, x, y), x, y, call, there)
    return None


def passed(book: DayBook, ticket_id: str) -> Passing:
    """Everybody who came into this ticket's line after it and was called while it stood there.

    Raises UnknownTicket.
    """
    me = book.journeys.get(ticket_id)
    if me is None:
        raise UnknownTicket(ticket=ticket_id[:32])
    seen: set[str] = set()
    reasons: list[Because] = []
    elsewhere = 0
    for call, there in _called_while(book, me):
        if call.ticket_id in seen or call.before.arrived < me.entered:
            continue
        seen.add(call.ticket_id)
        if _callable(call, there) or call.before.service == there.service:
            first = book.journeys[call.ticket_id]
            reasons.append(Because(_code(book, call, first, me), first, me, call, there))
        else:
            elsewhere += 1
    return Passing(tuple(reversed(reasons)), elsewhere)


def _find(book: DayBook, label: str) -> Journey:
    found = book.find(label)
    if found is None:
        raise UnknownTicket(ticket=label[:16])
    return found


def _called_while(book: DayBook, me: Journey) -> Iterator[tuple[Called, Place]]:
    for call in book.calls:
        there = me.before(call.seq)
        if there is not None and there.state in _IN_LINE and call.ticket_id != me.ticket_id:
            yield call, there


def _callable(call: Called, there: Place) -> bool:
    """True when the calling counter could have called who stood there: as `ordering` has it."""
    if there.for_counter is not None and there.for_counter != call.counter:
        return there.for_counter in call.closed and there.service in call.services
    return there.for_counter == call.counter or there.service in call.services


def _code(book: DayBook, call: Called, first: Journey, second: Journey) -> str:
    there = second.before(call.seq)
    if there is None:
        return "entered-later" if second.issued_at < call.at or second.late else "came-later"
    if there.state in _GONE:
        return "left"
    if call.reason is not None:
        return "special-call"
    if there.state is not TicketState.WAITING:
        return "other-held" if there.state is TicketState.HELD else "other-missed"
    if not _callable(call, there):
        return "other-sent" if there.for_counter else "other-service"
    if _order(call, first, call.before) < _order(call, second, there):
        return _lawful(book, call, first, second, there)
    if second.late and not first.late and call.late_before:
        return "late-alternates"
    return "special-call"  # the order of the line does not explain it: a clerk chose


def _order(call: Called, ticket: Journey, place: Place) -> tuple[bool, datetime, int, str]:
    """The rule of `ordering`, as it was at this call."""
    since = max(_given(ticket), place.effective_at)
    in_time = call.at - since < timedelta(minutes=call.goal_min)
    return (in_time, place.effective_at if in_time else since, ticket.number, ticket.label)


def _given(ticket: Journey) -> datetime:
    """When the hall counts it as given: a number of the controller's own, when it was taken in."""
    return ticket.entered_at if ticket.late else ticket.issued_at


def _lawful(book: DayBook, call: Called, first: Journey, second: Journey, there: Place) -> str:
    """Which rule put the first one before the second one, who stood there and could have been called."""
    mine = call.before.effective_at
    by_goal = _order(call, first, call.before)[0] < _order(call, second, there)[0]
    if there.effective_at > second.effective_at and (mine >= second.effective_at or by_goal):
        back = next(
            (p.because for p in reversed(second.places) if p.seq <= there.seq and p.because in _MOVED_BACK),
            "",
        )
        if back:
            return _MOVED_BACK[back]
    if second.appointment and second.issued_at <= mine < second.effective_at:
        return "other-appointment"
    if first.entered > second.entered:
        advantage = _advantage(book, call, first, there)
        if advantage:
            return advantage
    if by_goal and there.effective_at <= mine:
        return "past-goal"
    if call.before.arrived > second.entered and first.entered <= second.entered:
        back = _arrived_by(first, call.before)
        if back:
            return back
    same = first.issued_at == second.issued_at and mine == there.effective_at
    return "same-moment" if same else "earlier"


def _arrived_by(ticket: Journey, place: Place) -> str:
    """How somebody came back into a line who had been in it, or in another, before."""
    kind = next(p.because for p in ticket.places if p.seq == place.arrived)
    if kind == "ticket-transferred":
        return "transferred"
    if kind == "ticket-moved-on":
        return "held-place"
    # Who missed a call waits anew: that is no place kept.
    return "" if place.from_state is TicketState.NO_SHOW else "kept-place"


def _advantage(book: DayBook, call: Called, first: Journey, there: Place) -> str:
    """What brought somebody forward who came into the line later; empty when nothing did."""
    if first.kept is not None:
        return first.kept
    credit = book.credits_min.get(first.priority or "", 0)
    if first.appointment and effective_time(first.effective_at, -credit) < there.effective_at:
        return "appointment"
    if first.priority is not None and call.before.effective_at < first.issued_at:
        plain = effective_time(first.effective_at, -credit)
        if not (first.late and plain < there.effective_at):
            return "credit"
    return "late-merged" if first.late else ""
