"""THE topic table. The documentation and the access lists are made from it.

Everything an agent writes lies under its own `up/`, everything it reads under its own `down/`, so
that `pattern write qh/1/%u/up/#` and `pattern read qh/1/%u/down/#` are the whole access list.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from hall_core.errors import WireError

__all__ = ["TOPICS", "Leaf", "TopicRow", "agent_of", "topic", "up_filter"]

ROOT = "qh/1"
CONTROLLER = "controller"
_DOCUMENT = re.compile(r"^(\+|[a-z0-9-]{1,32})$")
_AGENT = re.compile(r"^[a-z0-9-]{3,32}$")


class Leaf(StrEnum):
    """The last part of a topic."""

    BIRTH = "up/birth"
    STATE = "up/state"
    FACTS = "up/facts"
    REPORT = "up/report"
    TELEMETRY = "up/telemetry"
    WISH_ACK = "up/ack"
    WISHES = "down/wishes"
    FACT_ACK = "down/ack"
    DESIRED = "down/desired"
    CONTROLLER_STATE = "state"


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One row of the table."""

    leaf: Leaf
    sender: Literal["agent", "controller"]
    qos: Literal[0, 1]
    retain: bool
    message: str
    about: str


TOPICS: tuple[TopicRow, ...] = (
    TopicRow(Leaf.BIRTH, "agent", 1, True, "Birth", "who the box is and how far its streams are"),
    TopicRow(Leaf.STATE, "agent", 1, True, "AgentState", "online, stopped, or the last will: lost"),
    TopicRow(Leaf.FACTS, "agent", 1, False, "FactBatch", "numbered facts, up to 100 a message"),
    TopicRow(Leaf.REPORT, "agent", 1, True, "Report", "devices, state hash: the latest replaces all"),
    TopicRow(Leaf.TELEMETRY, "agent", 0, False, "Telemetry", "figures that may be lost"),
    TopicRow(Leaf.WISH_ACK, "agent", 1, False, "Ack", "wishes stored up to here"),
    TopicRow(Leaf.WISHES, "controller", 1, False, "WishBatch", "numbered wishes to one box"),
    TopicRow(Leaf.FACT_ACK, "controller", 1, False, "Ack", "facts stored up to here"),
    TopicRow(Leaf.DESIRED, "controller", 1, True, "Desired", "documents a box should follow"),
    TopicRow(
        Leaf.CONTROLLER_STATE, "controller", 1, True, "ControllerState", "the controller's birth and will"
    ),
)


_PLAIN = {leaf.value for leaf in Leaf} - {Leaf.DESIRED, Leaf.CONTROLLER_STATE}


def topic(agent: str, leaf: Leaf, document: str = "") -> str:
    """The full topic of an agent's leaf; `document` names one desired document, + all. Raises WireError."""
    if leaf is Leaf.CONTROLLER_STATE or agent == CONTROLLER:
        if (agent, leaf) == (CONTROLLER, Leaf.CONTROLLER_STATE):
            return f"{ROOT}/{CONTROLLER}/{leaf.value}"
        msg = f"the controller has no topic {leaf.value!r}, and no agent may have its name"
        raise WireError(msg)
    if bool(document) != (leaf is Leaf.DESIRED) or not _DOCUMENT.fullmatch(document or "+"):
        msg = f"leaf {leaf.value!r} with document {document!r}: only desired documents have a name"
        raise WireError(msg)
    if not _AGENT.fullmatch(agent):
        msg = f"agent name {agent!r} must be 3 to 32 of a-z, 0-9 and -"
        raise WireError(msg)
    return f"{ROOT}/{agent}/{leaf.value}" + (f"/{document}" if document else "")


def up_filter() -> str:
    """The subscription that hears every agent."""
    return f"{ROOT}/+/up/+"


def agent_of(full: str) -> tuple[str, Leaf]:
    """Agent and leaf of a topic. Raises WireError for topics that are not in the table."""
    if full == f"{ROOT}/{CONTROLLER}/{Leaf.CONTROLLER_STATE}":
        return CONTROLLER, Leaf.CONTROLLER_STATE
    root, _, rest = full.partition(f"{ROOT}/")
    agent, _, path = rest.partition("/")
    document = path.removeprefix(f"{Leaf.DESIRED}/")
    if not root and agent != CONTROLLER and _AGENT.fullmatch(agent):
        if path in _PLAIN:
            return agent, Leaf(path)
        if document not in {path, "+"} and _DOCUMENT.fullmatch(document):
            return agent, Leaf.DESIRED
    msg = f"topic {full!r} is not in the table"
    raise WireError(msg)
