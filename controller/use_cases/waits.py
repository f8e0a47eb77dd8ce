"""Whether the waiting times told were true: noted at a number's first call, counted for everybody to see."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from controller.store import days as day_store
from controller.store import waits as wait_store
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import local_time
from hall_core.errors import BadRequest
from hall_core.queueing import facts as f
from hall_core.queueing.queue import Queue, Ticket

__all__ = ["ENOUGH", "calibration", "calibration_of_week", "note_waits"]

#: with fewer visitors a share says nothing and is not shown to the public
ENOUGH = 30
WEEK = timedelta(days=6)
LONGEST = timedelta(days=400)
_SUMS = ("all", "n", "held", "sooner", "later", "width")

Row = dict[str, Any]


def note_waits(
    draft: Draft, hall: str, stream: str, first: int, facts: Iterable[f.Fact], queue: Queue,
    tickets: Mapping[str, Ticket],
) -> None:  # fmt: skip
    """What was told and what became of it, for every first call among the facts `first` … of a stream; and
    where a day begins.
    """
    told, days = [], []
    for n, fact in enumerate(facts, start=first):
        if isinstance(fact, f.BusinessDayOpened):
            days.append({"stream": stream, "n": n, "day": fact.day})
        elif isinstance(fact, f.TicketCalled) and fact.call_no == 1 and fact.ticket_id in tickets:
            told.append(_wait(hall, tickets[fact.ticket_id], fact.at, queue))
    day_store.add_days(draft.tx, days)
    wait_store.add_waits(draft.tx, told)


def _wait(hall: str, ticket: Ticket, called_at: datetime, queue: Queue) -> Row:
    # Who let others pass was told for another place; a slip's range was told when it was read in again.
    holds = ticket.range_min is not None and not ticket.postponed and ticket.channel != "slip"
    low, high = ticket.range_min if ticket.range_min is not None and holds else (None, None)
    return {
        "ticket_id": ticket.ticket_id,
        "hall": hall,
        # Told was the wait for the first service; the ticket may be in another line by now.
        "service": ticket.parts[0].service if ticket.parts else ticket.service,
        "day": ticket.day,
        "hour": local_time(queue, ticket.issued_at).hour,
        "low": low,
        "high": high,
        "minutes": max(0.0, (called_at - ticket.issued_at).total_seconds() / 60),
        "called_at": called_at,
    }


async def calibration(context: Context, hall: str | None, first: date | None, last: date | None) -> Row:
    """`{hall, from, to, n, held, share, width_min, sooner, later, unquoted, services, hours}`; without dates
    those of the last seven business days. Raises UnknownHall, BadRequest.
    """
    queue = context.live.queue_of(await context.enrolled_hall(hall)) if hall is not None else Queue()
    last = last or local_time(queue, context.clock.now()).date()
    first = first or last - WEEK
    if not timedelta(0) <= last - first <= LONGEST:
        raise BadRequest(what="from, to")
    rows = await context.database.read(lambda tx: wait_store.figures(tx, hall, first, last))
    services, hours = _by(rows, "service"), _by(rows, "hour")
    span = {"hall": hall, "from": first.isoformat(), "to": last.isoformat()}
    return {**span, **_shares(rows), "services": services, "hours": hours}


async def calibration_of_week(context: Context, hall: str) -> Row:
    """The last seven days of one hall."""
    return await calibration(context, hall, None, None)


def _by(rows: Iterable[Row], name: str) -> list[Row]:
    parts: dict[Any, list[Row]] = {}
    for row in rows:
        parts.setdefault(row[name], []).append(row)
    return [{name: key, **_shares(parts[key])} for key in sorted(parts)]


def _shares(rows: Iterable[Row]) -> Row:
    """Sums of these rows, and the share of those who were told a time and were called within it."""
    told = list(rows)
    sums = {name: sum(int(row[name]) for row in told) for name in _SUMS}
    n = sums["n"]
    return {
        "n": n,
        "held": sums["held"],
        "share": round(sums["held"] / n, 4) if n else None,
        "width_min": round(sums["width"] / n, 1) if n else None,
        "sooner": sums["sooner"],
        "later": sums["later"],
        "unquoted": sums["all"] - n,
    }
