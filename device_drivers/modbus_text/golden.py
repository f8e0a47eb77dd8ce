"""Frames that profiles of this family quote."""

from collections.abc import Callable
from typing import Any

from device_drivers.bus.modbus import Codec, Question
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

Built = tuple[bytes, Callable[[bytes], Any] | None]


def _asked(ask: Callable[[Codec, dict[str, Any]], Question]) -> Callable[[Profile, dict[str, Any]], Built]:
    def built(_profile: Profile, c: dict[str, Any]) -> Built:
        codec = Codec(c["unit"], rtu=c.get("rtu", False), transaction=c.get("transaction", 1) - 1)
        question = ask(codec, c)
        return question.frame, question.read

    return built


OPS: dict[str, Callable[[Profile, dict[str, Any]], Built]] = {
    "read": _asked(lambda codec, c: codec.read(c["space"], c["address"], c["count"])),
    "write": _asked(lambda codec, c: codec.write(c["address"], tuple(c["values"]))),
    "write-one": _asked(lambda codec, c: codec.write(c["address"], (c["value"],), 6)),
}
