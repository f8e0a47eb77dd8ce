"""The messages, one class each: `encode` makes the bytes, `decode` reads them or raises WireError."""

import re
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from hall_core.errors import WireError
from hall_core.queueing.commands import Command
from hall_core.queueing.facts import Fact
from hall_core.queueing.setup import Ident, Level

__all__ = [
    "BATCH",
    "Ack",
    "AgentState",
    "Birth",
    "ControllerState",
    "Desired",
    "DeviceReport",
    "FactBatch",
    "Message",
    "Report",
    "Telemetry",
    "WishBatch",
    "decode",
    "encode",
]

#: most entries of a stream in one message
BATCH = 100
MAX_BYTES = 512 * 1024
#: the highest number of a stream: what every database and every JSON reader can hold
MAX_N = 2**53

StreamId = str


class Message(BaseModel):
    """Common to all messages. Unknown fields are ignored: newer senders may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1


class Birth(Message):
    """Said after every connect: who the box is, its stream and its last fact, the wishes it holds."""

    agent: str
    hall: Ident
    name: str
    level: Level
    parent: str | None = None
    incarnation: str
    stream: StreamId
    last: int = Field(ge=0, le=MAX_N)
    wish_stream: StreamId | None = None
    wishes_applied: int = Field(default=0, ge=0, le=MAX_N)
    version: str
    boot: int = Field(ge=0, le=MAX_N)


class AgentState(Message):
    """`lost` is the last will; `boot` tells an old will from a new life."""

    state: Literal["online", "stopped", "lost"]
    boot: int = Field(ge=0, le=MAX_N)


class FactBatch(Message):
    """Facts `first`, `first + 1`, … of one stream."""

    hall: Ident
    stream: StreamId
    first: int = Field(ge=1, le=MAX_N)
    facts: list[Fact] = Field(min_length=1, max_length=BATCH)


class Ack(Message):
    """Everything of this stream up to `applied` is stored for good."""

    stream: StreamId
    applied: int = Field(ge=0, le=MAX_N)


class WishBatch(Message):
    """Wishes `first`, `first + 1`, … of one stream, for one box: another of its hall leaves them alone."""

    hall: Ident
    incarnation: str | None = None
    stream: StreamId
    first: int = Field(ge=1, le=MAX_N)
    wishes: list[Command] = Field(min_length=1, max_length=BATCH)


class DeviceReport(Message):
    """One device as the hall knows it. `assurance` is its weakest: none, ack or readback; `outcome` what
    came of the last thing it was told; `values` what it measured last.
    """

    name: str
    kind: str
    profile: str
    state: str
    since: str
    detail: str = ""
    counter: str | None = None
    assurance: str | None = None
    outcome: str | None = None
    outcome_at: str | None = None
    values: dict[str, FiniteFloat] = Field(default_factory=dict)


class Report(Message):
    """The latest state of a hall beside its facts; `n` is the fact the hash belongs to."""

    hall: Ident
    stream: StreamId
    n: int = Field(ge=0, le=MAX_N)
    state_hash: str
    devices: list[DeviceReport] = Field(default_factory=list)


class Telemetry(Message):
    """Figures: may be lost, are never waited for."""

    at: str
    values: dict[str, FiniteFloat]


class Desired(Message):
    """A document the box should follow; a higher `rev` replaces a lower one."""

    rev: int = Field(ge=0)
    body: dict[str, Any]


class ControllerState(Message):
    """The controller's birth and last will. `epoch` rises with each start."""

    state: Literal["online", "lost"]
    epoch: int


#: parts of a place that are ours; anything else may be a value
_PLACE = re.compile(r"[a-z0-9_-]{1,32}")

M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """The message as UTF-8 JSON."""
    return message.model_dump_json(exclude_none=True).encode()


def decode(kind: type[M], payload: bytes) -> M:
    """The message in these bytes. Raises WireError, which names what is wrong but quotes no values."""
    if len(payload) > MAX_BYTES:
        msg = f"{kind.__name__} of {len(payload)} bytes is larger than {MAX_BYTES}"
        raise WireError(msg)
    if b"\\u0000" in payload:
        msg = f"{kind.__name__}: holds a NUL character, which no database takes"
        raise WireError(msg)
    try:
        # Newer senders may know more than we do, at any depth.
        return kind.model_validate_json(payload, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"] if _PLACE.fullmatch(str(part)))
        what = "unknown kind" if first["type"] == "union_tag_invalid" else first["msg"]
        msg = f"{kind.__name__}: {where or 'message'}: {what}"
    # Not chained: the library's error quotes the values it refused.
    raise WireError(msg)
