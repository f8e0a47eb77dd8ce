"""`/api/calendar`: days that are not like the others; an administrator's word wins over the national days."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from controller.api.deps import Admin, HallId, PartsDep, Who
from controller.use_cases.calendars import calendar_view, clear_day, set_day
from hall_core.schedule.calendar import Weekday

__all__ = ["router"]

router = APIRouter(prefix="/api/calendar", tags=["calendar"])

Scope = Annotated[str, Path(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,31})$")]


class DayBody(BaseModel):
    """How the day is: `closed`, or `like` another weekday, with `spans` of its own, with some `services`.

    `ordinary` alone: like any other day, whatever the national days say.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=24)
    name_en: str = Field(default="", max_length=48)
    ordinary: bool = False
    closed: bool = False
    like: Weekday | None = None
    spans: tuple[str, ...] | None = None
    services: tuple[HallId, ...] | None = None


@router.get("")
async def days(
    parts: PartsDep, _: Who, hall: HallId, year: Annotated[int, Query(ge=2000, le=2100)]
) -> list[dict[str, Any]]:
    """The hall's special days of a year, with their `source`: national, all, hall."""
    return await calendar_view(parts.context, hall, year)


@router.put("/{scope}/{day}", status_code=204)
async def put(scope: Scope, day: date, body: DayBody, parts: PartsDep, who: Admin) -> None:
    """Set a day for one hall, or for all (`*`)."""
    said = None if body.ordinary else body.model_dump(exclude={"ordinary"})
    await set_day(parts.context, scope, day, said, who.name)
    parts.context.calendars.ring()


@router.delete("/{scope}/{day}", status_code=204)
async def remove(scope: Scope, day: date, parts: PartsDep, _: Admin) -> None:
    """Take back what was set; the national days hold again."""
    await clear_day(parts.context, scope, day)
    parts.context.calendars.ring()
