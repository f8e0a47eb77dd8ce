"""Lines of PJLink: `%1POWR ?` to the projector, `%1POWR=1` from it, each ended by a carriage return.

The projector speaks first: `PJLINK 0`, or `PJLINK 1 <token>` when it wants a password.
"""

import hashlib
import re
from dataclasses import dataclass

__all__ = ["Greeting", "answer_to", "digest", "greeting", "is_error", "question"]

_END = b"\r"
_GREETING = re.compile(rb"PJLINK (0|1 ([^\r]{1,32}))\r", re.IGNORECASE)
_REFUSED = b"PJLINK ERRA"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the projector said first. `token` is empty when it wants no password."""

    token: str


def greeting(heard: bytes) -> Greeting | None:
    """The greeting in what was heard since the connection opened, once it is whole."""
    found = _GREETING.search(heard)
    return Greeting((found[2] or b"").decode("latin-1")) if found else None


def digest(token: str, password: str) -> bytes:
    """What stands before the first question of a connection; PJLink prescribes MD5."""
    return hashlib.md5((token + password).encode(), usedforsecurity=False).hexdigest().encode()


def question(command: str, parameter: str, kind: int = 1) -> bytes:
    """One line to the projector; `kind` is the class of the command."""
    return f"%{kind}{command} {parameter}".encode("ascii") + _END


def answer_to(command: str, kind: int, heard: bytes) -> str | None:
    """What stands behind `=` in the whole line that answers; `ERRA` when the password was wrong."""
    head = f"%{kind}{command}=".encode("ascii")
    for line in heard.split(_END)[:-1]:
        if line.upper().startswith(_REFUSED):
            return "ERRA"
        if line[: len(head)].upper() == head:
            return line[len(head) :].decode("utf-8", errors="replace")
    return None


def is_error(answer: str) -> bool:
    """True for ERR1 (no such command), ERR2 (no such value), ERR3 (not now), ERR4 (failure), ERRA."""
    return re.fullmatch(r"ERR[1-4A]", answer.upper()) is not None
