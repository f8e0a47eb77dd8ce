"""The messages, one class each: `encode` makes the bytes, `decode` reads them or raises WireError."""

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
    last: int = Field(ge=0)
    wish_stream: StreamId | None = None
    wishes_applied: int = Field(default=0, ge=0)
    version: str
    boot: int = Field(ge=0)


class AgentState(Message):
    """`lost` is the last will; `boot` tells an old will from a new life."""

    state: Literal["online", "stopped", "lost"]
    boot: int = Field(ge=0)


class FactBatch(Message):
    """Facts `first`, `first + 1`, … of one stream."""

    hall: Ident
    stream: StreamId
    first: int = Field(ge=1)
    facts: list[Fact] = Field(min_length=1, max_length=BATCH)


class Ack(Message):
    """Everything of this stream up to `applied` is stored for good."""

    stream: StreamId
    applied: int = Field(ge=0)


class WishBatch(Message):
    """Wishes `first`, `first + 1`, … of one stream, for one box."""

    hall: Ident
    stream: StreamId
    first: int = Field(ge=1)
    wishes: list[Command] = Field(min_length=1, max_length=BATCH)


class DeviceReport(Message):
    """One device as the hall knows it."""

    name: str
    kind: str
    profile: str
    state: str
    since: str
    detail: str = ""
    counter: str | None = None


class Report(Message):
    """The latest state of a hall beside its facts; `n` is the fact the hash belongs to."""

    hall: Ident
    stream: StreamId
    n: int
    state_hash: str
    devices: list[DeviceReport] = Field(default_factory=list)


class Telemetry(Message):
    """Figures: may be lost, are never waited for."""

    at: str
    values: dict[str, float]


class Desired(Message):
    """A document the box should follow; a higher `rev` replaces a lower one."""

    rev: int = Field(ge=0)
    body: dict[str, Any]


class ControllerState(Message):
    """The controller's birth and last will. `epoch` rises with each start."""

    state: Literal["online", "lost"]
    epoch: int


M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """The message as UTF-8 JSON."""
    return message.model_dump_json(exclude_none=True).encode()


def decode(kind: type[M], payload: bytes) -> M:
    """The message in these bytes. Raises WireError, which names what is wrong but quotes no values."""
    if len(payload) > MAX_BYTES:
        msg = f"{kind.__name__} of {len(payload)} bytes is larger than {MAX_BYTES}"
        raise WireError(msg)
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"{kind.__name__}: {where or 'message'}: {first['msg']}"
        raise WireError(msg) from error
