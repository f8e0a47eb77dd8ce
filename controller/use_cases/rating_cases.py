"""Bad ratings are put right: each step by whom and when, and an alarm for whatever takes too long."""

import asyncio
import logging
from typing import Any

from controller.store import rating_cases as store
from controller.store.database import STORAGE_DOWN
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHalls
from controller.use_cases.managers import tell_manager
from controller.use_cases.phones import mask_all
from controller.use_cases.rating_rules import CALL_RESULTS, after_step, steps_from
from controller.use_cases.ratings import BAD_RATING, counter_words
from controller.use_cases.views import plain
from hall_core.errors import BadRequest, UnknownCase
from hall_core.queueing.queue import Queue

__all__ = ["OVERDUE", "CaseKeeper", "case_row", "case_view", "cases_view", "take_step"]

logger = logging.getLogger(__name__)

#: deadlines are hours; so often somebody looks
LOOK_S = 30.0
#: the alarm's and the notice's kind
OVERDUE = "rating-overdue"
#: who writes the steps that nobody takes
SYSTEM = "system"
LONGEST_NAME, LONGEST_TEXT = 40, 500
#: what a step needs, and which of a step's columns are compared to know a form that was sent twice
_KINDS = {"assign": "assigned", "answer": "answered", "call-back": "called-back", "close": "closed"}
_SAID = ("kind", "by", "assignee", "result", "text")


async def cases_view(
    context: Context,
    *,
    hall: str | None,
    state: str | None,
    after: int = 0,
    limit: int = 1000,
    urgent_first: bool = False,
) -> list[dict[str, Any]]:
    """Cases with what was said in the rating; `late` is the deadline that has passed."""
    rows = await context.database.read(
        lambda tx: store.cases_page(
            tx, hall=hall, state=state, after=after, limit=limit, urgent_first=urgent_first
        )
    )
    return [case_row(context, row) for row in rows]


async def case_view(context: Context, case_id: int) -> dict[str, Any]:
    """One case with its `steps`, and what `may` be done next. Raises UnknownCase."""
    row, steps = await context.database.read(lambda tx: (store.case(tx, case_id), store.steps(tx, case_id)))
    if row is None:
        raise UnknownCase(case=case_id)
    shown = [plain(step, without=("case_id",)) for step in steps]
    return {**case_row(context, row), "steps": shown, "may": steps_from(row["state"])}


def case_row(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    """A case as the API and the pages show it."""
    now = context.clock.now()
    open_ = row["state"] != "closed"
    unanswered = open_ and row["answered_at"] is None and row["answer_due"] <= now
    late = "close" if open_ and row["close_due"] <= now else "answer" if unanswered else ""
    reasons = [reason for reason in row["reasons"].split(",") if reason]
    return {**plain(row), "reasons": reasons, "late": late}


async def take_step(context: Context, case_id: int, step: str, who: str, **said: str) -> dict[str, Any]:
    """`assign` (`to`), `answer` (`text`), `call-back` (`result`, `text`), `close` (`text`), by `who`.

    The same step by the same person with the same words, sent again at once, is one step. Raises BadRequest,
    UnknownCase, CaseNotReady.
    """
    row = _checked(step, who, said)
    await context.change(lambda draft: _step(draft, context.live, case_id, step, row))
    return await case_view(context, case_id)


def _checked(step: str, who: str, said: dict[str, str]) -> dict[str, str]:
    """The step's columns. Raises BadRequest for what is missing or too long."""
    text = mask_all(said.get("text", "").strip())
    to, result = mask_all(said.get("to", "").strip()), said.get("result", "")
    if len(text) > LONGEST_TEXT or (step == "answer" and not text):
        raise BadRequest(what="text")
    if (step == "assign" and not to) or len(to) > LONGEST_NAME:
        raise BadRequest(what="to")
    if step == "call-back" and result not in CALL_RESULTS:
        raise BadRequest(what="result")
    of = {"assign": {"assignee": to}, "call-back": {"result": result}}.get(step, {})
    return {"kind": _KINDS[step], "by": who, "assignee": "", "result": "", "text": text, **of}


def _step(draft: Draft, live: LiveHalls, case_id: int, step: str, row: dict[str, str]) -> None:
    case = store.lock_case(draft.tx, case_id)
    if case is None:
        raise UnknownCase(case=case_id)
    last = store.steps(draft.tx, case_id)[-1]
    if all(last[name] == row[name] for name in _SAID):
        return
    changes: dict[str, Any] = {"state": after_step(case["state"], step, case["label"])}
    if step == "assign":
        changes["assigned_to"] = row["assignee"]
    elif step == "answer" and case["answered_at"] is None:
        changes["answered_at"] = draft.now
    elif step == "close":
        changes["closed_at"] = draft.now
    store.change_case(draft.tx, case_id, **changes)
    store.add_step(draft.tx, case_id, {**row, "at": draft.now})
    # Somebody has it in hand; from here on only the deadlines urge.
    draft.end_alarm(BAD_RATING, case["hall"], case["ticket_id"])
    if step in ("answer", "close"):
        draft.end_alarm(OVERDUE, case["hall"], _subject(case, 1))
    if step == "close":
        for hall in {case["hall"], _above(live, case["hall"])}:
            draft.end_alarm(OVERDUE, hall, _subject(case, 2))
    draft.halls.add(case["hall"])


def _above(live: LiveHalls, hall_id: str) -> str:
    """The hall that answers for this one; a hall without one above it answers for itself."""
    hall = live.by_id(hall_id)
    return (hall and hall.parent) or hall_id


def _subject(case: dict[str, Any], level: int) -> str:
    return f"case-{case['id']}-{level}"


class CaseKeeper:
    """Watches the deadlines: a late answer is an alarm of its hall, a late end one of the hall above it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self) -> None:
        """Look every half minute, for ever."""
        while True:
            try:
                await self.look()
            except STORAGE_DOWN:
                logger.exception("rating cases wait for the database")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """One round over the cases that have passed a deadline. A quiet round writes nothing."""
        now = self._context.clock.now()
        if await self._context.database.read(lambda tx: store.overdue(tx, now)):
            await self._context.change(self._urge)

    def _urge(self, draft: Draft) -> None:
        for case in store.overdue(draft.tx, draft.now):
            level = 2 if case["close_due"] <= draft.now else 1
            store.change_case(draft.tx, case["id"], level=level)
            missed = "close" if level == 2 else "answer"
            step = {"kind": "overdue", "by": SYSTEM, "at": draft.now, "result": missed}
            store.add_step(draft.tx, case["id"], step)
            self._alarm(draft, case, level)

    def _alarm(self, draft: Draft, case: dict[str, Any], level: int) -> None:
        """In the hall itself, then at the hall above it."""
        live = self._context.live
        hall = live.by_id(case["hall"])
        above = _above(live, case["hall"]) if level == 2 else case["hall"]
        name = hall.name if hall else case["hall"]
        what, what_en = ("办结", "closed") if level == 2 else ("答复", "answered")
        zh = f"{name} 的差评 {case['label']} 超过期限没有{what}"
        en = f"The bad rating of {case['label']} at {name} was not {what_en} in time"
        draft.raise_alarm(OVERDUE, above, _subject(case, level), zh, en)
        queue = live.queue_of(hall) if hall else Queue()
        row = store.case(draft.tx, case["id"]) or {}
        words = {"hall": name, "label": case["label"], "counter": counter_words(queue, row.get("counter"))}
        tell_manager(draft, above, OVERDUE, case["id"] * 2 + level - 1, words, self._context.signature)
