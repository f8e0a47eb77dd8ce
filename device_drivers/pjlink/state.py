"""What a projector says of itself, and what is missing to the picture that is wanted. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field, SecretStr

from device_drivers.options import Options
from hall_core.devices.vocabulary import ScreenPicture

__all__ = ["PjlinkOptions", "Power", "State", "Step", "missing", "trouble", "volume_step"]


class PjlinkOptions(Options):
    """What a profile or the hall file may say; the keys are explained in `pjlink.class1.yaml`."""

    inputs: dict[str, str] = Field(min_length=1)
    password: SecretStr = SecretStr("")
    volume_steps: int | None = Field(default=None, ge=1, le=100)
    lamp_hours: int | None = Field(default=None, gt=0)
    warming_s: float = Field(default=30, ge=0)
    cooling_s: float = Field(default=60, ge=0)


class Power(StrEnum):
    """Answers to POWR."""

    OFF = "0"
    ON = "1"
    COOLING = "2"
    WARMING = "3"


@dataclass(frozen=True, slots=True)
class State:
    """What the projector answered; None when it is not on. `dark`: its picture is switched off (AV mute)."""

    power: Power
    source: str | None = None
    dark: bool = False
    muted: bool = False

    def on_its_way(self, wanted: ScreenPicture) -> bool:
        """True while it only needs time to get where it is wanted."""
        return self.power is (Power.WARMING if wanted.on else Power.COOLING)


class Step(NamedTuple):
    """One setting to send, and what people call it."""

    command: str
    parameter: str
    words: str


def missing(wanted: ScreenPicture, state: State, options: PjlinkOptions) -> Iterator[Step]:
    """The settings in which the projector is not as wanted, in the order to set them.

    While it warms up or cools down it refuses everything (ERR3), so nothing is sent.
    """
    if state.power is (Power.OFF if wanted.on else Power.ON):
        yield Step("POWR", "1" if wanted.on else "0", "电源 (power)")
    if not wanted.on or state.power is not Power.ON:
        return
    if wanted.input is not None and state.source != options.inputs[wanted.input]:
        yield Step("INPT", options.inputs[wanted.input], "输入源 (input)")
    if state.dark:  # somebody pressed "blank"; a hall's screen is never meant to be dark while it is on
        yield Step("AVMT", "10", "画面 (picture)")
    if wanted.muted is not None and state.muted != wanted.muted:
        yield Step("AVMT", "21" if wanted.muted else "20", "静音 (mute)")


def volume_step(wanted: ScreenPicture, options: PjlinkOptions) -> int | None:
    """The model's step for the wanted volume; None when nobody wants one or the model has none."""
    if wanted.volume is None or options.volume_steps is None:
        return None
    return round(wanted.volume * options.volume_steps / 100)


def trouble(errors: str, lamps: str, options: PjlinkOptions) -> str:
    """What ERST (six digits: 0 well, 1 warning, 2 error) and LAMP (pairs of hours and on) say, for people."""
    found = []
    for digit, (error, warning) in zip(errors, _TROUBLES, strict=False):
        if digit in "12":
            found.append(error if digit == "2" else warning)
    hours = [int(word) for word in lamps.split()[::2] if word.isdecimal()]
    if options.lamp_hours is not None and max(hours, default=0) >= options.lamp_hours:
        found.append(f"灯泡已用 {max(hours)} 小时，请更换 (lamp is old)")
    return "；".join(found)


#: places of ERST: fan, lamp, temperature, cover, filter, other
_TROUBLES = (
    ("风扇故障，请报修 (fan error)", "风扇异常，请检查 (fan warning)"),
    ("灯泡故障，请更换 (lamp error)", "灯泡寿命将尽，请准备更换 (lamp warning)"),
    ("温度过高，请检查通风和滤网 (too hot)", "温度偏高，请检查通风和滤网 (hot)"),
    ("机盖未关好，请关好 (cover open)", "机盖未关好，请检查 (cover warning)"),
    ("滤网堵塞，请清洗或更换 (filter error)", "滤网该清洗了 (filter warning)"),
    ("投影机故障，请查看机身指示灯 (error)", "投影机有警告，请查看机身指示灯 (warning)"),
)
