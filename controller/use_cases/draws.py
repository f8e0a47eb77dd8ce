"""Registering for the draw of a new booking day, and what everybody may see of a draw."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.store import appointments as appointment_store
from controller.store import draws as store
from controller.store.database import Tx
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.phones import mask
from controller.use_cases.promise_rules import GOODWILL
from controller.use_cases.slots import plan_of, slots_of_day
from controller.use_cases.standing import not_paused
from hall_core.errors import (
    AlreadyBooked,
    AlreadyRegistered,
    BadRequest,
    DrawNotOpen,
    IllegalTransition,
    NoSlots,
    RequestIdReused,
    UnknownDraw,
)

__all__ = [
    "BY_DRAW",
    "WISHES",
    "DrawRequest",
    "Registered",
    "as_wish",
    "draw_view",
    "draws_view",
    "entry_by_token",
    "entry_view",
    "register",
    "withdraw",
]

Row = dict[str, Any]
#: who an appointment is booked by that a draw gave
BY_DRAW = "draw"
#: slots somebody may wish for, the dearest first
WISHES = 5
#: a hall's draws are listed so long after they were made; each one can be looked at for ever
LISTED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """What somebody registers: slots they would take, the dearest first. `phone` is who they are."""

    wishes: Sequence[datetime]
    phone: str = field(repr=False)
    channel: str
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """The answer; `repeated` when the same request was answered before."""

    registration: Row
    repeated: bool


def as_wish(starts_at: datetime) -> str:
    """A slot's beginning as it is kept."""
    return starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


async def register(context: Context, draw_id: str, asked: DrawRequest, *, owner: str, key: str) -> Registered:
    """Take part in this draw, once for each person.

    Raises UnknownDraw, DrawNotOpen, NoSlots, BadRequest, PhoneInvalid, BookingPaused, AlreadyBooked,
    AlreadyRegistered, RequestIdReused.
    """
    found = await context.database.read(lambda tx: store.draw(tx, draw_id))
    if found is None:
        raise UnknownDraw
    hall = await context.enrolled_hall(found["hall"])
    wishes = _wishes(context, hall, found, asked)
    body = {"draw": draw_id, "wishes": wishes, "phone": asked.phone, "priority": asked.priority}
    print_ = context.phones.fingerprint({**body, "channel": asked.channel})
    row = _row(context, found, asked, wishes) | {"owner": owner, "key": key, "fingerprint": print_}
    known = await context.change(lambda draft: _enter(context, draft, hall, row))
    if known["fingerprint"] != print_:
        raise RequestIdReused
    answer = {
        "registration": known["entry_id"],
        "draw": draw_id,
        "token": known["token"],
        "url": f"{context.public_url}/t/{known['token']}",
    }
    return Registered(answer, known["entry_id"] != row["entry_id"])


def _wishes(context: Context, hall: LiveHall, found: Row, asked: DrawRequest) -> list[str]:
    """Raises BadRequest, NoSlots for a time that begins no slot of the day."""
    wishes = [as_wish(at) for at in asked.wishes]
    if not 1 <= len(wishes) <= WISHES or len(set(wishes)) != len(wishes):
        raise BadRequest(what=f"wishes: 1 to {WISHES} different slots")
    setup, service, plan = plan_of(context, hall, found["service"])
    if asked.priority is not None and asked.priority not in setup.credits_min.keys() - {GOODWILL}:
        raise BadRequest(what=f"priority {asked.priority!r}")
    slots = {as_wish(slot.starts_at) for slot in slots_of_day(context, hall, service, plan, found["day"])}
    if not slots.issuperset(wishes):
        raise NoSlots(service=service.id)
    return wishes


def _row(context: Context, found: Row, asked: DrawRequest, wishes: list[str]) -> Row:
    entry_id, phone = context.new_id(), asked.phone
    return {
        "entry_id": entry_id,
        "draw_id": found["draw_id"],
        "token": context.new_token(),
        "wishes": json.dumps(wishes),
        "channel": asked.channel,
        "priority": asked.priority,
        "phone_sealed": context.phones.seal(phone, entry_id),
        "phone_masked": mask(phone),
        "phone_index": context.phones.index(phone),
    }


