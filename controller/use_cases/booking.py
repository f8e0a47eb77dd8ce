"""Appointments: booked here, told to the hall ahead, so that the check-in works without any uplink.

The place and the appointment are taken in one transaction, with the wish to the hall: what a citizen
was promised is in the hall's list as soon as the hall can be reached, however long that takes.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from controller.store import appointments as store
from controller.store import draws as draw_store
from controller.store import promises as promise_store
from controller.store.database import Clash, Tx
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.fairness import free_place
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.phones import mask
from controller.use_cases.promise_rules import GOODWILL
from controller.use_cases.slots import open_slot, plan_or_default
from controller.use_cases.standing import not_paused, spend_credit
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.errors import (
    AlreadyBooked,
    AppointmentUsed,
    BadRequest,
    DrawRunning,
    IdentityNeeded,
    IllegalTransition,
    RequestIdReused,
    SlotFull,
)
from hall_core.queueing.commands import BookAppointment, DropAppointment
from hall_core.schedule.slots import Slot, SlotPlan

__all__ = [
    "BOOK_PREFIX",
    "AppointmentRequest",
    "Booked",
    "book",
    "cancel_appointment",
    "expect_again",
    "move_appointment",
    "promise",
]

#: request ids of the wishes, by appointment
BOOK_PREFIX = f"{REQUEST_PREFIX}book-"


@dataclass(frozen=True, slots=True)
class AppointmentRequest:
    """What somebody asks for. `starts_at` begins a slot; `phone` is 11 digits, sealed at once; its keyed
    digest is whom the appointment belongs to.
    """

    service: str
    starts_at: datetime
    channel: str
    phone: str | None = field(default=None, repr=False)
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """The answer; `repeated` when the same request was answered before."""

    appointment: dict[str, Any]
    repeated: bool


async def book(context: Context, hall_id: str, asked: AppointmentRequest, *, owner: str, key: str) -> Booked:
    """The appointment for this request.

    Raises UnknownHall, UnknownService, HallUnreachable, NoSlots, SlotFull, PhoneInvalid, BookingPaused,
    AlreadyBooked, IdentityNeeded, DrawRunning, RequestIdReused.
    """
    hall = await context.enrolled_hall(hall_id)
    body = {"hall": hall_id, **asdict(asked), "starts_at": asked.starts_at.isoformat()}
    print_ = context.phones.fingerprint(body)
    known = await context.database.read(lambda tx: store.appointment_by_key(tx, owner, key))
    repeated = known is not None
    if known is None:
        slot, plan = open_slot(context, hall, asked.service, asked.starts_at)
        same = {"owner": owner, "key": key, "fingerprint": print_}
        row = _row(context, hall, asked, slot, same)
        known = await context.change(lambda draft: _take(context, draft, hall, row, plan))
        repeated = known["appointment_id"] != row["appointment_id"]
    if known["fingerprint"] != print_:
        raise RequestIdReused
    return Booked(_answer(context, known), repeated)


def _row(
    context: Context, hall: LiveHall, asked: AppointmentRequest, slot: Slot, same: dict[str, str]
) -> dict[str, Any]:
    setup = context.live.queue_of(hall).setup
    known = (setup.credits_min.keys() if setup else set()) - {GOODWILL}
    if asked.priority is not None and asked.priority not in known:
        raise BadRequest(what=f"priority {asked.priority!r}")
    appointment_id, token, phone = context.new_id(), context.new_token(), asked.phone
    return {
        **same,
        "appointment_id": appointment_id,
        "hall": hall.hall,
        "service": asked.service,
        "day": slot.starts_at.date(),
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "token": token,
        "state": "booked",
        "booking": 1,
        "channel": asked.channel,
        "priority": asked.priority,
        "phone_sealed": context.phones.seal(phone, appointment_id) if phone else None,
        "phone_masked": mask(phone) if phone else None,
        "phone_index": (index := context.phones.index(phone) if phone else None),
        "person": index,
    }


def _take(
    context: Context, draft: Draft, hall: LiveHall, row: dict[str, Any], plan: SlotPlan
) -> dict[str, Any]:
    if plan.draw_min and row["person"] is None:
        raise IdentityNeeded
    not_paused(context, draft, hall, row["phone_index"])
    _not_drawn(context, draft, hall, row["service"], row["day"])
    made = promise(context, draft, hall, row, plan)
    if made is not None:
        return made
    # Sent twice at once, the first one of them was quicker.
    same = store.appointment_by_key(draft.tx, row["owner"], row["key"])
    if same is None:
        raise AlreadyBooked
    return same


def promise(
    context: Context, draft: Draft, hall: LiveHall, row: dict[str, Any], plan: SlotPlan
) -> dict[str, Any] | None:
    """Place, appointment and wish, all or none of them; None when the request has its appointment, or its
    person another one of this day. Raises SlotFull.
    """
    if not store.take_place(draft.tx, hall.hall, row["service"], row["starts_at"], plan.places):
        raise SlotFull
    code = _free_code(draft.tx, hall.hall, row["token"])
    row = {**row, "code": code, "booked_at": draft.now, "updated_at": draft.now}
    row = spend_credit(context, draft, hall, row)
    if not store.add_appointment(draft.tx, row):
        promise_store.free_credit(draft.tx, row["appointment_id"])
        store.give_place(draft.tx, hall.hall, row["service"], row["starts_at"])
        return None
    _expect(draft, hall, row)
    return row


def _not_drawn(context: Context, draft: Draft, hall: LiveHall, service: str, day: date) -> None:
    """Raises DrawRunning for a day whose places wait for their draw."""
    found = draw_store.draw_of_day(draft.tx, hall.hall, service, day)
    if found is not None and found["state"] != "allotted":
        until = local_time(context.live.queue_of(hall), found["closes_at"])
        raise DrawRunning(until=f"{until:%H:%M}", draw=found["draw_id"])


def _free_code(tx: Tx, hall: str, token: str) -> str:
    """Six digits that nobody else who is expected has; they follow from the link, which nobody can guess."""
    for attempt in range(1_000):
        digest = sha256(f"{token}.{attempt}".encode()).digest()
        code = f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"
        if not store.code_in_use(tx, hall, code):
            return code
    raise SlotFull


def _expect(draft: Draft, hall: LiveHall, row: dict[str, Any]) -> None:
    """Wish the hall to expect them, in the same transaction."""
    masked = row["phone_masked"]
    command = BookAppointment(
        request_id=f"{BOOK_PREFIX}{row['appointment_id']}.{row['booking']}.{(draft.box(hall) or '')[-8:]}",
        appointment_id=row["appointment_id"],
        token=row["token"],
        code=row["code"],
        service=row["service"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        channel=row["channel"],
        priority=row["priority"],
        phone_sealed=row["phone_sealed"],
        phone_tail=masked[-2:] if masked else None,
    )
    wish(draft, hall, [command])


def expect_again(draft: Draft, hall: LiveHall, rows: list[dict[str, Any]]) -> None:
    """A box that replaces another does not know who was promised what."""
    for row in rows:
        _expect(draft, hall, row)


async def cancel_appointment(context: Context, row: dict[str, Any]) -> None:
    """Give it up; the place comes back after a while. Raises IllegalTransition, AppointmentUsed."""
    hall = context.hall(row["hall"])
    if row["state"] == "cancelled":
        return

    def work(draft: Draft) -> None:
        now = _still_booked(draft, row, "cancel")
        free_place(draft, context.fairness, now, plan_or_default(context, hall, now["service"]))
        store.change_appointment(draft.tx, row["appointment_id"], state="cancelled", updated_at=draft.now)
        promise_store.free_credit(draft.tx, row["appointment_id"])
        request_id = f"{REQUEST_PREFIX}drop-{row['appointment_id']}"
        drop = DropAppointment(request_id=request_id, appointment_id=row["appointment_id"], reason="群众取消")
        wish(draft, hall, [drop])
        draft.halls.add(hall.hall)

    await context.change(work)


async def move_appointment(context: Context, row: dict[str, Any], starts_at: datetime) -> None:
    """Another slot of the same service. Raises NoSlots, SlotFull, DrawRunning, AlreadyBooked,
    IllegalTransition, AppointmentUsed.
    """
    hall = context.hall(row["hall"])
    slot, plan = open_slot(context, hall, row["service"], starts_at)

    def work(draft: Draft) -> None:
        now = _still_booked(draft, row, "move")
        if now["starts_at"] == slot.starts_at:
            return
        day = slot.starts_at.date()
        _not_drawn(context, draft, hall, now["service"], day)
        if now["day"] != day and store.open_for_person(draft.tx, {**now, "day": day}):
            raise AlreadyBooked
        if not store.take_place(draft.tx, hall.hall, now["service"], slot.starts_at, plan.places):
            raise SlotFull
        free_place(draft, context.fairness, now, plan)
        changes = {
            "day": slot.starts_at.date(),
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "booking": now["booking"] + 1,
            "updated_at": draft.now,
        }
        store.change_appointment(draft.tx, row["appointment_id"], **changes)
        _expect(draft, hall, {**now, **changes})
        draft.halls.add(hall.hall)

    try:
        await context.change(work)
    except Clash as error:  # moved twice at once, by two controllers
        raise AlreadyBooked from error


def _still_booked(draft: Draft, row: dict[str, Any], action: str) -> dict[str, Any]:
    now = store.appointment(draft.tx, row["appointment_id"])
    assert now is not None
    if now["state"] == "checked-in":
        raise AppointmentUsed(label="—")
    if now["state"] != "booked" or now["starts_at"] < draft.now:
        raise IllegalTransition(label=now["code"], state=now["state"], action=action)
    return now


def _answer(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    hall = context.hall(row["hall"])
    local: Callable[[datetime], str] = lambda at: local_time(context.live.queue_of(hall), at).isoformat()  # noqa: E731
    return {
        "appointment_id": row["appointment_id"],
        "hall": row["hall"],
        "service": row["service"],
        "starts_at": local(row["starts_at"]),
        "ends_at": local(row["ends_at"]),
        "code": row["code"],
        "token": row["token"],
        "url": f"{context.public_url}/t/{row['token']}",
    }
