"""What citizens thought of their visits: stored once each; a bad one is an alarm at once."""

from typing import Any

from controller.store import tickets as ticket_store
from controller.use_cases.draft import Draft

__all__ = ["store_hall_rating", "store_rating"]

#: such a score wants an answer
BAD_SCORE = 2


def store_rating(draft: Draft, row: dict[str, Any]) -> None:
    """A rating from the citizen's page. Raises Clash when the visit was rated before."""
    ticket_store.add_rating(draft.tx, {**row, "at": draft.now})
    _look(draft, row)


def store_hall_rating(draft: Draft, row: dict[str, Any]) -> None:
    """A rating from an evaluator of the hall; one from the page before it stands."""
    if ticket_store.rating_of(draft.tx, row["ticket_id"]) is None:
        store_rating(draft, row)


def _look(draft: Draft, row: dict[str, Any]) -> None:
    if row["score"] > BAD_SCORE:
        return
    place = row["counter"]
    zh = f"{row['label']} 评价 {row['score']} 分，窗口 {place or '—'}"
    en = f"{row['label']} was rated {row['score']} at counter {place or '-'}"
    draft.raise_alarm("bad-rating", row["hall"], row["ticket_id"], zh, en)
