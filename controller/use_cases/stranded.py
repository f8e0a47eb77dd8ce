"""Appointments that were promised before their day was closed: an alarm until each has another time, and, if
that lasts, a message to whoever has booked.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta

from controller.store import alarms as alarm_store
from controller.store import appointments as appointment_store
from controller.use_cases.appeals import notice_to_holder
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import local_time
from hall_core.queueing.opening import service_minutes

__all__ = ["STRANDED", "TOLD", "mind_stranded"]

#: the alarm's kind, and the notice's
STRANDED, TOLD = "appointments-closed", "day-closed"
#: whoever has closed a wrong day has so long to take it back before anybody is told
GRACE = timedelta(minutes=10)

Day = tuple[str, date]
#: the slots of a hall's day that are closed now, and how many are booked
Slots = dict[tuple[str, datetime], int]


async def mind_stranded(context: Context) -> None:
    """One round over all that is booked, by the hours that halls have now. A quiet one writes nothing."""
    now = context.clock.now()
    found = await _closed(context, now)
    since = await context.database.read(lambda tx: alarm_store.open_since(tx, STRANDED))
    known = {(hall, day): since.get((hall, day.isoformat())) for hall, day in found}
    over = since.keys() - {(hall, day.isoformat()) for hall, day in found}
    fresh = [key for key, at in known.items() if at is None]
    told = [key for key, at in known.items() if at is not None and now - at >= GRACE]
    if fresh or over:
        await context.change(lambda draft: _alarms(draft, {key: found[key] for key in fresh}, over))
    for hall, day in told:
        for service, starts_at in found[hall, day]:
            await _tell(context, hall, service, starts_at)


async def _closed(context: Context, now: datetime) -> dict[Day, Slots]:
    found: dict[Day, Slots] = defaultdict(dict)
    for row in await context.database.read(lambda tx: appointment_store.booked_times(tx, now)):
        hall = context.live.by_id(row["hall"])
        queue = context.live.queue_of(hall) if hall else None
        service = queue.setup.service(row["service"]) if queue and queue.setup else None
        if queue is None or service is None:
            continue  # nobody knows its hours
        at = local_time(queue, row["starts_at"])
        minute = at.hour * 60 + at.minute
        if not any(begin <= minute < end for begin, end in service_minutes(queue, service, at.date())):
            found[row["hall"], at.date()][row["service"], row["starts_at"]] = row["count"]
    return found


def _alarms(draft: Draft, fresh: dict[Day, Slots], over: set[tuple[str, str]]) -> None:
    for (hall, day), slots in sorted(fresh.items()):
        count = sum(slots.values())
        zh = f"{day:%m月%d日} 有 {count} 个预约落在不开放的时间，请联系预约人改期"
        en = f"{count} appointments on {day} fall into hours that are closed now; call the citizens"
        draft.raise_alarm(STRANDED, hall, day.isoformat(), zh, en)
    for hall, subject in over:
        draft.end_alarm(STRANDED, hall, subject)


async def _tell(context: Context, hall: str, service: str, starts_at: datetime) -> None:
    """Once for an appointment."""
    which = hall, service, starts_at, TOLD
    if not await context.database.read(lambda tx: appointment_store.booked_untold(tx, *which)):
        return

    def work(draft: Draft) -> None:
        for row in appointment_store.booked_untold(draft.tx, *which):
            notice_to_holder(context, draft, row, TOLD, {})

    await context.change(work)
