"""Each hall's special days: the national ones, over them those an administrator has set for all halls, over
them those for this hall. A hall whose list differs is wished the right one.
"""

import json
import logging
from collections.abc import Iterable
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from controller.store import calendar as store
from controller.store.database import STORAGE_DOWN
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.national_days import make_up_days_known, national_days
from controller.use_cases.stranded import mind_stranded
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.errors import BadRequest, UnknownHall
from hall_core.queueing.commands import SetCalendar
from hall_core.queueing.queue import Queue
from hall_core.schedule.calendar import SpecialDay

__all__ = ["CalendarKeeper", "calendar_view", "clear_day", "set_day"]

logger = logging.getLogger(__name__)

#: halls know so many days ahead; a box that is cut off for long still knows its holidays
AHEAD_DAYS = 400
LOOK_S = 600.0
#: from this day on next year's make-up days should be known
ANNOUNCED_BY = (11, 20)

Rows = Iterable[dict[str, Any]]


def composed(hall: str, country: str, rows: Rows, first: date, last: date) -> tuple[SpecialDay, ...]:
    """The special days of a hall between two days, both included."""
    found: dict[date, SpecialDay | None] = {}
    if country != "none":
        for year in range(first.year, last.year + 1):
            found.update({special.day: special for special in national_days(country, year)})
    said = list(rows)
    for scope in (store.EVERYWHERE, hall):
        for row in said:
            if row["scope"] == scope:
                found[row["day"]] = SpecialDay.model_validate_json(row["body"]) if row["body"] else None
    return tuple(special for day in sorted(found) if first <= day <= last and (special := found[day]))


async def calendar_view(context: Context, hall_id: str, year: int) -> list[dict[str, Any]]:
    """A hall's special days of a year, each with its `source`: national, all, hall. Raises UnknownHall."""
    hall = await context.enrolled_hall(hall_id)
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows = await context.database.read(lambda tx: store.days_between(tx, first, last))
    said = {(row["scope"], row["day"]) for row in rows}
    days = composed(hall.hall, _country(context.live.queue_of(hall)), rows, first, last)
    return [
        {
            **special.model_dump(mode="json"),
            "source": "hall"
            if (hall.hall, special.day) in said
            else "all"
            if (store.EVERYWHERE, special.day) in said
            else "national",
        }
        for special in days
    ]


async def set_day(context: Context, scope: str, day: date, body: dict[str, Any] | None, who: str) -> None:
    """An administrator says how a day is; None means like any other. Raises BadRequest, UnknownHall."""
    await _known(context, scope)
    text = ""
    if body is not None:
        try:
            text = SpecialDay.model_validate({**body, "day": day}).model_dump_json(exclude_defaults=True)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BadRequest(what=f"{where or 'day'}: {first['msg']}") from error
    row = {"scope": scope, "day": day, "body": text, "set_by": who}
    await context.change(lambda draft: store.put_day(draft.tx, {**row, "set_at": draft.now}))


async def clear_day(context: Context, scope: str, day: date) -> bool:
    """Nothing special is said any more; False when nothing was. Raises UnknownHall."""
    await _known(context, scope)
    return await context.change(lambda draft: store.remove_day(draft.tx, scope, day))


async def _known(context: Context, scope: str) -> None:
    if scope != store.EVERYWHERE and (await context.enrolled_hall(scope)).hall != scope:
        raise UnknownHall(hall=scope)


class CalendarKeeper:
    """Compares every hall's days with what they should be, and wishes the difference once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._wished: dict[str, str] = {}

    async def run(self) -> None:
        """Look every ten minutes, and when somebody has set a day; for ever."""
        while True:
            try:
                await self.look()
            except STORAGE_DOWN:
                logger.exception("calendars wait for the database")
            await self._context.calendars.heard(LOOK_S)

    async def look(self) -> None:
        """One round over all halls."""
        today = self._context.clock.now().date()
        first, last = today - timedelta(days=1), today + timedelta(days=AHEAD_DAYS)
        rows = await self._context.database.read(lambda tx: store.days_between(tx, first, last))
        for hall in list(self._context.live):
            queue = self._context.live.queue_of(hall)
            if queue.setup is None or hall.incarnation is None:
                continue
            start = local_time(queue, self._context.clock.now()).date()
            days = composed(hall.hall, _country(queue), rows, start, last)
            known = tuple(s for day, s in sorted(queue.calendar.items()) if day >= start.isoformat())
            if days != known and (days or queue.calendar):
                await self._wish(hall, days)
        countries = {_country(self._context.live.queue_of(hall)) for hall in self._context.live}
        await self._context.change(lambda draft: _announced(draft, countries - {"none"}, today, rows))
        await mind_stranded(self._context)

    async def _wish(self, hall: LiveHall, days: tuple[SpecialDay, ...]) -> None:
        text = json.dumps([special.model_dump(mode="json", exclude_defaults=True) for special in days])
        mark = sha256(f"{hall.incarnation} {text}".encode()).hexdigest()[:20]
        if self._wished.get(hall.hall) == mark:
            return  # under way
        command = SetCalendar(
            request_id=f"{REQUEST_PREFIX}calendar-{mark}-{self._context.new_id()}", days=days
        )
        await self._context.change(lambda draft: wish(draft, hall, [command]))
        self._wished[hall.hall] = mark


def _country(queue: Queue) -> str:
    return queue.setup.holidays if queue.setup else "none"


def _announced(draft: Draft, countries: set[str], today: date, rows: Rows) -> None:
    """An alarm while next year's make-up days should be known and nobody has brought them in."""
    year = today.year + 1
    # Somebody who has set one of next year's days to work has looked at the announcement.
    brought = any(row["day"].year == year and '"like"' in row["body"] for row in rows)
    for country in countries:
        due = (today.month, today.day) >= ANNOUNCED_BY
        if due and not brought and not make_up_days_known(country, year):
            zh = f"{year} 年调休安排尚未导入，请在日历中补录"
            en = f"The make-up days of {year} are not known yet; enter them in the calendar"
            draft.raise_alarm("calendar-missing", None, country, zh, en)
        else:
            draft.end_alarm("calendar-missing", None, country)
