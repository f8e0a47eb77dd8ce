"""Finds ticket printers by their real-time status.

The question is `DLE EOT n` (10 04 n): answered at once, executed in the middle of anything, never printed,
and it changes nothing. Source: Epson's ESC/POS command reference. A printer prints whatever is no command,
so printers are asked before all others, and nothing more is said on a line where one answered. With its
cover open many a printer is silent: close it before looking.
"""

import re
from collections.abc import Sequence

from device_drivers.escpos.status import FIXED, FIXED_MASK, ask_status, trouble, warning
from device_drivers.recognising import Asking, Found, Talk
from hall_core.devices.profile import Profile, SerialLine

__all__ = ["RECOGNISER", "redact"]

#: a status is an answer of one octet for each of four questions
_ANSWERS = 4
#: `GS ( k`, its length, and the head of "store these data" (cn 31, fn 50, m 30): what follows is the code's
_CODE_DATA = re.compile(rb"\x1d\(k(..)1P0", re.DOTALL)
#: commands and their parameters, which are numbers of styles, sizes and lines (ESC/POS command reference)
_COMMAND = re.compile(
    rb"\x10[\x04\x05].|\x10\x14...|\x1b[@2]|\x1b[!\-3EGJMRTVadert{ ].|\x1c[&.]|\x1c[!\-CW]."
    rb"|\x1dV[\x41\x42].|\x1d[!BIVWahrwfL].|\x1d\([A-Za-z][\x02-\x04]\x00..",
    re.DOTALL,
)
#: 某 in the code page of the slips: one for each character of two octets
_SOMEBODY = "某".encode("gbk")
_CHARACTER = re.compile(rb"[\x81-\xfe].|.", re.DOTALL)


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    states = {1: await talk.ask(ask_status(1), _alone)}
    for n in (2, 3, 4):
        state = await talk.maybe(ask_status(n), _alone)
        if state is not None:
            states[n] = state
    if len(states) < 2 or any(state & FIXED_MASK != FIXED for state in states.values()):
        return None
    needs = trouble(states) or warning(states) or "状态正常 (well)"
    # the width of the paper cannot be asked for: the most proven profile first
    known = sorted(profiles, key=lambda p: p.status != "captured")
    return Found(
        tuple(p.id for p in known),
        unit,
        f"ESC/POS 打印机应答，{needs}；请按纸宽选型号 (choose by paper width)",
    )


def _alone(heard: bytes) -> int | None:
    """A status is one octet; more of them is something else talking."""
    return heard[0] if len(heard) == 1 else None


RECOGNISER = Asking(
    _ask,
    order=10,
    within_ms=400,
    alone=True,
    lines=(SerialLine(baud=9600), SerialLine(baud=38400), SerialLine(baud=115200)),
)


def redact(said: bytes) -> bytes:
    """Commands, states and the layout of a slip stay; its words, numbers and codes become their form."""
    if len(said) <= _ANSWERS and all(state & FIXED_MASK == FIXED for state in said):
        return said
    kept, at = b"", 0
    while at < len(said):
        data, command = _CODE_DATA.match(said, at), _COMMAND.match(said, at)
        if data:
            end = data.end() + int.from_bytes(data[1], "little") - 3
            kept += data[0] + _masked(said[data.end() : end])
            at = max(end, data.end())
            continue
        found = command or _CHARACTER.match(said, at)
        assert found is not None
        kept += command[0] if command else _masked(found[0])
        at = found.end()
    return kept


def _masked(text: bytes) -> bytes:
    return _CHARACTER.sub(lambda found: _form(found[0]), text)


def _form(character: bytes) -> bytes:
    if len(character) > 1:
        return _SOMEBODY
    if character >= b"\x80":
        return b"?"
    return b"0" if character.isdigit() else b"x" if character.isalpha() else character
