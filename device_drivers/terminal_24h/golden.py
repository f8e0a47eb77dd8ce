"""Frames that profiles of this family quote."""

from collections.abc import Callable
from typing import Any

from device_drivers.bus.modbus import Codec, Question
from device_drivers.terminal_24h import megatec
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

Built = tuple[bytes, Callable[[bytes], Any] | None]


def _cabinet(ask: Callable[[Codec, dict[str, Any]], Question]) -> Callable[[Profile, dict[str, Any]], Built]:
    def built(_profile: Profile, c: dict[str, Any]) -> Built:
        question = ask(Codec(c.get("sensor", c["unit"]), rtu=True), c)
        return question.frame, question.read

    return built


OPS: dict[str, Callable[[Profile, dict[str, Any]], Built]] = {
    "inputs": _cabinet(lambda codec, _: codec.read_inputs(0, 8)),
    "relays": _cabinet(lambda codec, _: codec.read_coils(0, 8)),
    "switch": _cabinet(lambda codec, c: codec.write_coil(c["relay"] - 1, c["closed"])),
    "temperature": _cabinet(lambda codec, _: codec.read("input", 1, 1)),
    "ups-status": lambda _p, _c: (megatec.STATUS, megatec.read_status),
    "ups-test": lambda _p, _c: (megatec.TEST, None),
}
