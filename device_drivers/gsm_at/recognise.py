"""Finds GSM modems: `AT` is answered OK, `ATI` tells make and model. Neither sets anything.

Source: 3GPP TS 27.007 and ITU-T V.250. The first `AT` also ends a line that others' questions may have
begun, so a modem that says ERROR is asked once more. Messages, numbers and the SIM are left alone.
"""

import re
from collections.abc import Sequence

from device_drivers.gsm_at.answers import read_final
from device_drivers.recognising import Asking, Found, Talk
from hall_core.devices.profile import Profile, SerialLine

__all__ = ["RECOGNISER", "redact"]

_TRIES = 2
#: commands, results and headed lines; everything else may be somebody's message
_PLAIN = re.compile(rb"(AT[^\"]*|OK|ERROR|> ?|[+^][A-Z]+:.*|\+CM[ES] ERROR: *\d+)", re.DOTALL)
_QUOTED = re.compile(rb'"[^"]*"?')
_LONG_HEX = re.compile(rb"[0-9A-Fa-f]{8,}")
_LONG_NUMBER = re.compile(rb"[0-9]{4,}")


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    for _ in range(_TRIES):
        if (await talk.ask(b"AT\r", read_final)).error is None:
            break
    else:
        return None
    about = await talk.maybe(b"ATI\r", read_final)
    told = [line for line in about.lines if not line.startswith("AT")] if about and not about.error else []
    model = _numberless(" ".join(told))[:60] or "未说明型号 (names no model)"
    return Found(tuple(p.id for p in profiles), unit, f"调制解调器应答 AT：{model} (answers AT)")


def redact(said: bytes) -> bytes:
    """Numbers, PDUs, quoted words and lines that are no command or result become zeros."""
    return b"".join(_redacted(piece) for piece in re.split(rb"([\r\n\x1a\x1b]+)", said))


def _redacted(line: bytes) -> bytes:
    if not re.search(rb"[^\r\n\x1a\x1b]", line):
        return line
    if not _PLAIN.fullmatch(line):
        return b"0" * len(line)
    for pattern in (_QUOTED, _LONG_HEX, _LONG_NUMBER):
        line = pattern.sub(lambda found: b"0" * len(found[0]), line)
    return line


def _numberless(text: str) -> str:
    """Without the modem's own serial numbers."""
    return re.sub(r"\d{8,}", "…", text)


RECOGNISER = Asking(
    _ask, order=40, within_ms=600, alone=True, behind_server=True, lines=(SerialLine(baud=9600),)
)
