"""What the holder of an appointment's link sees and may do until the check-in makes it a ticket."""

from datetime import datetime, timedelta
from typing import Any

from controller.store import appointments as store
from controller.use_cases.answers import answer_within
from controller.use_cases.booking import cancel_appointment, move_appointment
from controller.use_cases.context import Context
from controller.use_cases.draws import BY_DRAW, entry_by_token, entry_view, withdraw
from controller.use_cases.live import local_time
from controller.use_cases.relatives import named
from controller.use_cases.standing import credit_view, standing_view
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.errors import HallSaidNo, HallUnreachable, IllegalTransition, UnknownTicket
from hall_core.queueing.commands import IssueTicket
from hall_core.queueing.facts import WishRefused
from hall_core.schedule.slots import SlotPlan

__all__ = [
    "Row",
    "appointment_part",
    "appointment_view",
    "check_in",
    "find_appointment",
    "give_up",
    "move",
    "promised_view",
]

Row = dict[str, Any]
HALL_S = 3.0


async def find_appointment(context: Context, token: str) -> Row:
    """The appointment this link stands for. Raises UnknownTicket."""
    row = await context.database.read(lambda tx: store.appointment_by_token(tx, token))
    if row is None:
        raise UnknownTicket(ticket=token[:4] + "…")
    return row


def appointment_part(context: Context, row: Row) -> dict[str, Any]:
    """`{starts_at, ends_at, code, check_in_from, keeps_until}` in the hall's local time."""
    queue = context.live.queue_of(context.hall(row["hall"]))
    service = queue.setup.service(row["service"]) if queue.setup else None
    plan = (service.appointments if service else None) or SlotPlan()

    def local(at: datetime) -> str:
        return local_time(queue, at).isoformat()

    return {
        "starts_at": local(row["starts_at"]),
        "ends_at": local(row["ends_at"]),
        "code": row["code"],
        "check_in_from": local(row["starts_at"] - timedelta(minutes=plan.early_min)),
        "keeps_until": local(row["starts_at"] + timedelta(minutes=plan.late_min)),
    }


def appointment_view(context: Context, row: Row) -> dict[str, Any]:
    """The citizen's view of an appointment that is no ticket yet: of the same shape as a ticket's."""
    hall = context.hall(row["hall"])
    queue = context.live.queue_of(hall)
    service = queue.setup.service(row["service"]) if queue.setup else None
    return {
        "ticket_id": row["appointment_id"],
        "label": None,
        "state": row["state"],
        "series": "hall",
        "ahead": None,
        "range_min": None,
        "counter": None,
        "counter_name": None,
        "call_no": 0,
        "service": row["service"],
        "service_name": service.name if service else row["service"],
        "hall": hall.hall,
        "hall_name": hall.name,
        "day": row["day"].isoformat(),
        "issued_at": row["booked_at"].isoformat(),
        "called_at": None,
        "updated_at": row["updated_at"].isoformat(),
        "last_seen": hall.last_seen.isoformat() if hall.last_seen else None,
        "phone": row["phone_masked"],
        "appointment": appointment_part(context, row),
        # A promise does not depend on whether the hall is connected just now.
        "stale": False,
    }


async def promised_view(context: Context, token: str) -> dict[str, Any]:
    """The appointment this link stands for, or the registration it may become. Raises UnknownTicket."""
    row = await context.database.read(lambda tx: store.appointment_by_token(tx, token))
    drawn = row is None or row["owner"] == BY_DRAW
    entry = await entry_by_token(context, token) if drawn else None
    if entry is not None and row is None:
        return await entry_view(context, entry)
    row = row or await find_appointment(context, token)
    standing, credit = await standing_view(context, row), await credit_view(context, row["appointment_id"])
    shown = appointment_view(context, row) | {"standing": standing, "credit": credit}
    return shown | {"drawn": {"id": entry["draw_id"], "rank": entry["rank"]} if entry else None}


async def give_up(context: Context, token: str) -> None:
    """The appointment or the registration. Raises UnknownTicket, IllegalTransition, AppointmentUsed."""
    row = await context.database.read(lambda tx: store.appointment_by_token(tx, token))
    entry = await entry_by_token(context, token) if row is None else None
    if entry is not None:
        await withdraw(context, entry)
    else:
        await cancel_appointment(context, row or await find_appointment(context, token))


async def move(context: Context, row: Row, starts_at: datetime) -> None:
    """Another slot of the same service. Raises NoSlots, SlotFull, IllegalTransition, AppointmentUsed."""
    await move_appointment(context, row, starts_at)


async def check_in(context: Context, row: Row, relative: str | None = None) -> None:
    """Take the number now; the hall decides. `relative` is told when nobody answers the call.

    Raises HallUnreachable, HallSaidNo, IllegalTransition, PhoneInvalid.
    """
    if row["state"] != "booked":
        raise IllegalTransition(label=row["code"], state=row["state"], action="check-in")
    hall = context.hall(row["hall"])
    context.reachable(hall)
    request_id = f"{REQUEST_PREFIX}{context.new_id()}"
    command = IssueTicket(
        request_id=request_id,
        ticket_id=row["appointment_id"],
        token=row["token"],
        appointment=row["appointment_id"],
        channel=row["channel"],
        relative=named(context.phones, relative, row["appointment_id"], None),
    )
    with context.answers.expect(request_id) as answer:
        await context.change(lambda draft: wish(draft, hall, [command]))
        fact = await answer_within(answer, HALL_S)
    if fact is None:
        raise HallUnreachable(hall=hall.hall)
    if isinstance(fact, WishRefused):
        raise HallSaidNo(reason=fact.slug, said=fact.detail)
