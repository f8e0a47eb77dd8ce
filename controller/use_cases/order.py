"""The order of calls, explained: to a citizen who was passed, and to staff about any two numbers."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from controller.use_cases.citizen import view
from controller.use_cases.context import Context
from controller.use_cases.live import local_time
from hall_core.queueing.explaining import Because, passed, why
from hall_core.queueing.journeys import Called, DayBook, Journey
from hall_ui import words

__all__ = ["order_view", "passed_view"]

Row = dict[str, Any]
#: a citizen is shown so many of those who passed
SHOWN = 50


async def passed_view(context: Context, token: str) -> Row:
    """`{label, n, passed: [{label, code, called_at, text, text_en}], elsewhere}` for the holder of a link;
    newest first. Of others nothing but their labels: neither their class nor a clerk's words.

    Raises UnknownTicket.
    """
    mine = await view(context, token)
    none: Row = {"label": mine["label"], "n": 0, "passed": [], "elsewhere": 0}
    if mine["label"] is None:
        return none  # an appointment that is no number yet
    hall = await context.enrolled_hall(mine["hall"])
    book = await context.day_books.of(context.database, hall.hall, date.fromisoformat(mine["day"]))
    if mine["ticket_id"] not in book.journeys:
        return none  # a number of the controller's own that the hall has not taken in
    found = passed(book, mine["ticket_id"])
    local = _local(context, hall.hall)
    shown = [
        {
            "label": because.first.label,
            "code": because.code,
            "called_at": local(because.call.at).isoformat(),
            **_texts(because, local),
        }
        for because in found.reasons[:SHOWN]
    ]
    return {**none, "n": len(found.reasons), "passed": shown, "elsewhere": found.elsewhere}


async def order_view(
    context: Context, hall: str, day: date | None = None, one: str = "", other: str = ""
) -> Row:
    """`{hall, day, calls, answer}` for staff: the day's calls, newest first, and why `one` was called before
    `other` where both are given; `answer` is None when neither was called.

    Raises UnknownHall, UnknownTicket, BadRequest.
    """
    found = await context.enrolled_hall(hall)
    local = _local(context, hall)
    day = day or context.live.queue_of(found).day or local(context.clock.now()).date()
    book = await context.day_books.of(context.database, hall, day)
    because = why(book, one, other) if one and other else None
    return {
        "hall": hall,
        "day": day.isoformat(),
        "calls": [_call(book, call, local) for call in reversed(book.calls)],
        "answer": _answer(because, local) if because else None,
    }


def _local(context: Context, hall: str) -> Callable[[datetime], datetime]:
    queue = context.live.queue_of(context.hall(hall))
    return lambda at: local_time(queue, at)


def _call(book: DayBook, call: Called, local: Callable[[datetime], datetime]) -> Row:
    ticket = book.journeys[call.ticket_id]
    return {
        "at": local(call.at).isoformat(),
        "label": ticket.label,
        "service": call.before.service,
        "counter": call.counter,
        "issued_at": local(ticket.issued_at).isoformat(),
        "effective_at": local(call.before.effective_at).isoformat(),
        "priority": ticket.priority,
        "reason": call.reason,
    }


def _answer(because: Because, local: Callable[[datetime], datetime]) -> Row:
    """For staff: with the class, the clerk's words and both effective times."""
    there = because.there or (because.second.places[0] if because.second.places else None)
    return {
        "first": because.first.label,
        "second": because.second.label,
        "code": because.code,
        "called_at": local(because.call.at).isoformat(),
        "counter": because.call.counter,
        "first_effective_at": local(because.call.before.effective_at).isoformat(),
        "second_effective_at": local(there.effective_at).isoformat() if there else None,
        "priority": because.first.priority if because.code == "credit" else None,
        "reason": because.call.reason,
        **_texts(because, local),
    }


def _texts(because: Because, local: Callable[[datetime], datetime]) -> Row:
    return {"text": _sentence(because, local, "zh"), "text_en": _sentence(because, local, "en")}


def _sentence(because: Because, local: Callable[[datetime], datetime], lang: str) -> str:
    first, second, call = because.first, because.second, because.call
    place = because.there or second.places[0]
    since = max(first.entered_at if first.late else first.issued_at, call.before.effective_at)
    facts = {
        "first": first.label,
        "second": second.label,
        "time": f"{local(call.at):%H:%M}",
        "came": f"{local(first.issued_at):%H:%M}",
        "entered": f"{local(second.entered_at):%H:%M}",
        "missed": _missed(second, call, local),
        "since": f"{local(place.effective_at):%H:%M}",
        "minutes": int((call.at - since).total_seconds() // 60),
        "goal": call.goal_min,
    }
    return str(words(lang)["order"][because.code]).format(**facts)


def _missed(ticket: Journey, call: Called, local: Callable[[datetime], datetime]) -> str:
    """When the call was that its holder missed."""
    before = [c for c in ticket.calls if c.seq < call.seq]
    return f"{local(before[-1].at):%H:%M}" if before else ""
