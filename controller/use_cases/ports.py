"""What the use cases need of the world outside: MQTT as bytes, gateways for notices."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from hall_core.wire.envelope import Message, encode
from hall_core.wire.topics import TOPICS, Leaf, topic

__all__ = [
    "Arrived",
    "Asked",
    "Busy",
    "Fate",
    "NoticeGateway",
    "Outgoing",
    "Parcel",
    "Pushing",
    "Receipt",
    "ReceiptSink",
    "Taken",
    "to_agent",
]

_ROWS = {row.leaf: row for row in TOPICS}


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message from the broker; `retained` when the broker kept it: it says nothing about now."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for the broker."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


def to_agent(agent: str, leaf: Leaf, message: Message, document: str = "") -> Outgoing:
    """A message to one agent, sent as the topic table says."""
    row = _ROWS[leaf]
    return Outgoing(topic(agent, leaf, document), encode(message), row.qos, row.retain)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One notice as a gateway is given it. `to` is `+86…`, or a WeChat openid; `words` fill a template."""

    client_ref: str
    to: str = field(repr=False)
    text: str
    kind: str
    words: Mapping[str, str]
    not_after: datetime


class Fate(StrEnum):
    """What became of a notice the gateway has taken."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Taken:
    """The gateway has accepted the notice under this id; `fate` when it knows more already."""

    provider_id: str
    fate: Fate = Fate.ACCEPTED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Busy:
    """The gateway has certainly not taken the notice; it may be offered again.

    `down` when the gateway could not be reached or refuses us; else it only asks us to be slower.
    """

    why: str
    down: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a notice whose fate is asked for. `provider_id` is empty when no answer came."""

    client_ref: str
    provider_id: str
    to: str = field(repr=False)
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """A gateway's word about a notice it took earlier, by its own id or by our reference."""

    fate: Fate
    provider_id: str = ""
    client_ref: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pushing:
    """How a gateway tells of receipts by itself: `read` one entry of its list, None when it says nothing;
    `thanks` is what it takes for a confirmation.
    """

    read: Callable[[Mapping[str, Any]], Receipt | None]
    thanks: Mapping[str, Any]


#: stores a receipt; True after COMMIT: only then it may be confirmed to the gateway
ReceiptSink = Callable[[Receipt], Awaitable[bool]]


class NoticeGateway(Protocol):
    """Carries notices to people. `send` and `find` are bounded in time and may run many at once.

    `can_ask` is False when nobody can be asked about a notice: then only receipts resolve an `unknown`.
    `at_once` is how many may be under way.
    """

    @property
    def can_ask(self) -> bool: ...

    @property
    def at_once(self) -> int: ...

    async def send(self, parcel: Parcel) -> Taken | Busy:
        """Hand over one notice. Raises GatewayRejected for a final no, GatewayUnknown when nobody knows."""
        ...

    async def find(self, asked: Asked) -> Taken | None:
        """What became of a notice; None when the gateway never saw it. Raises GatewayUnknown."""
        ...

    async def run(self, told: ReceiptSink) -> None:
        """Keep connections up and hand on receipts, until cancelled."""
        ...
