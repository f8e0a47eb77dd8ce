"""Finds Philips displays by asking how their power stands: command 19, which only reports.

Asked once with the group byte of SICP 2.x and once without, as 1.x has it; the xor keeps either from being
taken for a setting (18 sets the power and is not sent). Monitor id 0 would be obeyed by all and answered by
none, so that only 1 and up are asked. Source: Philips SICP V2.03, 4.1.
"""

from collections.abc import Callable, Sequence

from device_drivers.philips_sicp import codec
from device_drivers.philips_sicp.codec import Command
from device_drivers.philips_sicp.state import OFF, ON, SicpOptions
from device_drivers.recognising import Asking, Found, Talk, unchanged
from hall_core.devices.profile import Profile

__all__ = ["RECOGNISER", "redact"]

#: how a screen stands
redact = unchanged


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    for grouped, words in ((True, "SICP 2.x"), (False, "SICP 1.x")):
        question = codec.frame(Command.POWER, unit, grouped=grouped)
        if await talk.maybe(question, _power(unit, grouped=grouped)) is None:
            continue
        fit = [p.id for p in profiles if SicpOptions.model_validate(p.options).group == grouped]
        return Found(tuple(fit), unit, f"飞利浦屏 {unit} 号应答，{words} (answers as {words})")
    return None


def _power(unit: int, *, grouped: bool) -> Callable[[bytes], codec.Received | None]:
    def report(heard: bytes) -> codec.Received | None:
        for received in codec.answers(heard, grouped=grouped):
            mine = received.unit == unit and received.command == Command.POWER
            if mine and received.data in (bytes([OFF]), bytes([ON])):
                return received
        return None

    return report


RECOGNISER = Asking(_ask, order=90, within_ms=550, first_unit_only=True)
