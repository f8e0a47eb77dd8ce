"""What a hall box and its satellite boxes say to each other over the hall's own broker: topics, messages.

`docs/local-wire.md` is the paper. Everything a box writes lies under its own `up/`, everything it reads
under its own `down/`. Only what a box says of itself is retained; nothing it is told ever is.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from hall_core.devices.vocabulary import (
    BoardPicture,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Outcome,
    PageUser,
    PrintTicket,
    ScreenPicture,
)
from hall_core.errors import WireError
from hall_core.queueing.setup import Ident
from hall_core.wire.envelope import MAX_N, Message

__all__ = [
    "BEAT_S",
    "LOCAL_TOPICS",
    "Ages",
    "BoxState",
    "Do",
    "Done",
    "FarDevice",
    "FarHealth",
    "Happened",
    "LocalLeaf",
    "LocalRow",
    "Show",
    "Shown",
    "local_place",
    "local_topic",
]

ROOT = "qhl/1"
#: a box says so often that it is there; five of them missed and it is not
BEAT_S = 1.0
_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,31}$")


class LocalLeaf(StrEnum):
    """What a topic is for: `qhl/1/{box}/{leaf}`, then the device for all but the box's own."""

    BOX = "up/box"
    HEALTH = "up/health"
    SHOWN = "up/shown"
    DONE = "up/done"
    HAPPENED = "up/happened"
    SHOW = "down/show"
    DO = "down/do"


@dataclass(frozen=True, slots=True)
class LocalRow:
    """One row of the table. All go with QoS 1."""

    leaf: LocalLeaf
    sender: Literal["satellite", "hall"]
    retain: bool
    message: str
    about: str


LOCAL_TOPICS: tuple[LocalRow, ...] = (
    LocalRow(LocalLeaf.BOX, "satellite", True, "BoxState", "it is there, every second; last will: lost"),
    LocalRow(LocalLeaf.HEALTH, "satellite", True, "FarHealth", "how one of its devices is"),
    LocalRow(LocalLeaf.SHOWN, "satellite", False, "Shown", "what came of a picture"),
    LocalRow(LocalLeaf.DONE, "satellite", False, "Done", "what came of a job"),
    LocalRow(LocalLeaf.HAPPENED, "satellite", False, "Happened", "a key, a rating, a card, a code, a value"),
    LocalRow(LocalLeaf.SHOW, "hall", False, "Show", "a picture, and again before its time is over"),
    LocalRow(LocalLeaf.DO, "hall", False, "Do", "a job, and again until it is answered"),
)


_LEAVES = {leaf.value: leaf for leaf in LocalLeaf}


class _Said(Message):
    """`boot` names one life of the sender, `sent` is its monotonic clock: together they tell the age."""

    boot: str = Field(min_length=1, max_length=40)
    sent: FiniteFloat = 0.0


class FarDevice(Message):
    """One device of a box."""

    name: Ident
    profile: str


class BoxState(_Said):
    """The birth, the beat and the last will of a box."""

    state: Literal["online", "stopped", "lost"]
    version: str = ""
    devices: list[FarDevice] = Field(default_factory=list)


class FarHealth(_Said):
    """How one device of a box is."""

    state: DeviceState
    detail: str = ""


class Show(_Said):
    """Show this until `ttl_s` after it was sent, then nothing. `n` rises with each new picture.

    The same `n` again makes its time longer.
    """

    n: int = Field(ge=1, le=MAX_N)
    ttl_s: FiniteFloat = Field(gt=0, le=3600)
    picture: Annotated[CounterPicture | BoardPicture | ScreenPicture, Field(discriminator="kind")]


class Shown(_Said):
    """What came of picture `n` of the life `of`."""

    n: int = Field(ge=1, le=MAX_N)
    of: str
    outcome: Outcome
    detail: str = ""


class Do(_Said):
    """Do this job within `ttl_s` after it was sent, once: `to` is the one life of the box it is for."""

    to: str
    ttl_s: FiniteFloat = Field(gt=0, le=3600)
    job: Annotated[PrintTicket | PageUser, Field(discriminator="kind")]


class Done(_Said):
    """How a job ended. Said again for each time the job was told again."""

    job_id: str
    outcome: Outcome
    detail: str = ""


class Happened(_Said):
    """Something happened `age_s` before this was sent; `ttl_s` after it happened it is of no use."""

    n: int = Field(ge=1, le=MAX_N)
    age_s: FiniteFloat = Field(ge=0)
    ttl_s: FiniteFloat = Field(gt=0, le=3600)
    event: DeviceEvent


def local_topic(box: str, leaf: LocalLeaf, device: str = "") -> str:
    """The full topic; `+` stands for any device or leaf of a subscription. Raises WireError."""
    named = (box, device) if leaf is not LocalLeaf.BOX else (box,)
    wrong = next((name for name in named if name != "+" and not _NAME.fullmatch(name)), None)
    if wrong is not None or (leaf is LocalLeaf.BOX and device):
        msg = f"box {box!r}, device {device!r}: names are 1 to 32 of a-z, 0-9 and -"
        raise WireError(msg)
    return "/".join((ROOT, box, leaf.value, *named[1:]))


def local_place(full: str) -> tuple[str, LocalLeaf, str]:
    """Box, leaf and device of a topic. Raises WireError for topics that are not in the table."""
    parts = full.split("/")
    if len(parts) in (5, 6) and "/".join(parts[:2]) == ROOT:
        box, device = parts[2], "".join(parts[5:])
        leaf = _LEAVES.get("/".join(parts[3:5]))
        named = all(_NAME.fullmatch(name) for name in (box, *parts[5:]))
        if leaf is not None and named and (leaf is LocalLeaf.BOX) is (len(parts) == 5):
            return box, leaf, device
    msg = f"topic {full!r} is not in the table"
    raise WireError(msg)


class Ages:
    """How old a message is, without a common clock.

    The fastest message of a life counts as new; what took longer than that one is older by as much.
    """

    #: how much two boxes' clocks may differ in speed
    DRIFT = 2e-4
    #: how many lives are remembered
    LIVES = 32

    def __init__(self) -> None:
        self._fastest: dict[str, tuple[float, float]] = {}

    def age(self, boot: str, sent: float, heard: float) -> float:
        """Seconds between sending and hearing, beyond the fastest way there is."""
        took = heard - sent
        least, at = self._fastest.pop(boot, (took, heard))
        least = min(took, least + max(0.0, heard - at) * self.DRIFT)
        self._fastest[boot] = (least, heard)
        while len(self._fastest) > self.LIVES:
            self._fastest.pop(next(iter(self._fastest)))
        return took - least
