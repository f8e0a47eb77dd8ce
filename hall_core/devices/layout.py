"""Which devices stand in a hall, and where: the part of the hall file that belongs to the box."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hall_core.queueing.setup import HallSetup, Ident

__all__ = ["DeviceSetup", "HallFile", "ScreenSetup"]


class ScreenSetup(BaseModel):
    """How a display stands while the hall works: on from `lead_min` before opening to `tail_min` after."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str | None = None
    volume: int | None = Field(default=None, ge=0, le=100)
    brightness: int | None = Field(default=None, ge=0, le=100)
    lead_min: int = Field(default=15, ge=0, le=240)
    tail_min: int = Field(default=30, ge=0, le=240)


class DeviceSetup(BaseModel):
    """One device. `address` is `tcp://host:port` or `serial:///dev/ttyX`; `unit` its number on the bus.

    `counter` is where it stands, none for devices of the whole hall; `screen` is for displays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Ident
    profile: str
    address: str = Field(pattern=r"^(tcp|serial|rtu\+tcp)://.+")
    unit: int = Field(default=1, ge=0, le=65535)
    counter: Ident | None = None
    screen: ScreenSetup = Field(default_factory=ScreenSetup)
    options: dict[str, Any] = Field(default_factory=dict)


class HallFile(BaseModel):
    """The YAML file of one hall: `hall:` what it is, `devices:` what stands in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hall: HallSetup
    devices: tuple[DeviceSetup, ...] = ()
