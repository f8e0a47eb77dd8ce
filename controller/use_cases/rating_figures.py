"""Ratings as people look at them: found again, ranked by hall, as a table for a spreadsheet."""

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from controller.store import ratings as store
from controller.store.database import Tx
from controller.store.ratings import Wanted
from controller.use_cases.context import Context
from controller.use_cases.live import DEFAULT_ZONE
from controller.use_cases.ranking import HallFigures, ranking
from controller.use_cases.views import plain
from hall_core.errors import BadRequest

__all__ = [
    "COLUMNS",
    "EARLIEST",
    "LATEST",
    "Days",
    "as_csv",
    "midnight",
    "ranking_view",
    "rating_row",
    "ratings_view",
]

_ZONE = ZoneInfo(DEFAULT_ZONE)
#: days outside are mistakes
EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
LONGEST_DAYS = 366
USUAL_DAYS = 30
#: columns of the ranking as a table, in their order
COLUMNS = (
    *("rank", "hall", "name", "n", "average", "satisfied", "satisfied_low", "satisfied_high"),
    *("visits", "response_rate", "unrated_long_ago", "cases", "answered_in_time"),
)


class Days:
    """The days from `first` to `last`, both included; without them the last thirty. Raises BadRequest."""

    def __init__(self, now: datetime, first: date | None, last: date | None) -> None:
        today = now.astimezone(_ZONE).date()
        if any(day is not None and not EARLIEST <= day <= LATEST for day in (first, last)):
            raise BadRequest(what="from, to")
        self.last = last or (max(today, first) if first else today)
        self.first = first or self.last - timedelta(days=USUAL_DAYS - 1)
        if not timedelta() <= self.last - self.first < timedelta(days=LONGEST_DAYS):
            raise BadRequest(what="from, to")

    def bounds(self) -> tuple[datetime, datetime]:
        """From midnight to midnight on the district's clock."""
        return midnight(self.first), midnight(self.last + timedelta(days=1))


def midnight(day: date) -> datetime:
    """The day's beginning on the district's clock."""
    return datetime(day.year, day.month, day.day, tzinfo=_ZONE)


async def ratings_view(
    context: Context, wanted: Wanted, *, after: int = 0, limit: int = 50, newest_first: bool = False
) -> list[dict[str, Any]]:
    """Ratings that fit, with the number and state of their cases."""
    rows = await context.database.read(
        lambda tx: store.found(tx, wanted, after=after, limit=limit, newest_first=newest_first)
    )
    return [rating_row(row) for row in rows]


def rating_row(row: dict[str, Any]) -> dict[str, Any]:
    """A rating as JSON takes it, its reasons as a list."""
    return {**plain(row), "reasons": [reason for reason in row["reasons"].split(",") if reason]}


async def ranking_view(context: Context, first: date | None, last: date | None) -> dict[str, Any]:
    """`{from, to, default_days, halls}`: every hall with its figures of these days. Raises BadRequest."""
    now = context.clock.now()
    days = Days(now, first, last)
    names = {hall.hall: hall.name for hall in context.live}
    figures = await context.database.read(lambda tx: _figures(tx, context, sorted(names), days, now))
    return {
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "default_days": context.rating_rules.default_days,
        "halls": ranking(figures, names),
    }


def _figures(tx: Tx, context: Context, halls: list[str], days: Days, now: datetime) -> list[HallFigures]:
    found = {hall: HallFigures(hall) for hall in halls}
    since, until = days.bounds()
    silent_days = context.rating_rules.default_days
    silent_before = now - timedelta(days=silent_days) if silent_days else None
    for row in store.scores(tx, since, until):
        if row["hall"] in found:
            found[row["hall"]].scores[row["score"]] = row["n"]
    for row in store.visits(tx, halls, days.first, days.last, silent_before):
        one = found[row["hall"]]
        one.finished, one.rated, one.silent = row["finished"], row["rated"], int(row["silent"])
    for row in store.case_figures(tx, since, until, now):
        if row["hall"] in found:
            one = found[row["hall"]]
            one.cases, one.due, one.in_time = row["cases"], int(row["due"]), int(row["in_time"])
    return list(found.values())


def as_csv(rows: list[dict[str, Any]], heads: Mapping[str, str]) -> str:
    """The ranking for a spreadsheet: with a mark that tells it the encoding, and no cell that computes."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow([heads.get(name, name) for name in COLUMNS])
    for row in rows:
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    # A cell that begins like a formula would be computed by whoever opens the table.
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return "" if value is None else f"'{value}" if is_formula else value
