"""What a display says of itself, and what is missing to the picture that is wanted. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from device_drivers.options import Options
from device_drivers.samsung_mdc.codec import Command
from hall_core.devices.vocabulary import ScreenPicture

__all__ = ["MdcOptions", "State", "missing", "trouble"]

#: volume and mute of a model without a loudspeaker
_NONE = 0xFF

#: what people call the settings
WORDS = {
    Command.POWER: "电源 (power)",
    Command.INPUT: "输入源 (input)",
    Command.VOLUME: "音量 (volume)",
    Command.MUTE: "静音 (mute)",
    Command.BRIGHTNESS: "亮度 (brightness)",
}


class MdcOptions(Options):
    """What a profile of this family may say; the keys are explained in `samsung.qm55r.yaml`."""

    inputs: dict[str, tuple[int, ...]] = Field(min_length=1)
    brightness: bool = False
    network_standby: bool = False
    wakes_s: float = Field(default=15, ge=0)


@dataclass(frozen=True, slots=True)
class State:
    """What STATUS and BRIGHTNESS answered; `brightness` is None when nobody asked."""

    on: bool
    volume: int
    muted: int
    source: int
    brightness: int | None = None


def missing(wanted: ScreenPicture, state: State, options: MdcOptions) -> Iterator[tuple[Command, int]]:
    """The settings in which the display is not as wanted, in the order to set them.

    A display that is off is only compared by its power, and no other setting is sent to it.
    """
    if wanted.on != state.on:
        yield Command.POWER, int(wanted.on)
    if not (wanted.on and state.on):
        return
    if wanted.input is not None and state.source not in options.inputs[wanted.input]:
        yield Command.INPUT, options.inputs[wanted.input][0]
    if wanted.volume is not None and state.volume not in (wanted.volume, _NONE):
        yield Command.VOLUME, wanted.volume
    if wanted.muted is not None and state.muted not in (int(wanted.muted), _NONE):
        yield Command.MUTE, int(wanted.muted)
    if wanted.brightness is not None and state.brightness not in (wanted.brightness, None):
        yield Command.BRIGHTNESS, wanted.brightness


def trouble(errors: bytes) -> str:
    """What the six bytes of ERRORS say, for people; empty when nothing is wrong.

    Only 1 is an error: brightness sensor and fan know 2 for "normal" and "has none".
    """
    if len(errors) < 6:
        return ""
    lamp, hot, sensor, signal, degrees, fan = errors[:6]
    found = [
        (lamp, "背光故障，请报修 (lamp error)"),
        (hot, f"温度过高 {degrees}°C，请检查通风 (too hot)"),
        (fan, "风扇故障，请报修 (fan error)"),
        (signal, "没有输入信号，请检查信号线和播放设备 (no signal)"),
        (sensor, "亮度感应器故障 (brightness sensor error)"),
    ]
    return "；".join(words for value, words in found if value == 1)
