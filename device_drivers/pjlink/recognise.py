"""Finds projectors by their greeting: PJLink speaks first, so nothing is sent to anybody who does not greet.

To one that greets without a password: `%1CLSS ?`, `%1INF1 ?`, `%1INF2 ?` (class, maker, model), which only
read. Source: JBMIA PJLink specification class 1. No password is ever tried.
"""

import re
from collections.abc import Sequence

from device_drivers.pjlink import codec
from device_drivers.pjlink.state import PjlinkOptions
from device_drivers.recognising import Asking, Found, Talk, named_models_first
from hall_core.devices.profile import Profile

__all__ = ["RECOGNISER", "redact"]

#: a projector greets within this time
GREETS_S = 1.0
_TOKEN = re.compile(rb"(?<=PJLINK 1 )[^\r]+")
_DIGEST = re.compile(rb"^[0-9a-fA-F]{32}(?=%)")


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    greeting = await talk.greeting(codec.greeting, GREETS_S)
    if greeting is None:
        return None
    if greeting.token:
        words = (
            "PJLink 投影机要求密码，请写入 options.password (wants a password: add it as options.password)"
        )
        return Found(tuple(p.id for p in profiles), unit, words)
    told = {name: await _tell(talk, name) for name in ("CLSS", "INF1", "INF2")}
    ids = named_models_first(profiles, told["INF2"])
    if len(ids) > 1:  # nobody knows it: what fits its class
        stepped = {p.id: bool(PjlinkOptions.model_validate(p.options).volume_steps) for p in profiles}
        ids = tuple(sorted(ids, key=lambda profile_id: stepped[profile_id] != (told["CLSS"] == "2")))
    words = f"PJLink {told['CLSS'] or '1'} 类，{told['INF1']} {told['INF2']}".rstrip()
    return Found(ids, unit, f"{words} 应答 (answers)")


async def _tell(talk: Talk, command: str) -> str:
    question = codec.question(command, "?")
    answer = await talk.maybe(question, lambda heard: codec.answer_to(command, 1, heard))
    return "" if answer is None or codec.is_error(answer) else answer[:40]


def redact(said: bytes) -> bytes:
    """The token and the digest, from which a password could be guessed."""
    said = _TOKEN.sub(lambda found: b"0" * len(found[0]), said)
    return b"\r".join(_DIGEST.sub(b"0" * 32, line) for line in said.split(b"\r"))


RECOGNISER = Asking(_ask, order=0, within_ms=800, alone=True)
