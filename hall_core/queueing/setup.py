"""What a hall is: its services, counters and rules. Written by people, journaled as a fact."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hall_core.queueing.steps import Step
from hall_core.schedule.hours import Hours
from hall_core.schedule.slots import SlotPlan

__all__ = [
    "CounterSetup",
    "Escalation",
    "HallId",
    "HallSetup",
    "Ident",
    "Level",
    "Place",
    "Prefix",
    "ServiceSetup",
]

Ident = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
#: a hall's id is also the name of its box on the wire
HallId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{2,31}$")]
# Letters that look like digits on an LED strip are left out, and W, the controller's own series.
Prefix = Annotated[str, StringConstraints(pattern=r"^[ABCDEFGHJKLMNPRTUVXY]$")]
Level = Literal["district", "street", "community"]


class ServiceSetup(BaseModel):
    """What a citizen comes for. `minutes` is the usual service time until the hall has measured its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Ident
    name: str = Field(min_length=1, max_length=24)
    name_en: str = Field(default="", max_length=48)
    about: str = Field(default="", max_length=60)
    about_en: str = Field(default="", max_length=80)
    prefix: Prefix
    hours: Hours | None = None
    instead: str = Field(default="", max_length=40, description="where to go when it is closed")
    minutes: float = Field(default=8.0, gt=0, le=480)
    appointments: SlotPlan | None = Field(default=None, description="none: this service gives no slots")


class CounterSetup(BaseModel):
    """A counter and the services it may serve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Ident
    name: str = Field(min_length=1, max_length=16)
    services: tuple[Ident, ...] = Field(min_length=1)
    presses_start: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="its clerks press start when somebody comes; auto: as the last visit shows",
    )


class Escalation(BaseModel):
    """How a call that nobody answers gets louder, in seconds after it; 0: that step is never taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    again_s: int = Field(default=30, ge=0, le=240, description="strip and board show it anew, with the chime")
    pager_s: int = Field(default=45, ge=0, le=240, description="the pager shakes once more")
    sms_s: int = Field(default=60, ge=0, le=240, description="a second short message to its holder")
    relative_s: int = Field(default=90, ge=0, le=240, description="a short message to the relative given")

    def steps(self) -> tuple[tuple[Step, int], ...]:
        """Every step with its seconds, the quietest first."""
        all_steps: tuple[tuple[Step, int], ...] = (
            ("again", self.again_s),
            ("pager", self.pager_s),
            ("sms", self.sms_s),
            ("relative", self.relative_s),
        )
        return all_steps


class Place(BaseModel):
    """Where a hall is: for people who look for it, and for telling which one is near."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = Field(default="", max_length=60)
    address_en: str = Field(default="", max_length=100)
    lat: float | None = Field(default=None, ge=-90, le=90, description="degrees north")
    lon: float | None = Field(default=None, ge=-180, le=180, description="degrees east")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            msg = "lat and lon stand together, or neither stands"
            raise ValueError(msg)
        return self


class HallSetup(BaseModel):
    """One hall. `credits_min` are the minutes each priority class is moved forward (`goodwill` is given by
    the centre alone); `goal_min` the waiting goal past which a ticket goes next.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hall: HallId
    name: str = Field(min_length=1, max_length=32)
    level: Level
    parent: HallId | None = None
    tz: str = "Asia/Shanghai"
    holidays: str = Field(
        default="CN", pattern=r"^([A-Z]{2}|none)$", description="whose national days the hall keeps; none: no"
    )
    hours: Hours = Field(default_factory=Hours)
    services: tuple[ServiceSetup, ...] = Field(min_length=1)
    counters: tuple[CounterSetup, ...] = Field(min_length=1)
    notice: str = Field(default="", max_length=60, description="a line for the large screens")
    place: Place | None = None
    goal_min: int = Field(default=30, ge=1, le=480)
    escalation: Escalation = Field(default_factory=Escalation)
    credits_min: dict[Ident, int] = Field(
        default_factory=lambda: {
            "elder": 15,
            "pregnant": 15,
            "military": 15,
            "disabled": 15,
            "urgent": 25,
            "goodwill": 10,
        }
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        for what, ids in (
            ("service", [s.id for s in self.services]),
            ("prefix", [s.prefix for s in self.services]),
            ("counter", [c.id for c in self.counters]),
        ):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            if twice:
                msg = f"{what} {twice[0]!r} stands twice; every {what} must be unique in a hall"
                raise ValueError(msg)
        known = {s.id for s in self.services}
        for counter in self.counters:
            for service in counter.services:
                if service not in known:
                    msg = f"counter {counter.id!r} serves {service!r}, which is no service of the hall"
                    raise ValueError(msg)
        for name, minutes in self.credits_min.items():
            if not 0 <= minutes <= self.goal_min:
                msg = f"credit of {name!r} must lie between 0 and goal_min ({self.goal_min})"
                raise ValueError(msg)
        return self

    def service(self, service_id: str) -> ServiceSetup | None:
        """The service with this id."""
        return next((s for s in self.services if s.id == service_id), None)

    def counter(self, counter_id: str) -> CounterSetup | None:
        """The counter with this id."""
        return next((c for c in self.counters if c.id == counter_id), None)
