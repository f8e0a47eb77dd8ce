"""Frames that profiles of this family quote."""

from collections.abc import Callable
from typing import Any

from device_drivers.escpos.slip import EscposOptions, qr_code
from device_drivers.escpos.status import ask_status, read_status
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

Built = tuple[bytes, Callable[[bytes], Any] | None]


def _options(profile: Profile) -> EscposOptions:
    return EscposOptions.model_validate(profile.options)


OPS: dict[str, Callable[[Profile, dict[str, Any]], Built]] = {
    "status": lambda _p, c: (ask_status(c["n"]), read_status),
    "qr": lambda p, c: (qr_code(c["url"], _options(p)), None),
}
