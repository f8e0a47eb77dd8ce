"""Appointment slots: when they are on a day, and when a booking or a check-in is in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Slot", "SlotPlan", "bookable", "opening_of", "returns_at", "slots_on"]


class SlotPlan(BaseModel):
    """How a service gives appointments: slots of `minutes` with `places` each, up to `days_ahead` days ahead.

    A slot can be booked until `lead_min` before it begins. Check-in opens `early_min` before it; who
    comes more than `late_min` after its beginning stands in line as somebody who has just come.

    With `draw_min` a new day opens at `draw_at` of the hall's clock, and whoever registers in its first
    minutes is drawn instead of served first; 0: it opens at midnight, first come, first served.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: int = Field(default=30, ge=5, le=240)
    places: int = Field(default=4, ge=1, le=999)
    days_ahead: int = Field(default=14, ge=0, le=90)
    lead_min: int = Field(default=30, ge=0, le=1440)
    early_min: int = Field(default=15, ge=0, le=240)
    late_min: int = Field(default=10, ge=0, le=240)
    draw_min: int = Field(default=0, ge=0, le=60, description="minutes of a new day's draw; 0: none")
    draw_at: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot; its end is excluded."""

    starts_at: datetime
    ends_at: datetime


def slots_on(plan: SlotPlan, day: date, zone: tzinfo, spans: Iterable[tuple[int, int]]) -> list[Slot]:
    """The slots of a day, earliest first, cut from `spans`: minutes after midnight, end excluded.

    A rest at the end of a span that is too short is no slot.
    """
    length = timedelta(minutes=plan.minutes)
    midnight = datetime.combine(day, time(), zone)
    found = []
    for start_min, end_min in spans:
        # Wall time, not elapsed time: a slot at 09:00 is at 09:00 on the day the clocks change, too.
        for begin in range(start_min, end_min - plan.minutes + 1, plan.minutes):
            starts_at = midnight + timedelta(minutes=begin)
            found.append(Slot(starts_at, starts_at + length))
    return found


def bookable(plan: SlotPlan, slot: Slot, now: datetime) -> bool:
    """True while the slot is neither too near nor too far, `now` on the hall's clock."""
    if slot.starts_at - now < timedelta(minutes=plan.lead_min):
        return False
    day = slot.starts_at.date()
    return opening_of(plan, day, now.tzinfo) <= now


def opening_of(plan: SlotPlan, day: date, zone: tzinfo | None) -> datetime:
    """When the slots of this day are first given."""
    at = time.fromisoformat(plan.draw_at) if plan.draw_min else time()
    return datetime.combine(day - timedelta(days=plan.days_ahead), at, zone)


def returns_at(
    plan: SlotPlan, starts_at: datetime, now: datetime, wait: tuple[timedelta, timedelta], share: float
) -> datetime:
    """When a place that was given up is offered again: after `wait`, from shortest to longest by `share`
    (0 to 1), but never later than the slot can be booked.
    """
    shortest, longest = wait
    deadline = starts_at - timedelta(minutes=plan.lead_min)
    return min(now + shortest + (longest - shortest) * share, max(deadline, now))
