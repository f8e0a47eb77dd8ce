"""Messages that profiles of this family quote."""

from collections.abc import Callable
from typing import Any

from device_drivers.rate_ws import messages
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

Built = tuple[bytes, Callable[[bytes], Any] | None]


def _quest(_profile: Profile, c: dict[str, Any]) -> Built:
    return messages.rate_quest(c["rate_id"]).encode(), lambda data: messages.read_message(data.decode())


OPS: dict[str, Callable[[Profile, dict[str, Any]], Built]] = {"rate-quest": _quest}
