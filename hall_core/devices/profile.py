"""The schema of a firmware profile: one device model, values and golden frames, never logic."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hall_core.devices.vocabulary import Assurance, Capability

__all__ = ["GoldenFrame", "Limits", "Match", "Profile", "SerialLine", "Status", "TcpLine", "Timing"]

Status = Literal["drafted", "simulated", "captured", "field"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(_Part):
    """Which devices the profile is for."""

    vendor: str
    models: tuple[str, ...] = Field(min_length=1)
    firmware: str | None = Field(default=None, description='range such as ">=1.0 <3"')


class TcpLine(_Part):
    """TCP side of the model."""

    port: int = Field(ge=1, le=65535)
    connect_timeout_ms: int = Field(default=3000, gt=0)


class SerialLine(_Part):
    """Serial side of the model. `format` is data bits, parity, stop bits."""

    baud: int = Field(default=9600, gt=0)
    format: Literal["8N1", "8E1", "8O1", "8N2", "7E1"] = "8N1"


class Timing(_Part):
    """How fast the model can be spoken to, in milliseconds."""

    response_timeout_ms: int = Field(default=800, gt=0)
    gap_ms: int = Field(default=20, ge=0, description="silence between two frames on the bus")
    quarantine_ms: int = Field(default=1000, ge=0, description="silence after a time-out")
    retries: int = Field(default=1, ge=0, le=5)
    probe_s: float = Field(default=10, gt=0)
    down_after: int = Field(default=2, ge=1, description="missed probes until offline")


class Limits(_Part):
    """What the model cannot exceed."""

    max_text_bytes: int = Field(default=240, gt=0)
    label_digits: int | None = Field(default=None, description="digits shown where letters are not")


class GoldenFrame(_Part):
    """One exchange from a named source: what is sent for a command, and what the device answers."""

    name: str
    source: str
    command: dict[str, Any]
    sent: str = Field(description="hex, blanks allowed")
    answer: str = ""


class Profile(_Part):
    """One device model of one family. `options` are named, typed by the family's driver."""

    schema_id: Literal["hall.profile/1"] = Field(alias="schema")
    id: str = Field(pattern=r"^[a-z0-9]+(\.[a-z0-9-]+)+$")
    family: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: str = Field(description="what people call it: strip, keypad, printer …")
    name: str
    status: Status
    match: Match
    tcp: TcpLine | None = None
    serial: SerialLine | None = None
    timing: Timing = Field(default_factory=Timing)
    limits: Limits = Field(default_factory=Limits)
    encoding: str = "gbk"
    capabilities: dict[Capability, Assurance] = Field(min_length=1)
    volatile: bool = Field(default=True, description="what it shows is lost with its power")
    options: dict[str, Any] = Field(default_factory=dict)
    quirks: tuple[dict[str, Any], ...] = ()
    frames: tuple[GoldenFrame, ...] = ()
