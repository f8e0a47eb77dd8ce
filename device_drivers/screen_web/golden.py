"""Messages that profiles of this family quote: what the hall answers to a beat, and the beat."""

from collections.abc import Callable
from typing import Any

from device_drivers.bus.screens import order, read_beat
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

OPS: dict[str, Callable[[Profile, dict[str, Any]], tuple[bytes, Callable[[bytes], Any]]]] = {
    "beat": lambda _p, c: (order(reload=c["reload"]), read_beat)
}
