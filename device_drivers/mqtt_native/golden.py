"""Messages that profiles of this family quote."""

import json
from collections.abc import Callable
from typing import Any

from device_drivers.mqtt_native.announcement import Announcement, read_announcement
from device_drivers.mqtt_native.command import Command, Lamp, confirms, lamp_command, text_command
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

Built = tuple[bytes, Callable[[bytes], Any] | None]


def _command(
    make: Callable[[Announcement, Profile, dict[str, Any]], Command],
) -> Callable[[Profile, dict[str, Any]], Built]:
    def built(profile: Profile, c: dict[str, Any]) -> Built:
        found = read_announcement(json.dumps(c["announced"]).encode(), profile.options["component"])
        if found is None or found.command_topic != c.get("topic", found.command_topic):
            raise ValueError("its announcement names another command topic, or none")
        command = make(found, profile, c)
        return command.payload, lambda data: confirms(found, command, data) or None

    return built


def _text(found: Announcement, profile: Profile, c: dict[str, Any]) -> Command:
    text = c["text"]
    if "pager" in c:
        text = profile.options["message"].format(pager=c["pager"], text=text)
    return text_command(found, text, profile.limits.max_text_bytes)


OPS: dict[str, Callable[[Profile, dict[str, Any]], Built]] = {
    "text": _command(_text),
    "page": _command(_text),
    "lamp": _command(lambda found, _p, c: lamp_command(found, Lamp(**c["lamp"]))),
}
