"""Frames that profiles of this family quote."""

from collections.abc import Callable
from typing import Any

from device_drivers.pager_pocsag.driver import PocsagOptions, transmission
from hall_core.devices.profile import Profile

__all__ = ["OPS"]


def _page(profile: Profile, c: dict[str, Any]) -> tuple[bytes, None]:
    options = PocsagOptions.model_validate(profile.options)
    return transmission(options, c["address"], c["text"], profile.limits.max_text_bytes), None


OPS: dict[str, Callable[[Profile, dict[str, Any]], tuple[bytes, None]]] = {"page": _page}
