"""What a terminal is made of as its profile writes it, and what is wrong with it. Pure.

The options are explained in `firmware_profiles/terminal.h24.yaml`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from device_drivers.bus import Neighbour
from device_drivers.bus.modbus import Bits
from device_drivers.options import Options
from device_drivers.terminal_24h.megatec import UpsStatus
from hall_core.devices.vocabulary import DeviceState
from hall_core.schedule.hours import Hours

__all__ = ["PARTS", "Look", "Readings", "TerminalOptions", "battery_percent", "part_trouble", "troubles"]

Look = Callable[[str], Neighbour | None]
Part = Literal["printer", "reader", "screen"]
#: what each part is called, and who must do what when it is not there
PARTS: dict[Part, tuple[str, str]] = {
    "printer": ("打印机", "请值班人员检查打印机电源和连线 (printer missing)"),
    "reader": ("读卡器", "请值班人员检查读卡器电源和连线 (card reader missing)"),
    "screen": ("屏幕页面", "请值班人员检查终端电脑，必要时远程重启 (the screen does not report)"),
}


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} names no time zone; write Asia/Shanghai, for example") from error
    return name


class Door(Options):
    """The contact at the door: its input, how it stands when the door is open, and when it may be open."""

    input: int = Field(default=1, ge=1)
    open: bool = False
    allowed: Hours | None = None


class Temperature(Options):
    """A sensor on the same line, and between which °C the cabinet is well."""

    unit: int = Field(default=2, ge=1, le=255)
    space: Literal["input", "holding"] = "input"
    address: int = Field(default=1, ge=0, le=0xFFFF)
    scale: float = Field(default=0.1, gt=0)
    low: float = 0
    high: float = 45

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low: must lie below high")
        return self


class Ups(Options):
    """An uninterruptible supply that speaks Megatec; `empty_v` and `full_v` as it tells its battery."""

    address: str = Field(pattern=r"^(serial|rtu\+tcp|tcp)://.+")
    baud: int = Field(default=2400, gt=0)
    empty_v: float = Field(default=10.4, gt=0)
    full_v: float = Field(default=13.0, gt=0)
    tests: bool = True
    test_s: float = Field(default=20, ge=1, le=120)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.empty_v >= self.full_v:
            raise ValueError("empty_v: must lie below full_v")
        return self


class TerminalOptions(Options):
    """What a profile of this family may say."""

    inputs: int = Field(default=8, ge=1, le=64)
    relays: int = Field(default=8, ge=1, le=64)
    door: Door = Field(default_factory=Door)
    lock: int | None = Field(default=1, ge=1)
    power: int | None = Field(default=2, ge=1)
    pulse_s: float = Field(default=8, ge=1, le=60)
    temperature: Temperature | None = Field(default_factory=Temperature)
    ups: Ups | None = None
    parts: dict[Part, str] = Field(default_factory=dict)
    self_test_at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    tz: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.door.input > self.inputs:
            raise ValueError(f"door.input: known are 1..{self.inputs}")
        used = [relay for relay in (self.lock, self.power) if relay is not None]
        if any(relay > self.relays for relay in used) or len(set(used)) < len(used):
            raise ValueError(f"lock, power: two different relays of 1..{self.relays}")
        return self


@dataclass(frozen=True, slots=True)
class Readings:
    """What was measured at one look; None for a sensor or UPS that did not answer or is not there."""

    inputs: Bits
    relays: Bits
    temperature: float | None = None
    ups: UpsStatus | None = None

    def door_open(self, door: Door) -> bool:
        """How the door stands."""
        return self.inputs[door.input - 1] is door.open


def battery_percent(status: UpsStatus, ups: Ups) -> float | None:
    """A guess from the battery's voltage, as a straight line from empty to full."""
    if status.battery_v is None:
        return None
    share = (status.battery_v - ups.empty_v) / (ups.full_v - ups.empty_v)
    return round(100 * min(1.0, max(0.0, share)))


def troubles(readings: Readings, options: TerminalOptions, look: Look, now: datetime) -> list[str]:
    """Everything that is wrong, each a sentence that says who must do what; no word changes by itself."""
    found = [part_trouble(part, name, look(name)) for part, name in options.parts.items()]
    local = now.astimezone(ZoneInfo(options.tz))
    found.append(door_trouble(readings, options.door, local))
    if options.temperature is not None:
        found.append(temperature_trouble(readings, options.temperature))
    if options.ups is not None:
        found.append(ups_trouble(readings.ups))
    return [sentence for sentence in found if sentence]


def part_trouble(part: Part, name: str, neighbour: Neighbour | None) -> str:
    """What is wrong with a part; empty when it is well or nobody knows yet."""
    called, remedy = PARTS[part]
    if neighbour is None:
        return f"{called}：大厅中没有设备「{name}」，请在大厅文件的 parts 中更正 (no such device)"
    if neighbour.state is DeviceState.OFFLINE:
        return f"{called}「{name}」没有应答，{remedy}"
    if neighbour.state is DeviceState.DEGRADED:
        return f"{called}「{name}」{neighbour.detail}"
    return ""


def door_trouble(readings: Readings, door: Door, local: datetime) -> str:
    """An open door outside the hours in which it may be open."""
    if not readings.door_open(door) or (door.allowed is not None and door.allowed.open_at(local)):
        return ""
    return "柜门打开，请值班人员到现场检查并关好柜门 (the door is open: go there and close it)"


def temperature_trouble(readings: Readings, limits: Temperature) -> str:
    """Too hot, too cold, or not known."""
    if readings.temperature is None:
        return "温度传感器没有应答，请检查其电源和接线 (the temperature sensor is silent)"
    if readings.temperature > limits.high:
        return f"柜内温度高于 {limits.high:g} °C，请值班人员检查风扇、滤网和空调 (too hot)"
    if readings.temperature < limits.low:
        return f"柜内温度低于 {limits.low:g} °C，请值班人员检查加热和门窗 (too cold)"
    return ""


def ups_trouble(status: UpsStatus | None) -> str:
    """The mains, the battery, or the UPS itself."""
    if status is None:
        return "UPS 没有应答，请检查其串口线和电源 (the UPS is silent)"
    if status.failed:
        return "UPS 故障，请报修 (the UPS has failed: have it repaired)"
    if status.on_battery:
        left = "，电池将尽，终端即将断电" if status.battery_low else ""
        return f"市电中断，由 UPS 电池供电{left}，请值班人员检查供电 (on battery: check the mains)"
    if status.battery_low:
        return "UPS 电池电量低，请检查电池，必要时更换 (battery low)"
    return ""
