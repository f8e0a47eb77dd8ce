"""Finds ID card readers by the state of their security module.

The question is `AA AA AA 96 69 00 03 11 FF ED`, "how is the module": it reads a self-test result. No card
is looked for, selected or read. Source: the module's published command table (11 FF status, beside 10 FF
reset, which is never sent). A frame without the five start octets means nothing to a module, nor this one
to anything else.
"""

from collections.abc import Sequence

from device_drivers.card_sam import codec
from device_drivers.recognising import Asking, Found, Talk
from hall_core.devices.profile import Profile

__all__ = ["RECOGNISER", "redact"]

#: where a hall keeps the secret of its digests; the reader is no use without one
PEPPER_FILE = "/etc/quiethall/card-pepper"
#: start, length, state: what may stand in a capture of a frame
_HEAD = len(codec.START) + 2 + 3


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    answer = await talk.ask(codec.STATUS.frame, lambda heard: codec.answer_to(codec.STATUS, heard))
    well = answer.state == codec.DONE
    state = "状态正常" if well else codec.error_sentence(answer.state)
    return Found(
        tuple(p.id for p in profiles),
        unit,
        f"SAM-V 安全模块应答，{state}；请先放好 pepper_file 指定的随机密钥"
        " (the module answers; put a random secret into this file)",
        {"pepper_file": PEPPER_FILE},
    )


def redact(said: bytes) -> bytes:
    """Of a frame start, length and state; its data, and whatever is no frame, is a card's business."""
    kept, at = bytearray(len(said)), said.find(codec.START)
    while at >= 0:
        kept[at : at + _HEAD] = said[at : at + _HEAD]
        size = len(codec.START) + 2 + int.from_bytes(said[at + 5 : at + 7], "big")
        at = said.find(codec.START, at + max(size, _HEAD))
    return bytes(kept)


RECOGNISER = Asking(_ask, order=95, within_ms=800, alone=True, behind_server=True)
