"""Finds Samsung displays: STATUS (00) and MODEL (8A) without data, which ask and set nothing.

The same command with data would set: no data is ever sent here. On a serial chain each id is asked by
itself, for answers to id FE would collide; on the network FE finds the one display whatever its id. Source:
Samsung MDC protocol, and the commands of python-samsung-mdc.
"""

from collections.abc import Callable, Sequence

from device_drivers.recognising import Asking, Found, Talk, named_models_first, unchanged
from device_drivers.samsung_mdc import codec
from device_drivers.samsung_mdc.codec import Command
from hall_core.devices.profile import Profile

__all__ = ["RECOGNISER", "redact"]

#: how a screen stands
redact = unchanged

_MODEL = 0x8A
_SECURED = b"MDCSTART<<TLS>>"


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    there = await talk.maybe(codec.frame(Command.STATUS, unit), _to(Command.STATUS, unit))
    if there is None:
        if await talk.greeting(lambda heard: _SECURED in heard or None, 0.01):
            words = "三星屏要求加密，请在菜单关闭 Secured Protocol (switch Secured Protocol off in its menu)"
            return Found(tuple(p.id for p in profiles), 1, words)
        return None
    told = await talk.maybe(codec.frame(_MODEL, there.unit), _to(_MODEL, there.unit))
    name = "" if told is None or told.nak else told.data.decode("ascii", errors="replace").strip("\0 ")
    ids = named_models_first(profiles, name)
    return Found(
        ids, there.unit, f"三星屏 {there.unit} 号应答，型号 {name or '未说明'} (answers, model {name or '?'})"
    )


def _to(command: int, unit: int) -> Callable[[bytes], codec.Received | None]:
    def mine(heard: bytes) -> codec.Received | None:
        for received in codec.answers(heard):
            if received.command == command and unit in (codec.ANY_DISPLAY, received.unit):
                return received
        return None

    return mine


RECOGNISER = Asking(_ask, order=60, within_ms=500, any_unit=codec.ANY_DISPLAY)
