"""Halls, alarms and notices as the API and the pages show them: JSON-ready, nothing personal in clear."""

from datetime import date, datetime
from typing import Any

from controller.store import halls as hall_store
from controller.use_cases.citizen import is_stale, trip_view
from controller.use_cases.context import Context
from controller.use_cases.live import LiveHall, local_time
from hall_core.queueing.opening import hours_today
from hall_core.queueing.queue import Queue
from hall_core.queueing.summary import calls_summary, counters_summary

__all__ = ["hall_public", "hall_view", "halls_view", "plain", "ticket_row_view"]


async def halls_view(context: Context) -> list[dict[str, Any]]:
    """All halls, also those enrolled a moment ago by another program."""
    for row in await context.database.read(hall_store.all_halls):
        context.live.refresh(row)
    return [hall_view(context, hall) for hall in context.live]


def hall_view(context: Context, hall: LiveHall) -> dict[str, Any]:
    """One hall now."""
    queue = context.live.queue_of(hall)
    now = context.clock.now()
    stale = is_stale(hall.last_seen, now)
    return {
        "id": hall.hall,
        "name": hall.name,
        "level": hall.level,
        "parent": hall.parent,
        "agent": hall.agent,
        "version": hall.version,
        "online": hall.online and not stale,
        "stale": stale,
        "last_seen": hall.last_seen.isoformat() if hall.last_seen else None,
        **hall_public(queue, now),
        "business_day": queue.day.isoformat() if queue.day else None,
        "services": context.services.of(hall.hall, queue, local_time(queue, now)),
        "counters": counters_summary(queue),
        "calls": calls_summary(queue),
        "devices": [{k: v for k, v in device.items() if k != "hall"} for device in hall.devices],
        "waiting": len(queue.waiting),
        "longest_min": _longest_min(queue, now),
        "unsynced": max(0, hall.last - queue.applied),
        "state_hash": hall.hash_of(queue),
        "stream": {"id": hall.stream, "applied": queue.applied},
    }


def hall_public(queue: Queue, now: datetime) -> dict[str, Any]:
    """`{place, hours, priorities, tells_relative}`: where the hall is, today's hours, who goes first there,
    whether a relative is told of a call that nobody answers.
    """
    setup = queue.setup
    if setup is None:
        return {"place": None, "hours": "", "priorities": [], "tells_relative": False}
    return {
        "place": setup.place.model_dump() if setup.place else None,
        "hours": " ".join(hours_today(queue, local_time(queue, now))),
        "priorities": list(setup.credits_min),
        "tells_relative": setup.escalation.relative_s > 0,
    }


def _longest_min(queue: Queue, now: datetime) -> int | None:
    """How long the one has waited who has waited longest, in whole minutes; None when nobody waits."""
    since = min((ticket.issued_at for ticket in queue.waiting.values()), default=None)
    return None if since is None else max(0, int((now - since).total_seconds() // 60))


def plain(row: dict[str, Any], *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A row as JSON takes it."""
    return {name: _json(value) for name, value in row.items() if name not in without}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


def ticket_row_view(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    """A ticket for staff: the phone masked, the citizen's secret link left out. `visits` are the services
    still to come, `parts` those done, while its day lasts.
    """
    shown = plain(row, without=("phone_sealed", "phone_masked", "token"))
    return {**shown, "phone": row["phone_masked"], **trip_view(context, row)}
