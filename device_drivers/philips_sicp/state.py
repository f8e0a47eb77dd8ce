"""What a display says of itself, and what is missing to the picture that is wanted. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import Field

from device_drivers.options import Options
from device_drivers.philips_sicp.codec import Command
from hall_core.devices.vocabulary import ScreenPicture

__all__ = ["OFF", "ON", "SicpOptions", "State", "Step", "missing", "trouble"]

OFF, ON = 1, 2
#: bytes 2 to 4 of SET_INPUT: no playlist, show the input's name, nothing reserved
_INPUT_TAIL = b"\x09\x01\x00"


class SicpOptions(Options):
    """What a profile of this family may say; the keys are explained in `philips.43bdl4550d.yaml`."""

    group: bool
    inputs: dict[str, int] = Field(min_length=1)
    volume_bytes: int = Field(default=2, ge=1, le=2)
    volume_max: int = Field(default=100, ge=1, le=255)
    mute: bool = True
    brightness: bool = False
    temperature: bool = True
    hottest_c: int = Field(default=70, gt=0)
    wakes_s: float = Field(default=15, ge=0)


class Step(NamedTuple):
    """One setting to send, and what people call it."""

    command: Command
    data: bytes
    words: str


@dataclass(frozen=True, slots=True)
class State:
    """What the display answered; None and empty when nobody asked or the display is off."""

    on: bool
    source: int | None = None
    volume: int | None = None
    muted: bool | None = None
    video: bytes = b""


def missing(wanted: ScreenPicture, state: State, options: SicpOptions) -> Iterator[Step]:
    """The settings in which the display is not as wanted, in the order to set them.

    A display that is off is only compared by its power: it answers NAV to all other settings.
    """
    if wanted.on != state.on:
        yield Step(Command.SET_POWER, bytes([ON if wanted.on else OFF]), "电源 (power)")
    if not (wanted.on and state.on):
        return
    if wanted.input is not None and state.source != options.inputs[wanted.input]:
        yield Step(Command.SET_INPUT, bytes([options.inputs[wanted.input]]) + _INPUT_TAIL, "输入源 (input)")
    level = _level(wanted, options)
    if level is not None and state.volume != level:
        yield Step(Command.SET_VOLUME, bytes([level] * options.volume_bytes), "音量 (volume)")
    if options.mute and wanted.muted is not None and state.muted != wanted.muted:
        yield Step(Command.SET_MUTE, bytes([wanted.muted]), "静音 (mute)")
    if wanted.brightness is not None and state.video and state.video[0] != wanted.brightness:
        # all picture values are set at once: the others stay as they are
        yield Step(Command.SET_VIDEO, bytes([wanted.brightness]) + state.video[1:], "亮度 (brightness)")


def trouble(temperatures: bytes, options: SicpOptions) -> str:
    """What the display's sensors say, for people; empty when it is cool enough."""
    hottest = max(temperatures[:2], default=0)
    if hottest < options.hottest_c:
        return ""
    return f"温度过高 {hottest}°C，请检查通风 (too hot)"


def _level(wanted: ScreenPicture, options: SicpOptions) -> int | None:
    """The volume in the model's own steps; a model without a mute is muted by its volume."""
    if not options.mute and wanted.muted:
        return 0
    return None if wanted.volume is None else round(wanted.volume * options.volume_max / 100)
