"""Frames that profiles of this family quote."""

from collections.abc import Callable
from typing import Any

from device_drivers.keypad_ff68 import codec
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

OPS: dict[str, Callable[[Profile, dict[str, Any]], tuple[bytes, None]]] = {
    "digits": lambda _p, c: (codec.encode(codec.show(c["unit"], c["ticket"], c.get("waiting"))), None),
    "beep": lambda _p, c: (codec.encode(codec.beep(c["unit"])), None),
    "ask": lambda _p, c: (codec.encode(codec.ask(c["unit"])), None),
}
