"""Appointments that were promised before their day was closed: an alarm until each has another time."""

from collections import Counter
from datetime import date

from controller.store import appointments as appointment_store
from controller.store import promises as promise_store
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import local_time
from hall_core.queueing.opening import service_minutes

__all__ = ["STRANDED", "mind_stranded"]

#: the alarm's kind
STRANDED = "appointments-closed"


async def mind_stranded(context: Context) -> None:
    """One round over all that is booked, by the hours that halls have now."""
    now = context.clock.now()
    found: Counter[tuple[str, date]] = Counter()
    for row in await context.database.read(lambda tx: appointment_store.booked_times(tx, now)):
        hall = context.live.by_id(row["hall"])
        queue = context.live.queue_of(hall) if hall else None
        service = queue.setup.service(row["service"]) if queue and queue.setup else None
        if queue is None or service is None:
            continue  # nobody knows its hours
        at = local_time(queue, row["starts_at"])
        minute = at.hour * 60 + at.minute
        if not any(begin <= minute < end for begin, end in service_minutes(queue, service, at.date())):
            found[row["hall"], at.date()] += row["count"]
    is_open = await context.database.read(lambda tx: promise_store.open_alarms(tx, STRANDED))
    over = is_open - {(hall, day.isoformat()) for hall, day in found}
    fresh = {key: count for key, count in found.items() if (key[0], key[1].isoformat()) not in is_open}
    if not over and not fresh:
        return

    def work(draft: Draft) -> None:
        for (hall, day), count in sorted(fresh.items()):
            zh = f"{day:%m月%d日} 有 {count} 个预约落在不开放的时间，请联系预约人改期"
            en = f"{count} appointments on {day} fall into hours that are closed now; call the citizens"
            draft.raise_alarm(STRANDED, hall, day.isoformat(), zh, en)
        for hall, subject in over:
            draft.end_alarm(STRANDED, hall, subject)

    await context.change(work)
