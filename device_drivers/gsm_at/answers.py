"""What a modem says: lines, final results, the prompt for a message. Pure.

Source: 3GPP TS 27.007 (AT commands) and TS 27.005 (short messages). Lines that belong to no question — an
echo, `RING`, `+CMTI: …` — are passed over.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Reader", "Reply", "line_of", "numbers", "prompted", "read_final", "sent"]

_ERROR = re.compile(r"^\+CM([ES]) ERROR: *(\d+)$")
_PROMPT = re.compile(rb"(?:^|[\r\n])>")


@dataclass(frozen=True, slots=True)
class Reply:
    """A final result. `error` is None for OK, -1 for a bare ERROR, else the number; `message` marks +CMS."""

    lines: tuple[str, ...] = ()
    error: int | None = None
    message: bool = False


#: finds an answer in the bytes so far
Reader = Callable[[bytes], Reply | None]


def read_final(data: bytes, wanted: str = "") -> Reply | None:
    """The result of a command; an OK counts only behind the `wanted` line, for it may be an older one's."""
    lines: list[str] = []
    for line in _lines(data):
        if line == "OK" and (not wanted or any(seen.startswith(wanted) for seen in lines)):
            return Reply(tuple(lines))
        if (failed := _failure(line)) is not None:
            return failed
        lines.append(line)
    return None


def prompted(data: bytes) -> Reply | None:
    """OK when the modem waits for the message, else its refusal."""
    if _PROMPT.search(data):
        return Reply()
    return next((failed for line in _lines(data) if (failed := _failure(line)) is not None), None)


def sent(data: bytes) -> Reply | None:
    """The network's verdict on a message: OK with the line `+CMGS: <reference>`, else its refusal."""
    for line in _lines(data):
        if line.startswith("+CMGS:"):
            return Reply((line,))
        if (failed := _failure(line)) is not None:
            return failed
    return None


def line_of(reply: Reply, start: str) -> str:
    """What stands behind the start of a line; empty when there is none."""
    return next((line.removeprefix(start).strip() for line in reply.lines if line.startswith(start)), "")


def numbers(text: str) -> list[int]:
    """The decimal numbers between commas; what is none is left out."""
    return [int(part) for part in text.split(",") if part.strip().isdecimal()]


def _failure(line: str) -> Reply | None:
    if line == "ERROR":
        return Reply(error=-1)
    found = _ERROR.match(line)
    return Reply(error=int(found[2]), message=found[1] == "S") if found else None


def _lines(data: bytes) -> list[str]:
    """The lines that are complete."""
    text = data.decode("ascii", errors="replace")
    whole = text[: max(text.rfind("\r"), text.rfind("\n")) + 1]
    return [line for line in re.split(r"[\r\n]+", whole) if line]
