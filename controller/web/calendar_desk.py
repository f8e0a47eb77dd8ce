"""What the calendar's page may ask, and its answers from the running controller."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from controller.use_cases.calendars import calendar_view, clear_day, set_day
from controller.use_cases.context import Context

__all__ = ["CalendarDesk", "LiveCalendarDesk"]


class CalendarDesk(Protocol):
    """Days that are not like the others: plain JSON-ready values."""

    async def days(self, hall: str, year: int) -> list[dict[str, Any]]:
        """As `GET /api/calendar` answers. Raises UnknownHall."""
        ...

    async def set_day(self, scope: str, day: date, body: dict[str, Any] | None, who: str) -> None:
        """Say how a day is, for one hall or for all (`*`); None: like any other. Raises a Refused."""
        ...

    async def clear_day(self, scope: str, day: date) -> None:
        """Take back what was said. Raises UnknownHall."""
        ...


@dataclass(frozen=True, slots=True)
class LiveCalendarDesk:
    """Implements CalendarDesk."""

    context: Context

    async def days(self, hall: str, year: int) -> list[dict[str, Any]]:
        return await calendar_view(self.context, hall, year)

    async def set_day(self, scope: str, day: date, body: dict[str, Any] | None, who: str) -> None:
        await set_day(self.context, scope, day, body, who)
        self.context.calendars.ring()

    async def clear_day(self, scope: str, day: date) -> None:
        await clear_day(self.context, scope, day)
        self.context.calendars.ring()
