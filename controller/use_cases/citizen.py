"""What the holder of a ticket's link sees and may do. The hall decides; the link only asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from controller.store import tickets as ticket_store
from controller.store.database import Clash
from controller.store.ratings import BY_LINK
from controller.use_cases import appeals
from controller.use_cases import citizen_appointments as appointments
from controller.use_cases.answers import answer_within
from controller.use_cases.citizen_appointments import find_appointment, promised_view
from controller.use_cases.context import Context
from controller.use_cases.credit_return import give_back
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.merging import asked_with
from controller.use_cases.phones import mask_all
from controller.use_cases.ratings import RatingDesk
from controller.use_cases.standing import credit_view
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.errors import HallSaidNo, HallUnreachable, IllegalTransition, UnknownTicket
from hall_core.queueing.commands import CancelTicket, ComeLater, Command, PostponeTicket, Return
from hall_core.queueing.facts import WishRefused
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.reasons import checked_reasons
from hall_core.queueing.states import OPEN_STATES, TicketState
from hall_core.queueing.summary import ticket_summary

__all__ = ["appeal", "cancel", "check_in", "later", "postpone", "rate", "reschedule", "trip_view", "view"]

#: the hall must have been heard of so recently for its numbers to be shown as current
FRESH_S = 60
HALL_S = 3.0
_OVER = frozenset(state.value for state in TicketState) - {state.value for state in OPEN_STATES}


async def view(context: Context, token: str) -> dict[str, Any]:
    """The citizen's view of a ticket, of an appointment that is none yet, or of a registration for a draw.

    Raises UnknownTicket.
    """
    row = await _ticket(context, token)
    if row is None:
        return await promised_view(context, token)
    shown = _view(context, row) | {"credit": await credit_view(context, row["ticket_id"])}
    if _is_ours(context, row):
        more = await context.database.read(lambda tx: asked_with(tx, row))
        tail = more["relative"].phone_tail if more["relative"] else None
        shown |= {"visits": list(more["more_services"]), "relative_tail": tail}
    return shown


def is_stale(last_seen: datetime | None, now: datetime) -> bool:
    """True when the hall was not heard of for more than a minute."""
    return last_seen is None or (now - last_seen).total_seconds() > FRESH_S


async def _find(context: Context, token: str) -> dict[str, Any]:
    row = await _ticket(context, token)
    if row is None:
        raise UnknownTicket(ticket=token[:4] + "…")
    return row


async def _ticket(context: Context, token: str) -> dict[str, Any] | None:
    row = await context.database.read(lambda tx: ticket_store.ticket_by_token(tx, token))
    if row is not None and row["merged_into"] is not None:
        merged = row["merged_into"]
        row = await context.database.read(lambda tx: ticket_store.ticket(tx, merged)) or row
    return row


def _view(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    hall = context.hall(row["hall"])
    queue = context.live.queue_of(hall)
    ticket = queue.tickets.get(row["ticket_id"])
    now = context.clock.now()
    service = queue.setup.service(row["service"]) if queue.setup else None
    counter = queue.setup.counter(row["counter"]) if queue.setup and row["counter"] else None
    over = row["state"] in _OVER
    return {
        **_place(queue, ticket, local_time(queue, now)),
        **trip_view(context, row),
        "ticket_id": row["ticket_id"],
        "label": row["label"],
        "state": row["state"],
        "series": row["series"],
        "counter": row["counter"],
        "counter_name": counter.name if counter else None,
        "call_no": row["call_no"],
        "service": row["service"],
        "service_name": service.name if service else row["service"],
        "hall": hall.hall,
        "hall_name": hall.name,
        "day": row["day"].isoformat(),
        "issued_at": row["issued_at"].isoformat(),
        "called_at": row["called_at"].isoformat() if row["called_at"] else None,
        "updated_at": row["updated_at"].isoformat(),
        "last_seen": hall.last_seen.isoformat() if hall.last_seen else None,
        "phone": row["phone_masked"],
        "rescued": ticket is not None and ticket.rescued,
        "relative_tail": ticket.relative.phone_tail if ticket and ticket.relative else None,
        # What has ended does not change any more, whoever is connected.
        "stale": not over and is_stale(hall.last_seen, now),
    }


def trip_view(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    """`{visits, parts}` of a ticket: the services still to come, and what is done where."""
    hall = context.live.by_id(row["hall"])
    ticket = context.live.queue_of(hall).tickets.get(row["ticket_id"]) if hall else None
    if ticket is None:
        return {"visits": [], "parts": []}
    parts = [part.model_dump(mode="json") for part in ticket.parts]
    return {"visits": list(ticket.visits), "parts": parts}


def _place(queue: Queue, ticket: Ticket | None, now: datetime) -> dict[str, Any]:
    """How many go first and how long that may take; nothing for a ticket the hall does not know."""
    if ticket is None:
        return {"ahead": None, "range_min": None}
    summary = ticket_summary(queue, ticket, now)
    return {"ahead": summary["ahead"], "range_min": summary["range_min"]}


async def cancel(context: Context, token: str) -> dict[str, Any]:
    """Give the ticket, the appointment or the registration up.

    Raises UnknownTicket, IllegalTransition, HallUnreachable.
    """
    row = await _ticket(context, token)
    if row is None:
        await appointments.give_up(context, token)
        return await view(context, token)
    if row["state"] == TicketState.CANCELLED:
        return _view(context, row)
    if row["state"] in _OVER:
        raise IllegalTransition(label=row["label"], state=row["state"], action="cancel")
    if _is_ours(context, row):
        await context.change(lambda draft: _cancel_own(draft, context.hall(row["hall"]), row))
    else:
        request_id = f"{REQUEST_PREFIX}{context.new_id()}"
        command = CancelTicket(request_id=request_id, ticket=row["ticket_id"], reason="群众取消")
        await _ask(context, row, command, "cancel")
    return await view(context, token)


def _is_ours(context: Context, row: dict[str, Any]) -> bool:
    """True for a number of the controller's own that the hall has not taken in yet."""
    queue = context.live.queue_of(context.hall(row["hall"]))
    return row["series"] == "offline" and row["ticket_id"] not in queue.tickets


