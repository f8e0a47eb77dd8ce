"""The telephone of a hall's manager: kept sealed, shown masked, and told of bad ratings.

A manager's notice belongs to no ticket: it stands under `manager-<hall>`, to which the number is sealed, and
is told apart by the number of its case.
"""

import json
from datetime import datetime
from typing import Any

from controller.store import notices as notice_store
from controller.store import rating_cases as store
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.phones import mask
from hall_core.queueing.wordings import KINDS, wording

__all__ = ["forget_manager", "manager_view", "set_manager", "tell_manager"]


def _name(hall: str) -> str:
    return f"manager-{hall}"


async def set_manager(context: Context, hall_id: str, phone: str, who: str) -> dict[str, Any]:
    """Keep this number, sealed. Raises UnknownHall, PhoneInvalid."""
    hall = await context.enrolled_hall(hall_id)
    sealed = context.phones.seal(phone, _name(hall.hall))
    row = {"hall": hall.hall, "phone_sealed": sealed, "phone_masked": mask(phone), "set_by": who}
    await context.change(lambda draft: store.put_manager(draft.tx, {**row, "set_at": draft.now}))
    return await manager_view(context, hall_id)


async def forget_manager(context: Context, hall_id: str) -> None:
    """Nobody is called any more. Raises UnknownHall."""
    hall = await context.enrolled_hall(hall_id)
    await context.change(lambda draft: store.remove_manager(draft.tx, hall.hall))


async def manager_view(context: Context, hall_id: str) -> dict[str, Any]:
    """`{hall, phone}`, masked; `phone` is None when nobody is told. Raises UnknownHall."""
    hall = await context.enrolled_hall(hall_id)
    row = await context.database.read(lambda tx: store.manager(tx, hall.hall))
    return {"hall": hall.hall, "phone": row["phone_masked"] if row else None}


def tell_manager(
    draft: Draft, hall: str, kind: str, mark: int, words: dict[str, str], signature: str
) -> bool:
    """Write a notice to the hall's manager; False when no number is kept. The same `mark` is told once."""
    row = store.manager(draft.tx, hall)
    if row is None:
        return False
    text, used = wording(kind, signature, words)
    notice_store.add_notices(
        draft.tx,
        [
            _notice(hall, kind, mark, draft.now)
            | {
                "text": text,
                "words": json.dumps(used, ensure_ascii=False),
                "phone_sealed": row["phone_sealed"],
            }
        ],
    )
    draft.notices += 1
    return True


def _notice(hall: str, kind: str, mark: int, now: datetime) -> dict[str, Any]:
    return {
        "ticket_id": _name(hall),
        "kind": kind,
        "call_no": mark,
        "hall": hall,
        "priority": KINDS[kind].urgency,
        "state": "pending",
        "reason": "",
        "client_ref": f"{_name(hall)}.{kind}.{mark}",
        "provider_id": "",
        "attempts": 0,
        "made_at": now,
        "next_at": now,
        "not_after": now + KINDS[kind].useful,
        "updated_at": now,
    }
