"""Which devices stand in a hall, and where: the part of the hall file that belongs to the box."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hall_core.queueing.setup import HallSetup, Ident
from hall_core.schedule.hours import Hours

__all__ = ["DeviceSetup", "HallFile", "SatelliteFile", "ScreenSetup"]


class ScreenSetup(BaseModel):
    """How a display stands while the hall works: on from `lead_min` before opening to `tail_min` after.

    `hours` are those of a 24-hour terminal, which is locked outside them; never without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str | None = None
    volume: int | None = Field(default=None, ge=0, le=100)
    brightness: int | None = Field(default=None, ge=0, le=100)
    lead_min: int = Field(default=15, ge=0, le=240)
    tail_min: int = Field(default=30, ge=0, le=240)
    hours: Hours | None = None


class DeviceSetup(BaseModel):
    """One device. `address` is `tcp://host:port`, `serial:///dev/ttyX`, `mqtt://user:password@host/name` or `web://NAME`.

    `unit` is its number on the bus; `counter` is where it stands, none for devices of the whole hall;
    `screen` is for displays. `firmware` chooses the quirks of its profile; without it there are none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Ident
    profile: str
    address: str = Field(pattern=r"^(tcp|serial|rtu\+tcp|mqtts?|web)://.+", repr=False)
    unit: int = Field(default=1, ge=0, le=65535)
    firmware: str | None = Field(default=None, pattern=r"^[vV]?[0-9]+(\.[0-9]+)*")
    counter: Ident | None = None
    screen: ScreenSetup = Field(default_factory=ScreenSetup)
    options: dict[str, Any] = Field(default_factory=dict)


class HallFile(BaseModel):
    """The YAML file of one hall: `hall:` what it is, `devices:` what stands in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hall: HallSetup
    devices: tuple[DeviceSetup, ...] = ()


class SatelliteFile(BaseModel):
    """The YAML file of a satellite box: `box:` its name at the hall's broker, `devices:` what hangs on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    box: Ident | None = None
    devices: tuple[DeviceSetup, ...] = ()
