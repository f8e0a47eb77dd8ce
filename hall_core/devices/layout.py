"""Which devices stand in a hall, and where: the part of the hall file that belongs to the box."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hall_core.queueing.setup import HallSetup, Ident

__all__ = ["DeviceSetup", "HallFile"]


class DeviceSetup(BaseModel):
    """One device. `address` is `tcp://host:port` or `serial:///dev/ttyX`; `unit` its number on the bus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Ident
    profile: str
    address: str = Field(pattern=r"^(tcp|serial|rtu\+tcp)://.+")
    unit: int = Field(default=1, ge=0, le=65535)
    counter: Ident | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class HallFile(BaseModel):
    """The YAML file of one hall: `hall:` what it is, `devices:` what stands in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hall: HallSetup
    devices: tuple[DeviceSetup, ...] = ()
