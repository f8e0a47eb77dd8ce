"""What a controller is told: the only file that reads the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from controller.use_cases.fairness import Fairness
from controller.use_cases.promise_rules import PromiseRules
from controller.use_cases.rating_rules import RatingRules
from hall_core.errors import SettingsInvalid

__all__ = ["ControllerSettings", "load_settings"]

PREFIX = "HALL_CONTROLLER_"
_WEB = ("http", "https")
_SMS = (*_WEB, "smpp", "smpps", "cmpp", "aliyun", "tencent", "webhook")
#: what the settings that are URLs may begin with
_SCHEMES = {"public_url": _WEB, "gateway": _SMS, "gateway_second": _SMS, "gateway_wechat": ("wechat",)}


class ControllerSettings(BaseSettings):
    """Settings of `hall-controller`, from options, the environment `HALL_CONTROLLER_*`, or these defaults."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    data: Path = Field(description="folder of the database and the private key; must survive a power cut")
    database: str = Field(
        default="", description="database URL, postgresql://…; without it SQLite in the data folder"
    )
    host: str = Field(default="127.0.0.1", description="address the pages and the API are served on")
    port: int = Field(default=8080, ge=0, le=65535, description="its port; 0 takes a free one")
    broker: str = Field(
        default="mqtt://127.0.0.1:1883", description="mqtt://user:password@host:port or mqtts://…"
    )
    broker_ca: Path | None = Field(default=None, description="CA certificate of the broker (mqtts)")
    broker_cert: Path | None = Field(default=None, description="certificate of the controller (mqtts)")
    broker_key: Path | None = Field(default=None, description="its private key (mqtts)")
    mqtt: Literal["auto", "5", "3.1.1"] = Field(
        default="auto", description="MQTT version; auto takes 5, and 3.1.1 when the broker refuses"
    )
    public_url: str = Field(default="", description="where citizens reach the controller; in links and QR")
    believe_clock: bool = Field(
        default=False, description="tell boxes the time though the system does not call it synchronised"
    )
    gateway: str = Field(
        default="",
        description="URL of the SMS gateway: https, smpp, smpps, cmpp, aliyun, tencent, webhook; "
        "without it notices are not sent",
        repr=False,
    )
    gateway_key: str = Field(
        default="", description="key of the SMS gateway, when its URL has none", repr=False
    )
    gateway_per_s: float = Field(default=20.0, gt=0, le=1000, description="notices a second at most")
    gateway_second: str = Field(
        default="",
        description="URL of a second SMS gateway, for new notices while the first one fails",
        repr=False,
    )
    gateway_second_key: str = Field(default="", description="its key, when its URL has none", repr=False)
    gateway_second_per_s: float = Field(
        default=20.0, gt=0, le=1000, description="its notices a second at most"
    )
    gateway_wechat: str = Field(
        default="",
        description="wechat://APPID:SECRET@api.weixin.qq.com?…, for citizens who took their number there",
        repr=False,
    )
    gateway_wechat_key: str = Field(default="", description="its secret, when its URL has none", repr=False)
    keep_phones_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="days after which numbers of citizens, their masks and digests are erased",
    )
    number_per_minute: int = Field(
        default=10, ge=1, le=1000, description="notices to one number in a minute at most"
    )
    number_per_day: int = Field(
        default=40, ge=1, le=1000, description="notices to one number in 24 hours; below the provider's limit"
    )
    rating_answer_hours: int = Field(
        default=24, ge=1, le=720, description="hours in which a bad rating is answered"
    )
    rating_close_hours: int = Field(
        default=120, ge=1, le=2160, description="hours in which it is answered, called back and closed"
    )
    rating_default_days: int = Field(
        default=0,
        ge=0,
        le=90,
        description="days after which an unrated visit is counted, apart, as satisfied; 0 never",
    )
    miss_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="days in which missed appointments count; not beyond keep_phones_days",
    )
    miss_count: int = Field(
        default=2,
        ge=2,
        le=30,
        description="days with missed appointments that pause booking; before: a warning",
    )
    pause_days: int = Field(default=7, ge=1, le=365, description="days for which booking is paused")
    late_booking_min: int = Field(
        default=15,
        ge=0,
        le=240,
        description="minutes after a slot's end when who was not called gets a credit",
    )
    idle_counter_min: int = Field(
        default=5, ge=1, le=240, description="minutes a counter may be free while somebody waits"
    )
    return_min: int = Field(
        default=3, ge=0, le=120, description="minutes after which a place that was given up returns, at least"
    )
    return_max: int = Field(
        default=20, ge=0, le=240, description="and at most; chance decides, the deadline for booking ends it"
    )
    signature: str = Field(
        default="滨江政务", min_length=2, max_length=12, description="signature in front of every notice"
    )

    @model_validator(mode="after")
    def _urls(self) -> Self:
        if urlsplit(self.broker).scheme not in ("mqtt", "mqtts"):
            msg = "broker must start with mqtt:// or mqtts://"
            raise ValueError(msg)
        for name, schemes in _SCHEMES.items():
            value = getattr(self, name)
            if value and urlsplit(value).scheme not in schemes:
                msg = f"{name} must start with {' or '.join(f'{scheme}://' for scheme in schemes)}"
                raise ValueError(msg)
        return self

    @property
    def database_url(self) -> str:
        """The database, SQLite in the data folder without another."""
        return self.database or f"sqlite:///{self.data / 'controller.db'}"

    @property
    def key_file(self) -> Path:
        """The private key that opens sealed phone numbers."""
        return self.data / "phone.key"

    @property
    def fairness(self) -> Fairness:
        """How long places that were given up stay away."""
        longest = max(self.return_min, self.return_max)
        return Fairness(timedelta(minutes=self.return_min), timedelta(minutes=longest))

    @property
    def promises(self) -> PromiseRules:
        """What citizens and halls owe each other for an appointment."""
        return PromiseRules(
            self.miss_count,
            timedelta(days=self.miss_days),
            timedelta(days=self.pause_days),
            timedelta(minutes=self.late_booking_min),
            timedelta(minutes=self.idle_counter_min),
        )

    @property
    def rating_rules(self) -> RatingRules:
        """How long a bad rating may stay without an answer."""
        answer, close = timedelta(hours=self.rating_answer_hours), timedelta(hours=self.rating_close_hours)
        return RatingRules(answer, close, self.rating_default_days)

    def exposure(self) -> str:
        """Why the broker's address is not fit for a controller others can reach; empty when it is."""
        parts = urlsplit(self.broker)
        if parts.password or (parts.scheme == "mqtts" and self.broker_cert):
            return ""
        return (
            "the broker takes anybody: give --broker mqtt://user:password@host:port, "
            "or mqtts:// with --broker-cert and --broker-key"
        )


def load_settings(**options: Any) -> ControllerSettings:
    """Settings from options that were given, else the environment. Raises SettingsInvalid."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return ControllerSettings(**given)
    except ValidationError as error:
        lines = []
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            where = ".".join(str(part) for part in item["loc"])
            lines.append(f"{PREFIX + where.upper() if where else 'settings'}: {item['msg']}")
        raise SettingsInvalid("; ".join(lines)) from error
