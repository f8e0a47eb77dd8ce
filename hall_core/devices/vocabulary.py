"""What devices can be told and can tell. Nothing above a driver speaks anything else.

Screens are state: a device is shown a whole *picture* and repaints it after every reconnect.
Paper and pages are events: a *job* is done once or not at all.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Assurance",
    "Capability",
    "CounterMode",
    "CounterPicture",
    "DeviceEvent",
    "DeviceState",
    "Evaluated",
    "Job",
    "KeyOp",
    "KeyPressed",
    "Outcome",
    "Picture",
    "PrintTicket",
]


class Capability(StrEnum):
    """What a device can do, independent of make and protocol."""

    CALL_DISPLAY = "call-display"
    TEXT = "text"
    POWER = "power"
    BRIGHTNESS = "brightness"
    INPUT = "input"
    WEB_CONTENT = "web-content"
    PRINT_TICKET = "print-ticket"
    KEYPAD = "keypad"
    EVALUATE = "evaluate"
    PAGE_USER = "page-user"
    CARD_READ = "card-read"
    SCAN_CODE = "scan-code"
    SENSOR = "sensor"
    INDICATOR = "indicator"
    HEALTH = "health"
    FIRMWARE = "firmware"
    SMS_CHANNEL = "sms-channel"


class Assurance(StrEnum):
    """How sure we can be that a device did what it was told."""

    #: the state can be read back
    READBACK = "readback"
    #: the device acknowledges
    ACK = "ack"
    #: fire and forget
    NONE = "none"


class Outcome(StrEnum):
    """How a command ended. `accepted` = acknowledged, `applied` = read back, `unconfirmed` = sent only."""

    APPLIED = "applied"
    ACCEPTED = "accepted"
    UNCONFIRMED = "unconfirmed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"


class DeviceState(StrEnum):
    """What the hall knows of a device now."""

    #: not spoken to yet
    UNKNOWN = "unknown"
    ONLINE = "online"
    #: works in part: paper low, a part refused
    DEGRADED = "degraded"
    #: cannot report by its nature; nothing is known to be wrong
    UNCONFIRMED = "unconfirmed"
    OFFLINE = "offline"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CounterMode(StrEnum):
    """What the strip over a counter tells."""

    CLOSED = "closed"
    #: open, nobody called
    FREE = "free"
    #: a number is called: blink, then steady
    CALLED = "called"
    SERVING = "serving"
    PAUSED = "paused"


class CounterPicture(_Value):
    """What every device at one counter should show now: strips, signs, key-pads.

    `label` only when called or serving. `call_no` rises with each call, so a recall is a new picture.
    `waiting` is for key-pads. `text` is the sentence for devices that show text.
    """

    kind: Literal["counter"] = "counter"
    counter: str
    name: str
    mode: CounterMode
    label: str | None = None
    call_no: int = 0
    waiting: int = 0
    text: str
    shown_since: datetime | None = None


Picture = CounterPicture


class PrintTicket(_Value):
    """Print one slip. `job_id` names it: the same job is never printed twice."""

    kind: Literal["print-ticket"] = "print-ticket"
    job_id: str
    hall: str
    label: str
    service: str
    ahead: int
    range_text: str
    issued_at: datetime
    url: str
    hint: str = ""


Job = PrintTicket


class KeyOp(StrEnum):
    """What the keys of a silent caller mean, whatever their codes."""

    NEXT = "next"
    RECALL = "recall"
    NO_SHOW = "no-show"
    HOLD = "hold"
    RETURN = "return"
    TRANSFER = "transfer"
    PAUSE = "pause"
    EVALUATE = "evaluate"
    CANCEL = "cancel"


class KeyPressed(_Value):
    """A clerk pressed a key; `digits` were typed before it."""

    kind: Literal["key-pressed"] = "key-pressed"
    op: KeyOp
    digits: str = ""


class Evaluated(_Value):
    """A citizen pressed an evaluator key: 1 (worst) … 5 (best)."""

    kind: Literal["evaluated"] = "evaluated"
    score: int = Field(ge=1, le=5)


DeviceEvent = Annotated[KeyPressed | Evaluated, Field(discriminator="kind")]
