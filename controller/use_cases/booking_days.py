"""The days on which a service can be booked, a page of them at a time, with the slots of one."""

from datetime import date, timedelta
from typing import Any

from controller.use_cases.context import Context
from controller.use_cases.live import local_time
from controller.use_cases.slots import plan_of, slots_view

__all__ = ["days_view"]

#: days shown side by side
SHOWN = 8


async def days_view(context: Context, hall_id: str, service: str, wanted: date | None) -> dict[str, Any]:
    """`{today, day, days: [{day, left}], slots, earlier, later}`.

    `days` are those that have slots, around `wanted`; `slots` are those of `day`, which is `wanted` when it
    has any, else the first day with a free place; `earlier` and `later` name a day outside, or None.
    Raises UnknownHall, UnknownService, HallUnreachable, NoSlots.
    """
    hall = await context.enrolled_hall(hall_id)
    plan = plan_of(context, hall, service)[2]
    today = local_time(context.live.queue_of(hall), context.clock.now()).date()
    found: list[tuple[date, list[dict[str, Any]]]] = []
    for ahead in range(plan.days_ahead + 1):
        day = today + timedelta(days=ahead)
        slots = await slots_view(context, hall_id, service, day)
        if slots:
            found.append((day, slots))
    return _page(found, today, wanted)


def _page(found: list[tuple[date, list[dict[str, Any]]]], today: date, wanted: date | None) -> dict[str, Any]:
    left = {day: sum(slot["left"] for slot in slots) for day, slots in found}
    days = list(left)
    free = [day for day in days if left[day]]
    chosen = wanted if wanted in left else next(iter(free or days), None)
    place = days.index(chosen) // SHOWN * SHOWN if chosen else 0
    return {
        "today": today,
        "day": chosen,
        "days": [{"day": day, "left": left[day]} for day in days[place : place + SHOWN]],
        "slots": dict(found)[chosen] if chosen else [],
        "earlier": days[place - 1] if place else None,
        "later": days[place + SHOWN] if place + SHOWN < len(days) else None,
    }
