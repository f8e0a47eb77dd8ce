"""Whether a hall or a service is open: its weekly hours, and the special days that win over them."""

from datetime import date, datetime, time, timedelta

from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import ServiceSetup
from hall_core.schedule.calendar import SpecialDay, minutes_of

__all__ = ["hall_open", "hours_today", "opens_next", "service_minutes", "service_open", "special_day"]

#: nobody is told of an opening further away than this
LOOK_AHEAD_DAYS = 31


def hall_open(queue: Queue, now: datetime) -> bool:
    """True while the hall takes numbers; `now` in its local time."""
    assert queue.setup is not None
    return _within(minutes_of(queue.setup.hours, queue.calendar, now.date()), now)


def service_open(queue: Queue, service: ServiceSetup, now: datetime) -> bool:
    """True while this service takes numbers."""
    return _within(service_minutes(queue, service, now.date()), now)


def service_minutes(queue: Queue, service: ServiceSetup, day: date) -> list[tuple[int, int]]:
    """When a service is open on a day, in minutes after midnight, end excluded."""
    assert queue.setup is not None
    return minutes_of(queue.setup.hours, queue.calendar, day, (service.id, service.hours))


def hours_today(queue: Queue, now: datetime) -> tuple[str, ...]:
    """The hall's spans of today, for people to read: `09:00-17:00`."""
    assert queue.setup is not None
    spans = minutes_of(queue.setup.hours, queue.calendar, now.date())
    return tuple(f"{_clock(start)}-{_clock(end)}" for start, end in spans)


def opens_next(queue: Queue, now: datetime) -> datetime | None:
    """When one of the hall's services takes numbers next, after `now`; None within a month."""
    assert queue.setup is not None
    for ahead in range(LOOK_AHEAD_DAYS + 1):
        midnight = datetime.combine(now.date() + timedelta(days=ahead), time(), now.tzinfo)
        starts = {
            start for s in queue.setup.services for start, _ in service_minutes(queue, s, midnight.date())
        }
        for start in sorted(starts):
            if midnight + timedelta(minutes=start) > now:
                return midnight + timedelta(minutes=start)
    return None


def special_day(queue: Queue, now: datetime) -> SpecialDay | None:
    """What is special today."""
    return queue.calendar.get(now.date().isoformat())


def _within(spans: list[tuple[int, int]], now: datetime) -> bool:
    minute = now.hour * 60 + now.minute
    return any(start <= minute < end for start, end in spans)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
