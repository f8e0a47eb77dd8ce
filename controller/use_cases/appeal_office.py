"""Appeals in the manager's hands: listed with what was missed, granted or refused with an answer."""

from datetime import datetime
from typing import Any

from controller.store import appointments as appointment_store
from controller.store import promises as store
from controller.store.database import Tx
from controller.use_cases.appeals import APPEAL, LONGEST, notice_to_holder
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.phones import mask_all
from controller.use_cases.views import plain
from hall_core.errors import AppealDecided, BadRequest, UnknownAppeal

__all__ = ["appeals_view", "decide"]

Row = dict[str, Any]
_OUTCOMES = {"granted": "申诉成立", "refused": "申诉未成立"}


async def appeals_view(
    context: Context, *, hall: str | None, state: str | None, after: int = 0, limit: int = 1000
) -> list[Row]:
    """Appeals with what was missed; `days` are the missed days that count now, this one included."""
    now = context.clock.now()

    def look(tx: Tx) -> list[Row]:
        rows = store.appeals_page(tx, hall=hall, state=state, after=after, limit=limit)
        since = now - context.promises.within
        return [{**row, "days": _days(tx, row["phone_index"], since)} for row in rows]

    return [_shown(row) for row in await context.database.read(look)]


def _days(tx: Tx, phone_index: str | None, since: datetime) -> int:
    if phone_index is None:
        return 0
    return len({row["day"] for row in store.misses(tx, phone_index, since)})


async def decide(context: Context, appeal_id: int, *, grant: bool, answer: str, who: str) -> Row:
    """Grant it: the appointment does not count as missed. Or refuse it; both with an answer.

    The same decision sent again is one. Raises BadRequest, UnknownAppeal, AppealDecided.
    """
    said = mask_all(answer.strip())
    if not said or len(said) > LONGEST:
        raise BadRequest(what="answer")
    state = "granted" if grant else "refused"

    def work(draft: Draft) -> Row:
        row = store.appeal(draft.tx, appeal_id, lock=True)
        if row is None:
            raise UnknownAppeal
        if row["state"] != "open":
            if (row["state"], row["answer"]) != (state, said):
                raise AppealDecided(by=row["decided_by"].partition(":")[2])
            return row
        changes = {"state": state, "answer": said, "decided_by": who, "decided_at": draft.now}
        store.decide(draft.tx, appeal_id, **changes)
        missed = appointment_store.appointment(draft.tx, row["appointment_id"])
        assert missed is not None
        if grant and missed["state"] == "missed":
            excused = {"state": "excused", "updated_at": draft.now}
            appointment_store.change_appointment(draft.tx, row["appointment_id"], **excused)
        draft.end_alarm(APPEAL, row["hall"], str(appeal_id))
        draft.halls.add(row["hall"])
        notice_to_holder(context, draft, missed, "appeal-decided", {"outcome": _OUTCOMES[state]})
        return {**row, **changes}

    return _shown(await context.change(work))


def _shown(row: Row) -> Row:
    return {**plain(row, without=("phone_index", "phone_masked")), "phone": row["phone_masked"]}
