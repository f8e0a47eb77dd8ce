"""Weekly opening hours of a hall or a service."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

__all__ = ["Hours", "Span", "spans_forward", "spans_in_minutes"]

Span = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-4]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")]
ALL_DAY: tuple[Span, ...] = ("00:00-24:00",)
WORKDAY: tuple[Span, ...] = ("09:00-17:00",)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def spans_in_minutes(spans: tuple[str, ...]) -> list[tuple[int, int]]:
    """Spans in minutes after midnight, end excluded."""
    ends = (span.split("-") for span in spans)
    return [(_minutes(start), _minutes(end)) for start, end in ends]


def spans_forward(spans: tuple[str, ...]) -> None:
    """Raises ValueError for a span that does not end after it starts, at 24:00 at the latest."""
    for span, (start, end) in zip(spans, spans_in_minutes(spans), strict=True):
        if end > 24 * 60 or start >= end:
            msg = f"opening span {span!r} must end after it starts, at 24:00 at the latest"
            raise ValueError(msg)


class Hours(BaseModel):
    """Spans of opening per weekday, local time, `HH:MM-HH:MM`, end excluded, `24:00` allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mon: tuple[Span, ...] = WORKDAY
    tue: tuple[Span, ...] = WORKDAY
    wed: tuple[Span, ...] = WORKDAY
    thu: tuple[Span, ...] = WORKDAY
    fri: tuple[Span, ...] = WORKDAY
    sat: tuple[Span, ...] = Field(default=())
    sun: tuple[Span, ...] = Field(default=())

    @model_validator(mode="after")
    def _spans_run_forward(self) -> Self:
        for spans in self._week():
            spans_forward(spans)
        return self

    @classmethod
    def always(cls) -> Self:
        """Open day and night, all week."""
        return cls(mon=ALL_DAY, tue=ALL_DAY, wed=ALL_DAY, thu=ALL_DAY, fri=ALL_DAY, sat=ALL_DAY, sun=ALL_DAY)

    def open_at(self, now: datetime) -> bool:
        """True when `now` (local, aware) lies in a span of its weekday."""
        minute = now.hour * 60 + now.minute
        return any(start <= minute < end for start, end in self.minutes_on(now.weekday()))

    def minutes_on(self, weekday: int) -> list[tuple[int, int]]:
        """The spans of a weekday (0 is Monday) in minutes after midnight, end excluded."""
        return spans_in_minutes(self._week()[weekday])

    def today(self, now: datetime) -> tuple[str, ...]:
        """The spans of the day of `now`, for people to read."""
        return self._week()[now.weekday()]

    def _week(self) -> tuple[tuple[str, ...], ...]:
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)
