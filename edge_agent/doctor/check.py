"""One line of what the doctor says."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Check", "State", "bad", "note", "well"]


class State(StrEnum):
    """How a thing is."""

    WELL = "well"
    BAD = "bad"
    #: nothing wrong is known: not told, not knowable, or worth a look
    NOTE = "note"


_SIGNS = {State.WELL: "✔", State.BAD: "✘", State.NOTE: "–"}


@dataclass(frozen=True, slots=True)
class Check:
    """`name` is stable for programs; `words` are for people and name the remedy."""

    name: str
    state: State
    words: str

    def __str__(self) -> str:
        return f"{_SIGNS[self.state]} {self.name}: {self.words}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def well(name: str, words: str) -> Check:
    """All is as it should be."""
    return Check(name, State.WELL, words)


def bad(name: str, words: str) -> Check:
    """Somebody must act; `words` say how."""
    return Check(name, State.BAD, words)


def note(name: str, words: str) -> Check:
    """Good to know."""
    return Check(name, State.NOTE, words)