def _cancel_own(draft: Draft, hall: LiveHall, row: dict[str, Any]) -> None:
    """The controller cancels; the hall, which was wished to take the number in, is wished this too."""
    changes = {"state": TicketState.CANCELLED.value, "ended_at": draft.now, "updated_at": draft.now}
    ticket_store.change_ticket(draft.tx, row["ticket_id"], **changes)
    give_back(draft.tx, row["ticket_id"])
    draft.halls.add(hall.hall)
    if hall.incarnation is not None:
        request_id = f"{REQUEST_PREFIX}own-{row['ticket_id']}"
        wish(draft, hall, [CancelTicket(request_id=request_id, ticket=row["ticket_id"], reason="群众取消")])


async def check_in(context: Context, token: str, relative: str | None = None) -> dict[str, Any]:
    """Here: an appointment becomes a ticket, with a `relative` who is told when nobody answers the call;
    whoever missed the call stands in line again, after three others the first time, then at its end; whoever
    waits is in line already.

    Raises UnknownTicket, IllegalTransition, HallUnreachable, HallSaidNo, PhoneInvalid.
    """
    row = await _ticket(context, token)
    if row is None:
        await appointments.check_in(context, await find_appointment(context, token), relative)
        return await view(context, token)
    if row["state"] == TicketState.WAITING:
        if _is_ours(context, row):
            raise HallUnreachable(hall=row["hall"])
        return _view(context, row)
    if row["state"] != TicketState.NO_SHOW or row["counter"] is None:
        raise IllegalTransition(label=row["label"], state=row["state"], action="check-in")
    request_id = f"{REQUEST_PREFIX}{context.new_id()}"
    command = Return(request_id=request_id, counter=row["counter"], ticket=row["ticket_id"])
    await _ask(context, row, command, "check-in")
    return await view(context, token)