def _enter(context: Context, draft: Draft, hall: LiveHall, row: Row) -> Row:
    # Held until this has committed: whoever makes the draw waits for it, or this comes too late.
    found = store.draw(draft.tx, row["draw_id"], lock=True)
    assert found is not None
    same = store.entry_by_key(draft.tx, row["owner"], row["key"])
    if same is not None:
        return same
    if found["state"] != "open" or not found["opens_at"] <= draft.now < found["closes_at"]:
        opens, until = (local_time(context.live.queue_of(hall), found[n]) for n in ("opens_at", "closes_at"))
        raise DrawNotOpen(opens=f"{opens:%m-%d %H:%M}", until=f"{until:%H:%M}", draw=found["draw_id"])
    not_paused(context, draft, hall, row["phone_index"])
    person = {"person": row["phone_index"], "service": found["service"], "day": found["day"]}
    if appointment_store.open_for_person(draft.tx, person):
        raise AlreadyBooked
    row = {**row, "registered_at": draft.now, "updated_at": draft.now}
    if not store.add_entry(draft.tx, row):
        raise AlreadyRegistered
    return row


async def draws_view(context: Context, hall_id: str) -> list[Row]:
    """A hall's draws: those to come, the one that runs, those of the last week. Raises UnknownHall."""
    hall = await context.enrolled_hall(hall_id)
    since = context.clock.now() - LISTED
    rows = await context.database.read(lambda tx: store.draws_of_hall(tx, hall.hall, since))
    return [_public(context, row) for row in rows]


async def draw_view(context: Context, draw_id: str) -> Row:
    """One draw with what is needed to check it. Of people nothing but registration ids, and these only once
    nobody can register any more. Raises UnknownDraw.
    """

    def look(tx: Tx) -> tuple[Row | None, list[tuple[str, int | None]]]:
        return store.draw(tx, draw_id), store.entries(tx, draw_id)

    row, entries = await context.database.read(look)
    if row is None:
        raise UnknownDraw
    made = row["state"] != "open"
    ranked = sorted((rank, entry_id) for entry_id, rank in entries if rank is not None)
    return {
        **_public(context, row),
        "count": len(entries),
        "registrations": [entry_id for entry_id, _ in entries] if made else None,
        "order": [entry_id for _, entry_id in ranked] if made else None,
    }


def _public(context: Context, row: Row) -> Row:
    """Without the seed until the order is made."""
    hall = context.hall(row["hall"])
    queue, now = context.live.queue_of(hall), context.clock.now()
    service = queue.setup.service(row["service"]) if queue.setup else None
    told = "to-come" if now < row["opens_at"] else "running" if now < row["closes_at"] else "closed"
    return {
        "id": row["draw_id"],
        "hall": row["hall"],
        "hall_name": hall.name,
        "service": row["service"],
        "service_name": service.name if service else row["service"],
        "day": row["day"].isoformat(),
        "opens_at": local_time(queue, row["opens_at"]).isoformat(),
        "closes_at": local_time(queue, row["closes_at"]).isoformat(),
        "state": told if row["state"] == "open" else row["state"],
        "commitment": row["commitment"],
        "seed": row["seed"] if row["state"] != "open" else None,
        "drawn_at": local_time(queue, row["drawn_at"]).isoformat() if row["drawn_at"] else None,
    }


async def entry_by_token(context: Context, token: str) -> Row | None:
    """The registration this link stands for."""
    return await context.database.read(lambda tx: store.entry_by_token(tx, token))


async def entry_view(context: Context, row: Row) -> Row:
    """The citizen's view of a registration: of the same shape as an appointment's, with `draw`."""
    of = await draw_view(context, row["draw_id"])
    hall = context.hall(of["hall"])
    queue = context.live.queue_of(hall)
    wished = (datetime.fromisoformat(wish) for wish in json.loads(row["wishes"]))
    wishes = [local_time(queue, at).isoformat() for at in wished]
    shown = ("id", "day", "state", "opens_at", "closes_at", "commitment", "count")
    nothing = ("label", "ahead", "range_min", "counter", "counter_name", "called_at", "appointment")
    return {
        **dict.fromkeys(nothing),
        "ticket_id": row["entry_id"],
        "state": row["state"],
        "series": "hall",
        "call_no": 0,
        "service": of["service"],
        "service_name": of["service_name"],
        "hall": hall.hall,
        "hall_name": hall.name,
        "day": of["day"],
        "issued_at": row["registered_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
        "last_seen": hall.last_seen.isoformat() if hall.last_seen else None,
        "phone": row["phone_masked"],
        "stale": False,
        "draw": {**{name: of[name] for name in shown}, "rank": row["rank"], "wishes": wishes},
    }


async def withdraw(context: Context, row: Row) -> None:
    """Take no part, or wait no longer. The id stays in the list: the order could not be checked without.

    Raises IllegalTransition.
    """

    def work(draft: Draft) -> None:
        now = store.entry_by_token(draft.tx, row["token"])
        if now is None or now["state"] == "withdrawn":
            return
        if now["state"] not in ("registered", "waiting-list"):
            raise IllegalTransition(label="—", state=now["state"], action="cancel")
        store.change_entry(draft.tx, now["entry_id"], state="withdrawn", updated_at=draft.now)

    await context.change(work)
