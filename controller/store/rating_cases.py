"""Queries about bad ratings' cases, their steps, and managers' telephones."""

from datetime import datetime
from typing import Any

from sqlalchemy import case as sql_case
from sqlalchemy import delete, func, insert, select, update

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.tables import HALL_MANAGERS, RATING_CASE_STEPS, RATING_CASES, RATINGS

__all__ = [
    "add_case",
    "add_step",
    "case",
    "cases_page",
    "change_case",
    "lock_case",
    "manager",
    "overdue",
    "put_manager",
    "remove_manager",
    "steps",
]

Row = dict[str, Any]

_SHOWN = ("service", "counter", "comment", "reasons", "channel")


def add_case(tx: Tx, row: Row) -> int:
    """Open a case; its number."""
    return int(tx.execute(insert(RATING_CASES).values(**row).returning(RATING_CASES.c.id)).scalar_one())


def change_case(tx: Tx, case_id: int, **changes: Any) -> None:
    """Set columns of one case."""
    tx.execute(update(RATING_CASES).where(RATING_CASES.c.id == case_id).values(**changes))


def add_step(tx: Tx, case_id: int, row: Row) -> None:
    """The next step of a case that is held. Raises Clash when somebody else was faster."""
    last = select(func.max(RATING_CASE_STEPS.c.n)).where(RATING_CASE_STEPS.c.case_id == case_id)
    n = (tx.execute(last).scalar() or 0) + 1
    empty = {"assignee": "", "result": "", "text": ""}
    tx.execute(insert(RATING_CASE_STEPS), {**empty, **row, "case_id": case_id, "n": n})


def lock_case(tx: Tx, case_id: int) -> Row | None:
    """The case, held until the transaction ends."""
    query = select(RATING_CASES).where(RATING_CASES.c.id == case_id).with_for_update()
    row = tx.execute(query).mappings().first()
    return dict(row) if row else None


def _joined() -> Any:
    said = (RATINGS.c[name] for name in _SHOWN)
    query = select(RATING_CASES, *said, RATINGS.c.at.label("rated_at"))
    return query.join(RATINGS, RATINGS.c.ticket_id == RATING_CASES.c.ticket_id)


def case(tx: Tx, case_id: int) -> Row | None:
    """The case, and what was said in the rating."""
    row = tx.execute(_joined().where(RATING_CASES.c.id == case_id)).mappings().first()
    return dict(row) if row else None


#: what has to be done next has its own deadline: an answer, then the end
_NEXT_DUE = sql_case(
    (RATING_CASES.c.answered_at.is_(None), RATING_CASES.c.answer_due), else_=RATING_CASES.c.close_due
)


def cases_page(
    tx: Tx, *, hall: str | None, state: str | None, after: int, limit: int, urgent_first: bool = False
) -> list[Row]:
    """Cases as they came; or those that are open, the most urgent first. `state` may be `unfinished`."""
    order = (_NEXT_DUE, RATING_CASES.c.id) if urgent_first else (RATING_CASES.c.id,)
    query = _joined().where(RATING_CASES.c.id > after).order_by(*order).limit(limit)
    if hall is not None:
        query = query.where(RATING_CASES.c.hall == hall)
    if state == "unfinished":
        query = query.where(RATING_CASES.c.state != "closed")
    elif state is not None:
        query = query.where(RATING_CASES.c.state == state)
    return [dict(row) for row in tx.execute(query).mappings()]


def steps(tx: Tx, case_id: int) -> list[Row]:
    """What was done, in order."""
    mine = select(RATING_CASE_STEPS).where(RATING_CASE_STEPS.c.case_id == case_id)
    return [dict(row) for row in tx.execute(mine.order_by(RATING_CASE_STEPS.c.n)).mappings()]


def overdue(tx: Tx, now: datetime) -> list[Row]:
    """Cases that have passed a deadline since they were last looked at, held until the transaction ends."""
    c = RATING_CASES.c
    unanswered = (c.level < 1) & c.answered_at.is_(None) & (c.answer_due <= now)
    unclosed = (c.level < 2) & (c.close_due <= now)
    query = select(RATING_CASES).where(c.state != "closed", unanswered | unclosed).order_by(c.id)
    return [dict(row) for row in tx.execute(query.with_for_update()).mappings()]


def put_manager(tx: Tx, row: Row) -> None:
    """Keep a manager's sealed number."""
    upsert(tx, HALL_MANAGERS, [row])


def remove_manager(tx: Tx, hall: str) -> None:
    """Nobody is told any more."""
    tx.execute(delete(HALL_MANAGERS).where(HALL_MANAGERS.c.hall == hall))


def manager(tx: Tx, hall: str) -> Row | None:
    """Whose telephone tells of this hall's bad ratings."""
    row = tx.execute(select(HALL_MANAGERS).where(HALL_MANAGERS.c.hall == hall)).mappings().first()
    return dict(row) if row else None