async def postpone(context: Context, token: str) -> dict[str, Any]:
    """Let three people pass, twice at most. Raises UnknownTicket, IllegalTransition, HallUnreachable,
    HallSaidNo.
    """
    row = await _find(context, token)
    if row["state"] != TicketState.WAITING:
        raise IllegalTransition(label=row["label"], state=row["state"], action="postpone")
    if _is_ours(context, row):
        raise HallUnreachable(hall=row["hall"])
    command = PostponeTicket(request_id=f"{REQUEST_PREFIX}{context.new_id()}", ticket=row["ticket_id"])
    await _ask(context, row, command, "postpone")
    return await view(context, token)


async def later(context: Context, token: str) -> dict[str, Any]:
    """Called and on the way: the counter is free again, the ticket stands after the next three, once.

    Raises UnknownTicket, IllegalTransition, HallUnreachable, HallSaidNo.
    """
    row = await _find(context, token)
    if row["state"] != TicketState.CALLED:
        raise IllegalTransition(label=row["label"], state=row["state"], action="come-later")
    command = ComeLater(request_id=f"{REQUEST_PREFIX}{context.new_id()}", ticket=row["ticket_id"])
    await _ask(context, row, command, "come-later")
    return await view(context, token)


async def reschedule(context: Context, token: str, starts_at: datetime) -> dict[str, Any]:
    """Another slot for an appointment. Raises UnknownTicket, NoSlots, SlotFull, IllegalTransition,
    AppointmentUsed.
    """
    row = await _ticket(context, token)
    if row is not None:
        raise IllegalTransition(label=row["label"], state=row["state"], action="move")
    await appointments.move(context, await find_appointment(context, token), starts_at)
    return await view(context, token)


async def appeal(context: Context, token: str, text: str) -> dict[str, Any]:
    """Say why one missed an appointment. Raises UnknownTicket, IllegalTransition, BadRequest."""
    row = await _ticket(context, token)
    if row is not None:
        raise IllegalTransition(label=row["label"], state=row["state"], action="appeal")
    await appeals.appeal(context, await find_appointment(context, token), text)
    return await view(context, token)


async def _ask(context: Context, row: dict[str, Any], command: Command, action: str) -> None:
    """Wish it of the hall and wait for its answer."""
    hall: LiveHall = context.hall(row["hall"])
    context.reachable(hall)
    assert command.request_id is not None
    with context.answers.expect(command.request_id) as answer:
        await context.change(lambda draft: wish(draft, hall, [command]))
        fact = await answer_within(answer, HALL_S)
    if fact is None:
        raise HallUnreachable(hall=hall.hall)
    if isinstance(fact, WishRefused):
        if fact.slug != IllegalTransition.slug:
            raise HallSaidNo(reason=fact.slug, said=fact.detail)
        found = context.live.queue_of(hall).tickets.get(row["ticket_id"])
        state = found.state.value if found else row["state"]
        raise IllegalTransition(label=row["label"], state=state, action=action)


async def rate(
    context: Context, token: str, *, score: int, comment: str, reasons: Sequence[str] = ()
) -> dict[str, Any]:
    """Store what the citizen thought of a finished visit, once. Raises UnknownTicket, IllegalTransition,
    BadRequest.
    """
    row = await _find(context, token)
    if row["state"] != TicketState.FINISHED:
        raise IllegalTransition(label=row["label"], state=row["state"], action="rating")
    ticked = checked_reasons(score, reasons)
    said = {"score": score, "comment": mask_all(comment), "reasons": ",".join(ticked)}
    desk = RatingDesk(context.live, context.signature, context.rating_rules)
    try:
        await context.change(lambda draft: desk.store(draft, {**_visit(row), **said, "channel": BY_LINK}))
    except Clash as error:
        before = await context.database.read(lambda tx: ticket_store.rating_of(tx, row["ticket_id"]))
        if before is None or {name: before[name] for name in said} != said:
            raise IllegalTransition(label=row["label"], state="rated", action="rating") from error
    return {**_view(context, row), "rating": {**said, "reasons": list(ticked)}}


def _visit(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("ticket_id", "hall", "label", "service", "counter")}
