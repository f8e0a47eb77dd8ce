"""Finds LED strips and number panels by reading the registers their profiles name: functions 03 and 04.

Reading changes nothing, and only registers are read that a driver reads or writes anyway. A model is proposed
when all its registers are there and hold what they can hold; where several fit, all are told. Source: Modbus
application protocol 1.1b3, 6.3 and 6.4.
"""

from collections.abc import Sequence

from device_drivers.bus.modbus import NOBODY, Codec, Space
from device_drivers.modbus_text.registers import ModbusTextOptions, Register, decode_text
from device_drivers.recognising import Asking, Found, Talk, unchanged
from hall_core.devices.profile import Profile, SerialLine

__all__ = ["RECOGNISER", "redact"]

#: what hangs over a counter for everybody to read
redact = unchanged

_BRIGHTEST = 100


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    codec = Codec(unit, rtu=talk.shared_wire)
    first = codec.read("holding", 0, 1)
    if (await talk.ask(first.frame, first.read)).exception in NOBODY:
        return None
    scores: dict[str, int] = {}
    for profile in profiles:
        score = await _score(talk, codec, ModbusTextOptions.model_validate(profile.options))
        if score:
            scores[profile.id] = score
    ids = tuple(sorted(scores, key=lambda profile_id: -scores[profile_id]))
    if not ids:
        words = "有 Modbus 设备应答，但寄存器与已有型号都不符，请编写型号档案 (no known register map)"
        return Found((), unit, words)
    return Found(ids, unit, "Modbus 屏应答，寄存器与此型号相符 (its registers fit this model)")


async def _score(talk: Talk, codec: Codec, options: ModbusTextOptions) -> int:
    """How many registers are as this map says; 0 when one of them is not."""
    score = 0
    for name, register in options.registers.items():
        if name in options.texts and not options.readback:
            continue  # the maker promises no reading of it
        values = await _read(talk, codec, register.space, register.address, len(register.addresses))
        if not values or not _plausible(name, register, values, options):
            return 0
        score += len(values)
    return score


def _plausible(name: str, register: Register, values: Sequence[int], options: ModbusTextOptions) -> bool:
    if name == "mode":
        return values[0] in options.modes.values()
    if name == "brightness":
        return values[0] <= _BRIGHTEST
    if register.encoding == "ascii-per-register":
        return all(0x20 <= value < 0x7F for value in values)
    return name not in options.texts or "\ufffd" not in decode_text(values, register).rstrip("\0")


async def _read(talk: Talk, codec: Codec, space: Space, address: int, count: int) -> tuple[int, ...]:
    question = codec.read(space, address, count)
    answer = await talk.maybe(question.frame, question.read)
    return answer.registers if answer is not None else ()


RECOGNISER = Asking(_ask, order=80, within_ms=300, tongue="modbus", lines=(SerialLine(baud=19200),))
