"""Queries about ratings: found again, explained, and counted for each hall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select, update

from controller.store.database import Tx
from controller.store.tables import RATING_CASES, RATINGS, TICKETS

__all__ = ["BY_LINK", "Wanted", "case_figures", "explain", "found", "scores", "visits"]

Row = dict[str, Any]

#: ratings that came over a citizen's own link: no evaluator explains them
BY_LINK = "web"
#: a ticket is from the day it was given, give or take the zone of its hall
ABOUT_A_DAY = timedelta(days=2)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ratings somebody looks for: what is None does not matter. `text` may stand in the comment or be
    the label, the service or the counter.
    """

    hall: str | None = None
    score: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    reason: str | None = None

    def conditions(self) -> list[Any]:
        """As SQL."""
        c = RATINGS.c
        listed = "," + c.reasons + ","
        made = [
            (self.hall, c.hall == self.hall),
            (self.score, c.score == self.score),
            (self.since, c.at >= (self.since or LONG_AGO)),
            (self.until, c.at < (self.until or LONG_AGO)),
            (self.text, self._says()),
            (self.reason, listed.contains(f",{self.reason},", autoescape=True)),
        ]
        return [condition for value, condition in made if value is not None]

    def _says(self) -> Any:
        c, text = RATINGS.c, self.text or ""
        exact = [func.lower(column) == text.lower() for column in (c.label, c.service, c.counter)]
        return or_(c.comment.icontains(text, autoescape=True), *exact)


def found(tx: Tx, wanted: Wanted, *, after: int, limit: int, newest_first: bool = False) -> list[Row]:
    """Ratings with the number and state of their cases. `after` is the last `id` seen, in either order."""
    order = RATINGS.c.id.desc() if newest_first else RATINGS.c.id
    query = (
        select(RATINGS, RATING_CASES.c.id.label("case_id"), RATING_CASES.c.state.label("case_state"))
        .join(RATING_CASES, RATING_CASES.c.ticket_id == RATINGS.c.ticket_id, isouter=True)
        .where(*wanted.conditions())
        .order_by(order)
        .limit(limit)
    )
    if after:
        query = query.where(RATINGS.c.id < after if newest_first else RATINGS.c.id > after)
    return [dict(row) for row in tx.execute(query).mappings()]


def explain(tx: Tx, ticket_id: str, reasons: str) -> None:
    """Add the reasons to a rating that was given in the hall and has none yet."""
    mine = (RATINGS.c.ticket_id == ticket_id) & (RATINGS.c.reasons == "") & (RATINGS.c.channel != BY_LINK)
    tx.execute(update(RATINGS).where(mine).values(reasons=reasons))


def scores(tx: Tx, since: datetime, until: datetime) -> list[Row]:
    """`{hall, score, n}`: how often each score was given."""
    query = select(RATINGS.c.hall, RATINGS.c.score, func.count().label("n"))
    query = query.where(RATINGS.c.at >= since, RATINGS.c.at < until)
    return [dict(row) for row in tx.execute(query.group_by(RATINGS.c.hall, RATINGS.c.score)).mappings()]


def visits(
    tx: Tx, halls: Sequence[str], first: date, last: date, silent_before: datetime | None
) -> list[Row]:
    """`{hall, finished, rated, silent}`: visits of these business days that are over, how many were rated,
    and how many ended before `silent_before` without a rating.
    """
    c = TICKETS.c
    unrated = RATINGS.c.id.is_(None)
    is_silent = and_(unrated, c.ended_at < silent_before) if silent_before is not None else None
    silent = func.sum(case((is_silent, 1), else_=0)) if is_silent is not None else func.sum(0)
    query = (
        select(
            c.hall,
            func.count().label("finished"),
            func.count(RATINGS.c.id).label("rated"),
            silent.label("silent"),
        )
        .join(RATINGS, RATINGS.c.ticket_id == c.ticket_id, isouter=True)
        .where(c.state == "finished", c.merged_into.is_(None), c.day >= first, c.day <= last)
        # said again in what the index knows
        .where(c.hall.in_(halls), c.issued_at >= _at(first) - ABOUT_A_DAY)
        .where(c.issued_at < _at(last) + ABOUT_A_DAY)
        .group_by(c.hall)
    )
    return [dict(row) for row in tx.execute(query).mappings()]


def case_figures(tx: Tx, since: datetime, until: datetime, now: datetime) -> list[Row]:
    """`{hall, cases, due, in_time}`: cases opened in this time, those whose answer has come or is late, and
    those answered in time.
    """
    c = RATING_CASES.c
    settled = c.answered_at.is_not(None) | (c.answer_due <= now)
    in_time = c.answered_at <= c.answer_due
    query = (
        select(
            c.hall,
            func.count().label("cases"),
            func.sum(case((settled, 1), else_=0)).label("due"),
            func.sum(case((in_time, 1), else_=0)).label("in_time"),
        )
        .where(c.opened_at >= since, c.opened_at < until)
        .group_by(c.hall)
    )
    return [dict(row) for row in tx.execute(query).mappings()]


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
