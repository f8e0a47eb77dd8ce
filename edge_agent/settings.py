"""What an agent is told: the only file that reads the environment and the hall file."""

from base64 import b64decode, urlsafe_b64decode
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hall_core.devices.layout import HallFile, SatelliteFile
from hall_core.errors import SettingsInvalid
from hall_core.hosts import is_loopback

__all__ = [
    "AgentSettings",
    "SatelliteSettings",
    "load_hall_file",
    "load_satellite_file",
    "load_satellite_settings",
    "load_settings",
]

_KEY_BYTES = 32


class BoxSettings(BaseSettings):
    """What every box is told: whom it asks for the time before it can use TLS, whom it believes."""

    model_config = SettingsConfigDict(env_prefix="HALL_AGENT_", extra="forbid")

    time_url: str = Field(
        default="", description="http://host:port of the controller: tells the time before TLS can be used"
    )
    time_key: str = Field(default="", description="what `hall-controller box time-key` prints: public")
    local_broker_ca: Path | None = Field(
        default=None, description="CA certificate of the hall's own broker, for devices at mqtts://"
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        if bool(self.time_url) != bool(self.time_key):
            msg = "time_url and time_key go together: `hall-controller box time-key` prints the key"
            raise ValueError(msg)
        return self

    @field_validator("time_url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme != "http" or not parts.hostname or parts.username):
            msg = "must be http://host:port, plain: a box whose clock is wrong cannot use TLS"
            raise ValueError(msg)
        return url.rstrip("/")

    @field_validator("time_key")
    @classmethod
    def _public_key(cls, key: str) -> str:
        if key and len(urlsafe_b64decode(key)) != _KEY_BYTES:
            msg = "must be what `hall-controller box time-key` prints"
            raise ValueError(msg)
        return key


class AgentSettings(BoxSettings):
    """Settings of `hall-agent`, from options, the environment `HALL_AGENT_*`, or these defaults."""

    model_config = SettingsConfigDict(env_prefix="HALL_AGENT_", extra="forbid")

    hall: Path = Field(description="the hall file (YAML): what the hall is and which devices stand in it")
    data: Path = Field(description="folder of the journal and the accounts; must survive a power cut")
    agent: str | None = Field(default=None, description="name of this box; the hall's id without it")
    host: str = Field(default="127.0.0.1", description="address the pages and the API are served on")
    port: int = Field(default=8070, ge=0, le=65535, description="its port; 0 takes a free one")
    broker: str | None = Field(default=None, description="mqtt://user:password@host:port or mqtts://…")
    broker_ca: Path | None = Field(default=None, description="CA certificate of the broker (mqtts)")
    broker_cert: Path | None = Field(default=None, description="certificate of this box (mqtts)")
    broker_key: Path | None = Field(default=None, description="its private key (mqtts)")
    mqtt: Literal["auto", "5", "3.1.1"] = Field(
        default="auto", description="version; auto tries both in turn"
    )
    public_url: str = Field(default="", description="where citizens reach the controller")
    standalone: bool = Field(default=False, description="never a controller: grants itself zone 0")
    mirror: Path | None = Field(default=None, description="folder for a second copy of the journal: a stick")
    keep_days: int = Field(default=30, ge=1, description="confirmed facts stay in the journal so long")
    journal_mb: int = Field(default=512, ge=8, description="a journal of more MiB is pruned earlier")
    believe_clock: bool = Field(default=False, description="trust the clock of a box without any network")
    override_key: str = Field(
        default="", description="what `hall-controller box override-key HALL` prints: secret", repr=False
    )
    resend_s: float = Field(default=10.0, gt=0, description="facts unacknowledged so long are re-sent")
    reconnect_s: float = Field(
        default=30.0, ge=1, le=60, description="longest wait between two tries to connect"
    )
    keepalive_s: int = Field(default=20, ge=5, le=30, description="MQTT keepalive: notices dead links")

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.broker and urlsplit(self.broker).scheme not in ("mqtt", "mqtts"):
            msg = "broker must start with mqtt:// or mqtts://"
            raise ValueError(msg)
        if self.broker and not is_loopback(urlsplit(self.broker).hostname or ""):
            parts = urlsplit(self.broker)
            if not (parts.password or self.broker_cert):
                msg = (
                    "a broker on another machine needs credentials: give broker_cert and broker_key "
                    "(mqtts) or user:password in the address"
                )
                raise ValueError(msg)
        return self

    @field_validator("override_key")
    @classmethod
    def _secret_key(cls, key: str) -> str:
        if key and len(b64decode(key, validate=True)) != _KEY_BYTES:
            msg = "must be what `hall-controller box override-key HALL` prints"
            raise ValueError(msg)
        return key

    @property
    def accounts_file(self) -> Path:
        """Where staff accounts are kept."""
        return self.data / "accounts.json"

    @property
    def journal_file(self) -> Path:
        """Where the journal is kept."""
        return self.data / "journal.db"


class SatelliteSettings(BoxSettings):
    """Settings of a satellite box, which carries devices and owns no queue; `role` tells the two apart."""

    model_config = SettingsConfigDict(env_prefix="HALL_AGENT_", extra="forbid", hide_input_in_errors=True)

    role: Literal["hall", "satellite"] = Field(
        default="hall", description="hall: owns the queue; satellite: carries devices for the hall box"
    )
    satellite: Path | None = Field(
        default=None, description="the satellite file (YAML): which devices hang on this box"
    )
    box: str | None = Field(
        default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="name of this satellite box"
    )
    local_broker: str | None = Field(
        default=None, description="the hall's own broker, mqtt://BOX:password@host:port or mqtts://…"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.role == "satellite":
            if self.satellite is None:
                msg = "a satellite needs --satellite FILE, which names its devices"
                raise ValueError(msg)
            if not self.local_broker:
                msg = "a satellite needs --local-broker mqtt://BOX:password@host:port, the hall's own broker"
                raise ValueError(msg)
        return self


def load_settings(**options: Any) -> AgentSettings:
    """Settings from options that were given, else the environment. Raises SettingsInvalid."""
    given = {k: v for k, v in options.items() if v is not None}
    try:
        return AgentSettings(**given)
    except ValidationError as error:
        raise SettingsInvalid(_explain(error, "HALL_AGENT_")) from error


def load_hall_file(path: Path) -> HallFile:
    """The hall file. Raises SettingsInvalid, which names the file and the place."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        layout = HallFile.model_validate(content)
        ZoneInfo(layout.hall.tz)
    except (ZoneInfoNotFoundError, IsADirectoryError) as error:
        msg = f"hall file {path}: hall.tz names no time zone; write Asia/Shanghai, for example"
        raise SettingsInvalid(msg) from error
    except OSError as error:
        msg = f"hall file {path}: {error.strerror}; write one, or name another with --hall"
        raise SettingsInvalid(msg) from error
    except yaml.YAMLError as error:
        msg = f"hall file {path} is not YAML: {error}"
        raise SettingsInvalid(msg) from error
    except ValidationError as error:
        msg = f"hall file {path}: {_explain(error, '')}"
        raise SettingsInvalid(msg) from error
    return layout


def load_satellite_settings(**options: Any) -> SatelliteSettings:
    """Like `load_settings`, for a satellite box. Raises SettingsInvalid."""
    try:
        return SatelliteSettings(**{k: v for k, v in options.items() if v is not None})
    except ValidationError as error:
        raise SettingsInvalid(_explain(error, "HALL_AGENT_")) from error


def load_satellite_file(path: Path) -> SatelliteFile:
    """The satellite file. Raises SettingsInvalid, which names the file and the place."""
    try:
        layout = SatelliteFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        msg = f"satellite file {path}: {error.strerror}; write one, or name another with --satellite"
        raise SettingsInvalid(msg) from error
    except yaml.YAMLError as error:
        msg = f"satellite file {path} is not YAML: {error}"
        raise SettingsInvalid(msg) from error
    except ValidationError as error:
        msg = f"satellite file {path}: {_explain(error, '')}"
        raise SettingsInvalid(msg) from error
    names = [device.name for device in layout.devices]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        msg = f"satellite file {path}: two devices are called {', '.join(twice)}; give each its own name"
        raise SettingsInvalid(msg)
    return layout


def _explain(error: ValidationError, prefix: str) -> str:
    lines = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"]) or "settings"
        name = f"{prefix}{where.upper()}" if prefix else where
        lines.append(f"{name}: {item['msg']}")
    return "; ".join(lines)
