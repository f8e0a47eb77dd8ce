"""What citizens thought of their visits: stored once each. A bad one is at once an alarm, a case with
deadlines, and a message to the hall's manager.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controller.store import rating_cases as case_store
from controller.store import ratings as rating_store
from controller.store import tickets as ticket_store
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHalls, local_time
from controller.use_cases.managers import tell_manager
from controller.use_cases.rating_rules import RatingRules
from hall_core.queueing import facts as f
from hall_core.queueing.queue import Queue
from hall_core.queueing.reasons import BAD_SCORE

__all__ = ["BAD_RATING", "RatingDesk", "counter_words"]

#: the alarm's and the notice's kind
BAD_RATING = "bad-rating"


@dataclass(frozen=True, slots=True)
class RatingDesk:
    """Where ratings arrive, whichever way they come."""

    live: LiveHalls
    signature: str
    rules: RatingRules

    def store(self, draft: Draft, row: dict[str, Any]) -> None:
        """One rating. Raises Clash when the visit was rated before."""
        ticket_store.add_rating(draft.tx, {"at": draft.now, **row})
        draft.halls.add(row["hall"])
        if row["score"] <= BAD_SCORE:
            self._open_case(draft, row)

    def settle(self, draft: Draft, hall: str, facts: Iterable[f.Fact]) -> None:
        """Ratings of the hall's evaluators and terminals; one that came over the link before them stands."""
        for fact in facts:
            if isinstance(fact, f.TicketRated):
                self._from_hall(draft, hall, fact)
            elif isinstance(fact, f.TicketRatingExplained):
                rating_store.explain(draft.tx, fact.ticket_id, ",".join(fact.reasons))

    def _from_hall(self, draft: Draft, hall: str, fact: f.TicketRated) -> None:
        # From the table: a hall that was away for a night tells of tickets its queue has forgotten.
        ticket = ticket_store.ticket(draft.tx, fact.ticket_id)
        if ticket is None or ticket["hall"] != hall:
            return
        if ticket_store.rating_of(draft.tx, fact.ticket_id) is not None:
            return
        visit = {name: ticket[name] for name in ("ticket_id", "hall", "label", "service")}
        said = {"score": fact.score, "comment": "", "channel": fact.channel}
        said |= {"counter": fact.counter, "reasons": ",".join(fact.reasons)}
        # A hall whose clock runs ahead does not rate in the future.
        self.store(draft, {**visit, **said, "at": min(fact.at, draft.now)})

    def _open_case(self, draft: Draft, row: dict[str, Any]) -> None:
        hall = self.live.by_id(row["hall"])
        queue = self.live.queue_of(hall) if hall else Queue()
        dues = self.rules.dues(draft.now)
        case = {"opened_at": draft.now, **dues, "state": "open", "assigned_to": "", "level": 0}
        case |= {name: row[name] for name in ("ticket_id", "hall", "label", "score")}
        case_id = case_store.add_case(draft.tx, case)
        case_store.add_step(draft.tx, case_id, {"kind": "opened", "by": row["channel"], "at": draft.now})
        place = row["counter"]
        zh = f"{row['label']} 评价 {row['score']} 分，窗口 {place or '—'}"
        en = f"{row['label']} was rated {row['score']} at counter {place or '-'}"
        draft.raise_alarm(BAD_RATING, row["hall"], row["ticket_id"], zh, en)
        words = {
            "hall": hall.name if hall else row["hall"],
            "label": row["label"],
            "counter": counter_words(queue, place),
            "time": f"{local_time(queue, dues['answer_due']):%m月%d日%H:%M}",
        }
        tell_manager(draft, row["hall"], BAD_RATING, case_id, words, self.signature)


def counter_words(queue: Queue, counter: str | None) -> str:
    """What people call a counter."""
    setup = queue.setup.counter(counter) if queue.setup and counter else None
    return setup.name if setup else f"{counter}号窗口" if counter else "窗口不明"
