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
    "BoardPicture",
    "BoardRow",
    "Capability",
    "CardRead",
    "CodeScanned",
    "CounterMode",
    "CounterPicture",
    "DeviceEvent",
    "DeviceState",
    "Evaluated",
    "Finding",
    "Job",
    "KeyOp",
    "KeyPressed",
    "Outcome",
    "PageUser",
    "Picture",
    "PrintTicket",
    "Restart",
    "ScreenPicture",
    "SelfTest",
    "SelfTested",
    "SendText",
    "Sensed",
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
    #: shut to the public outside its service hours
    LOCK = "lock"
    RESTART = "restart"
    SELF_TEST = "self-test"


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
    `waiting` is for key-pads. `text` is the sentence for devices that show text. `ended` is for evaluators:
    label and call of the visit that has just ended here and is to be rated.
    """

    kind: Literal["counter"] = "counter"
    counter: str
    name: str
    mode: CounterMode
    label: str | None = None
    call_no: int = 0
    waiting: int = 0
    ended: str | None = None
    text: str
    shown_since: datetime | None = None


class BoardRow(_Value):
    """One call on the hall's large screen."""

    label: str
    counter: str
    fresh: bool = False


class BoardPicture(_Value):
    """What a large screen of the whole hall should show: the last calls, newest first, and a notice."""

    kind: Literal["board"] = "board"
    hall: str
    rows: tuple[BoardRow, ...] = ()
    notice: str = ""


class ScreenPicture(_Value):
    """How a plasma, a display or a projector should stand: what it shows comes over its input."""

    kind: Literal["screen"] = "screen"
    on: bool
    input: str | None = None
    volume: int | None = Field(default=None, ge=0, le=100)
    muted: bool | None = None
    brightness: int | None = Field(default=None, ge=0, le=100)


Picture = CounterPicture | BoardPicture | ScreenPicture


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


class PageUser(_Value):
    """Make one pager shake: nobody can know whether it did."""

    kind: Literal["page-user"] = "page-user"
    job_id: str
    pager: int = Field(ge=0)
    text: str = ""


class SendText(_Value):
    """Send one short message from the hall. The number is kept in memory only and never logged."""

    kind: Literal["send-text"] = "send-text"
    job_id: str
    to: str = Field(repr=False)
    text: str


class Restart(_Value):
    """Start the device anew: a terminal's computer loses its power for a moment, a screen loads its page."""

    kind: Literal["restart"] = "restart"
    job_id: str


class SelfTest(_Value):
    """Test every part now; what was found comes as `SelfTested` with the same `job_id`."""

    kind: Literal["self-test"] = "self-test"
    job_id: str


Job = PrintTicket | PageUser | SendText | Restart | SelfTest


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
    digits: str = Field(default="", pattern=r"^[0-9]{0,255}$")


class Evaluated(_Value):
    """A citizen pressed an evaluator key: 1 (worst) … 5 (best)."""

    kind: Literal["evaluated"] = "evaluated"
    score: int = Field(ge=1, le=5)


class CardRead(_Value):
    """An ID card was read: a keyed digest of its number, and how it may be shown. Nothing else is kept."""

    kind: Literal["card-read"] = "card-read"
    digest: str
    masked: str


class CodeScanned(_Value):
    """A bar or QR code was read."""

    kind: Literal["code-scanned"] = "code-scanned"
    text: str


class Sensed(_Value):
    """A measured value: temperature, door, battery, mains."""

    kind: Literal["sensed"] = "sensed"
    name: str
    value: float
    unit: str = ""


class Finding(_Value):
    """One thing a self-test looked at. `detail` says who must do what when it did not pass."""

    what: str
    passed: bool
    detail: str = ""


class SelfTested(_Value):
    """A self-test has ended."""

    kind: Literal["self-tested"] = "self-tested"
    job_id: str
    findings: tuple[Finding, ...]


DeviceEvent = Annotated[
    KeyPressed | Evaluated | CardRead | CodeScanned | Sensed | SelfTested, Field(discriminator="kind")
]
