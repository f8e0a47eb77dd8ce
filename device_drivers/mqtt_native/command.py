"""What is sent to a device, and how its state topic shows that it was done. Pure."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from device_drivers.json_text import read_json
from device_drivers.mqtt_native.announcement import Announcement
from device_drivers.mqtt_native.template import Template
from device_drivers.options import Options
from hall_core.errors import BadFrame

__all__ = ["Command", "Lamp", "confirms", "lamp_command", "text_command"]

Colour = Annotated[int, Field(ge=0, le=255)]


class Lamp(Options):
    """How a light stands. A sign has only `lit`; `brightness` is in percent."""

    lit: bool
    rgb: tuple[Colour, Colour, Colour] | None = None
    brightness: int | None = Field(default=None, ge=1, le=100)
    effect: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """What goes to the command topic, and what its state topic says when it was done."""

    payload: bytes
    state: str | dict[str, Any]


def text_command(announced: Announcement, text: str, max_bytes: int) -> Command:
    """Set a text, cut to what the device takes."""
    text = text[: announced.max_chars]
    text = text.encode()[:max_bytes].decode(errors="ignore")
    return Command(_through(announced, text), text)


def lamp_command(announced: Announcement, lamp: Lamp) -> Command:
    """Set a light or a sign."""
    if not announced.json_light:
        said = announced.payload_on if lamp.lit else announced.payload_off
        return Command(_through(announced, said), announced.state_on if lamp.lit else announced.state_off)
    wish: dict[str, Any] = {"state": "ON" if lamp.lit else "OFF"}
    if lamp.lit:
        if lamp.brightness is not None:
            wish["brightness"] = max(1, round(lamp.brightness * announced.brightness_scale / 100))
        if lamp.rgb is not None:
            wish["color"] = dict(zip("rgb", lamp.rgb, strict=True))
        if lamp.effect is not None:
            wish["effect"] = lamp.effect
    return Command(json.dumps(wish, ensure_ascii=False).encode(), wish)


def confirms(announced: Announcement, command: Command, payload: bytes) -> bool:
    """True when the state topic says that the command was done."""
    said = payload.decode(errors="replace")
    if isinstance(command.state, str):
        return Template(announced.value_template).render(said) == command.state
    try:
        state = read_json(said)
    except BadFrame:
        return False
    return isinstance(state, dict) and _within(command.state, state)


def _within(wish: dict[str, Any], state: dict[str, Any]) -> bool:
    """True when the state has all that was wished and it names; lights leave out what they cannot do."""
    for key, wanted in wish.items():
        if isinstance(wanted, dict) and isinstance(state.get(key), dict):
            if not _within(wanted, state[key]):
                return False
        elif state.get(key, None if key == "state" else wanted) != wanted:
            return False
    return True


def _through(announced: Announcement, value: str) -> bytes:
    return (Template(announced.command_template).render(value) or value).encode()
