"""Finds Onbon font cards by their ping, A2 00, first for any card, then under each known type.

A ping shows, stores and resets nothing; a card is silent to a ping under another type. Reset (A2 01), which
erases programs, is one octet away and is not built anywhere in this family. Source: the vendor's BX-K
protocol document.
"""

from collections.abc import Callable, Sequence

from device_drivers.onbon_k import codec
from device_drivers.onbon_k.driver import ANY_CARD, OnbonOptions
from device_drivers.recognising import Asking, Found, Talk, unchanged
from hall_core.devices.profile import Profile, SerialLine

__all__ = ["RECOGNISER", "redact"]

#: what hangs over a counter for everybody to read
redact = unchanged

ANY_TYPE = 0xFE


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    there = await talk.ask(codec.ping(unit, ANY_TYPE), _from(unit))
    unit = there.source
    answering: list[str] = []
    for profile in profiles:
        kind = OnbonOptions.model_validate(profile.options).device_type
        if kind != ANY_TYPE and await talk.maybe(codec.ping(unit, kind), _from(unit)) is not None:
            answering.append(profile.id)
    known = "型号一致 (the type fits)" if answering else "型号未知，请核对 (its type is unknown)"
    ids = answering or [p.id for p in profiles]
    return Found(tuple(ids), unit, f"仰邦字库卡 {unit} 号屏应答，{known}")


def _from(unit: int) -> Callable[[bytes], codec.Received | None]:
    def mine(heard: bytes) -> codec.Received | None:
        return next((a for a in codec.answers(heard) if unit in (ANY_CARD, a.source)), None)

    return mine


RECOGNISER = Asking(_ask, order=70, within_ms=500, any_unit=ANY_CARD, lines=(SerialLine(baud=9600),))
