"""Messages from the broker, read and sorted: what cannot be read is named, and its content forgotten."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controller.use_cases.ports import Arrived
from hall_core.errors import WireError
from hall_core.wire.damaged import decode_damaged
from hall_core.wire.envelope import Ack, AgentState, Birth, FactBatch, Message, Report, Telemetry, decode
from hall_core.wire.topics import Leaf, agent_of

__all__ = ["Letter", "Refusal", "open_letters"]

_KINDS: dict[Leaf, type[Message]] = {
    Leaf.BIRTH: Birth,
    Leaf.STATE: AgentState,
    Leaf.FACTS: FactBatch,
    Leaf.REPORT: Report,
    Leaf.TELEMETRY: Telemetry,
    Leaf.WISH_ACK: Ack,
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A readable message and who sent it: the topic names the sender, the broker's access list proves it."""

    agent: str
    message: Message
    arrived: Arrived


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that is not applied, told by its digest; `known` when the agent's name is valid."""

    agent: str
    topic: str
    digest: str
    size: int
    reason: str

    @classmethod
    def of(cls, arrived: Arrived, agent: str, reason: str) -> "Refusal":
        """From the message; its content is not kept."""
        digest = hashlib.sha256(arrived.topic.encode() + b"\0" + arrived.payload).hexdigest()
        return cls(agent, arrived.topic[:120], digest, len(arrived.payload), reason[:300])


def open_letters(arrived: Iterable[Arrived], now: datetime) -> tuple[list[Letter], list[Refusal]]:
    """The letters that can be read, in order, and the others. Facts that can be read do not wait for those
    of their message that cannot.
    """
    letters, refusals = [], []
    for message in arrived:
        agent, leaf = _place(message.topic)
        if leaf is None or leaf not in _KINDS:
            refusals.append(Refusal.of(message, agent, "topic is not one that agents write"))
            continue
        try:
            letters.append(Letter(agent, _read(leaf, message.payload, now), message))
        except WireError as error:
            refusals.append(Refusal.of(message, agent, str(error)))
    return letters, refusals


def _read(leaf: Leaf, payload: bytes, now: datetime) -> Message:
    try:
        return decode(_KINDS[leaf], payload)
    except WireError:
        if leaf is not Leaf.FACTS:
            raise
        return decode_damaged(payload, now)


def _place(topic: str) -> tuple[str, Leaf | None]:
    try:
        return agent_of(topic)
    except WireError:
        return "", None
