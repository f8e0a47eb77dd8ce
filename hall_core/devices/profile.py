"""The schema of a firmware profile: one device model, values and golden frames, never logic."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hall_core.devices.firmware import check_firmware, firmware_fits
from hall_core.devices.vocabulary import Assurance, Capability
from hall_core.errors import ProfileInvalid

__all__ = [
    "Changes",
    "GoldenFrame",
    "Limits",
    "Match",
    "Profile",
    "Quirk",
    "SerialLine",
    "Status",
    "TcpLine",
    "Timing",
    "overlaid",
]

Status = Literal["drafted", "simulated", "captured", "field"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


FirmwareRange = Annotated[str, AfterValidator(check_firmware)]


class Match(_Part):
    """Which devices the profile is for."""

    vendor: str
    models: tuple[str, ...] = Field(min_length=1)
    firmware: FirmwareRange | None = Field(default=None, description='range such as ">=1.0 <3"')


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


class Changes(_Part):
    """What a quirk says otherwise than its profile; mappings are laid over the profile's, key by key."""

    timing: dict[str, int | float] = Field(default_factory=dict)
    limits: dict[str, int] = Field(default_factory=dict)
    encoding: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class Quirk(_Part):
    """What some firmware does otherwise than the model's paper, and who saw it."""

    what: str = Field(min_length=1)
    firmware: FirmwareRange
    evidence: str = Field(min_length=1, description="capture, issue, page of a manual")
    changes: Changes


class Profile(_Part):
    """One device model of one family. `options` are named, typed by the family's driver.

    `extends` names the profile this one was made from; the shelf has laid its values below these already.
    """

    schema_id: Literal["hall.profile/1"] = Field(alias="schema")
    id: str = Field(pattern=r"^[a-z0-9]+(\.[a-z0-9-]+)+$")
    extends: str | None = None
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
    quirks: tuple[Quirk, ...] = ()
    frames: tuple[GoldenFrame, ...] = ()

    def fitted(self, firmware: str | None) -> Self:
        """The profile for a device with this firmware: its quirks are laid over it. None: it is not known.

        Raises ProfileInvalid when the profile is for other firmware, or is none any more with its quirks.
        """
        if firmware is None:
            return self
        wanted = self.match.firmware
        if wanted is not None and not firmware_fits(firmware, wanted):
            raise ProfileInvalid(
                f"{self.id}.yaml: match.firmware: 固件 {firmware} 不在 {wanted} 之内，请换一个型号档案"
                " (this profile is for other firmware: take another one)"
            )
        fitting = [quirk for quirk in self.quirks if firmware_fits(firmware, quirk.firmware)]
        fitted = self
        for quirk in fitting:
            fitted = fitted.changed(quirk.changes)
        return fitted

    def changed(self, changes: Changes) -> Self:
        """The profile with these changes laid over it."""
        said = overlaid(self.model_dump(by_alias=True), changes.model_dump(exclude_defaults=True))
        return type(self).model_validate(said)


def overlaid(below: Mapping[Any, Any], above: Mapping[Any, Any]) -> dict[Any, Any]:
    """`above` laid over `below`, mapping by mapping; None takes a key away."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = overlaid(old, value)
        else:
            merged[key] = value
    return merged
