"""Finds modules of inputs and outputs by reading both: functions 02 and 01.

Reading changes nothing, and no output is written. A checksum (RTU) or a header (TCP) keeps these questions
from meaning anything to other families. Source: Modbus application protocol 1.1b3, 6.1 and 6.2.
"""

from collections.abc import Sequence

from device_drivers.bus.modbus import Codec
from device_drivers.modbus_io.channels import ModbusIoOptions
from device_drivers.recognising import Asking, Found, Talk, unchanged
from hall_core.devices.profile import Profile, SerialLine

__all__ = ["RECOGNISER", "redact"]

#: contacts and lamps
redact = unchanged


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    codec = Codec(unit, rtu=talk.shared_wire)
    fit: list[Profile] = []
    for profile in profiles:
        options = ModbusIoOptions.model_validate(profile.options)
        inputs = codec.read_inputs(options.first_input, options.inputs.count)
        coils = codec.read_coils(options.first_coil, options.coils.count)
        heard = await talk.ask(inputs.frame, inputs.read)
        if len(heard.bits) != options.inputs.count:
            continue
        lamps = await talk.maybe(coils.frame, coils.read)
        if lamps is not None and len(lamps.bits) == options.coils.count:
            fit.append(profile)
    if not fit:
        return None
    most = ModbusIoOptions.model_validate(fit[0].options)
    why = f"Modbus 输入输出模块应答，至少 {most.inputs.count} 路输入、{most.coils.count} 路输出"
    return Found(tuple(p.id for p in fit), unit, f"{why} (an I/O module answers)")


RECOGNISER = Asking(_ask, order=81, within_ms=300, tongue="modbus", lines=(SerialLine(baud=19200),))
