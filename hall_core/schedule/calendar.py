"""Days that are not like the others: holidays, make-up working days, overtime, duty rosters."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hall_core.schedule.hours import Hours, Span, spans_forward, spans_in_minutes

__all__ = ["Calendar", "SpecialDay", "Weekday", "minutes_of"]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class SpecialDay(BaseModel):
    """One day's exception: `closed`; or works `like` another weekday (make-up days); or has `spans` of its
    own (overtime, short days); or only some `services` are on duty. The last three go together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date
    name: str = Field(min_length=1, max_length=24)
    name_en: str = Field(default="", max_length=48)
    closed: bool = False
    like: Weekday | None = None
    spans: tuple[Span, ...] | None = None
    services: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        opens = (self.like, self.spans, self.services)
        if self.closed == any(x is not None for x in opens):
            msg = f"{self.day}: say either closed, or like, spans, services"
            raise ValueError(msg)
        spans_forward(self.spans or ())
        return self


#: the special days, by `date.isoformat()`
Calendar = Mapping[str, SpecialDay]


def minutes_of(
    hours: Hours, calendar: Calendar, day: date, service: tuple[str, Hours | None] | None = None
) -> list[tuple[int, int]]:
    """When a hall, or one of its services (its id and its own hours), is open on a day.

    In minutes after midnight, end excluded, earliest first.
    """
    special = calendar.get(day.isoformat())
    if special is not None and special.closed:
        return []
    like = special.like if special else None
    weekday = _WEEK.index(like) if like else day.weekday()
    own = special.spans if special else None
    hall = hours.minutes_on(weekday) if own is None else spans_in_minutes(own)
    if service is None:
        return hall
    name, service_hours = service
    if special is not None and special.services is not None and name not in special.services:
        return []
    if service_hours is None or own is not None:
        return hall  # on a day with hours of its own everybody on duty keeps these
    return _both(hall, service_hours.minutes_on(weekday))


def _both(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> list[tuple[int, int]]:
    common = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return sorted((start, end) for start, end in common if start < end)
