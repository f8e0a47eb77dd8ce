"""Facts about the hall itself: its setup, its day, its numbers, its box, its counters."""

from datetime import date
from typing import Literal

from pydantic import Field

from hall_core.queueing.fact_base import FactBase
from hall_core.queueing.setup import HallSetup
from hall_core.schedule.calendar import SpecialDay

__all__ = [
    "BoxRetired",
    "BusinessDayOpened",
    "CalendarSet",
    "CounterClosed",
    "CounterFact",
    "CounterOpened",
    "CounterPaused",
    "CounterResumed",
    "HallConfigured",
    "WishRefused",
    "ZoneGranted",
]


class HallConfigured(FactBase):
    """The hall is now set up like this."""

    kind: Literal["hall-configured"] = "hall-configured"
    setup: HallSetup


class BusinessDayOpened(FactBase):
    """From here on labels belong to `day`; `trusted` says whether the clock that said so was."""

    kind: Literal["business-day-opened"] = "business-day-opened"
    day: date
    trusted: bool = True


class BoxRetired(FactBase):
    """Another box has taken this one's place: it gives and calls no numbers any more."""

    kind: Literal["box-retired"] = "box-retired"
    successor: str | None = None


class CalendarSet(FactBase):
    """The hall's special days from now on; every other day is as its week says."""

    kind: Literal["calendar-set"] = "calendar-set"
    days: tuple[SpecialDay, ...] = Field(max_length=800)


class ZoneGranted(FactBase):
    """One box may issue the numbers of one zone on the days `first_day` … `last_day` (both included)."""

    kind: Literal["zone-granted"] = "zone-granted"
    grant_id: str
    incarnation: str
    line: str = Field(description="a service's prefix, or * for all lines")
    zone: int = Field(ge=0, le=98)
    first_day: date
    last_day: date


class WishRefused(FactBase):
    """A wish of the controller was refused: the answer it waits for."""

    kind: Literal["wish-refused"] = "wish-refused"
    wish: str
    slug: str
    detail: str


class CounterFact(FactBase):
    """A fact about one counter."""

    counter: str


class CounterOpened(CounterFact):
    """The counter serves `services` from now on."""

    kind: Literal["counter-opened"] = "counter-opened"
    services: tuple[str, ...]
    clerk: str | None = None


class CounterPaused(CounterFact):
    """Nobody is called here for a while."""

    kind: Literal["counter-paused"] = "counter-paused"
    reason: str


class CounterResumed(CounterFact):
    """The pause is over."""

    kind: Literal["counter-resumed"] = "counter-resumed"


class CounterClosed(CounterFact):
    """The counter has ended its service."""

    kind: Literal["counter-closed"] = "counter-closed"
