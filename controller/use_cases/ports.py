"""What the use cases need of the world outside: MQTT as bytes, a message gateway."""

from dataclasses import dataclass
from typing import Protocol

from hall_core.wire.envelope import Message, encode
from hall_core.wire.topics import TOPICS, Leaf, topic

__all__ = ["Arrived", "Busy", "NoticeGateway", "Outgoing", "Taken", "to_agent"]

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
class Taken:
    """The gateway has accepted the notice under this id."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Busy:
    """The gateway has certainly not taken the notice; it may be offered again."""

    why: str


class NoticeGateway(Protocol):
    """Carries notices to phones. Both calls are bounded in time."""

    async def send(self, *, client_ref: str, to: str, text: str) -> Taken | Busy:
        """Hand over one notice. Raises GatewayRejected for a final no, GatewayUnknown when nobody knows."""
        ...

    async def find(self, client_ref: str) -> Taken | None:
        """What became of a notice; None when the gateway never saw it. Raises GatewayUnknown."""
        ...
