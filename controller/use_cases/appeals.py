"""Appeals against a missed appointment, made by its holder; and notices to somebody who booked."""

import json
from typing import Any

from controller.store import appointments as appointment_store
from controller.store import notices as notice_store
from controller.store import promises as store
from controller.store.erasure import APPEAL
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import local_time
from controller.use_cases.notice_kinds import kind_of, own_wording
from controller.use_cases.phones import mask_all
from hall_core.errors import BadRequest, IllegalTransition

__all__ = ["APPEAL", "LONGEST", "appeal", "notice_to_holder"]

Row = dict[str, Any]
LONGEST = 200


async def appeal(context: Context, row: Row, text: str) -> None:
    """Say why one could not come, once for a missed appointment; the same words again are one appeal.

    Until it is decided booking is not paused, the first time in the days that count. Raises BadRequest,
    IllegalTransition.
    """
    said = mask_all(text.strip())
    if not said or len(said) > LONGEST:
        raise BadRequest(what="text")

    def work(draft: Draft) -> None:
        now = appointment_store.appointment(draft.tx, row["appointment_id"])
        assert now is not None
        if now["state"] != "missed":
            raise IllegalTransition(label=now["code"], state=now["state"], action="appeal")
        before = draft.now - context.promises.within
        index = now["phone_index"]
        fresh = {
            "appointment_id": now["appointment_id"],
            "hall": now["hall"],
            "text": said,
            "suspends": index is not None and not store.suspended_since(draft.tx, index, before),
            "made_at": draft.now,
        }
        made = store.appeal_of(draft.tx, now["appointment_id"])
        if made is None:
            made = store.add_appeal(draft.tx, fresh)
            zh, en = "有群众对预约未到提出申诉，请处理", "Somebody appeals against a missed appointment"
            draft.raise_alarm(APPEAL, now["hall"], str(made["id"]), zh, en)
        if made["text"] != said:
            raise IllegalTransition(label=now["code"], state="appealed", action="appeal")

    await context.change(work)


def notice_to_holder(context: Context, draft: Draft, row: Row, kind: str, words: dict[str, str]) -> None:
    """One notice of a kind to who booked, if they left a number; `time` is the appointment's."""
    if not row["phone_sealed"]:
        return
    queue = context.live.queue_of(context.hall(row["hall"]))
    time = f"{local_time(queue, row['starts_at']):%m月%d日%H:%M}"
    text, used = own_wording(kind, context.signature, {**words, "time": time})
    about = kind_of(kind)
    notice = {
        "ticket_id": row["appointment_id"],
        "kind": kind,
        "call_no": 0,
        "hall": row["hall"],
        "priority": about.urgency,
        "text": text,
        "words": json.dumps(used, ensure_ascii=False),
        "state": "pending",
        "reason": "",
        "client_ref": f"{row['appointment_id']}.{kind}.0",
        "provider_id": "",
        "attempts": 0,
        "made_at": draft.now,
        "next_at": draft.now,
        "not_after": draft.now + about.useful,
        "updated_at": draft.now,
        "phone_sealed": row["phone_sealed"],
    }
    notice_store.add_notices(draft.tx, [notice])
    draft.notices += 1
