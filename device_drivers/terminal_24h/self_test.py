"""What a self-test of a terminal finds: one line for each part, passed or what must be done. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from device_drivers.terminal_24h.cabinet import (
    PARTS,
    Look,
    Readings,
    TerminalOptions,
    Ups,
    door_trouble,
    part_trouble,
    temperature_trouble,
    ups_trouble,
)
from device_drivers.terminal_24h.megatec import UpsStatus
from hall_core.devices.vocabulary import DeviceState, Finding

__all__ = ["SAID", "findings_of", "ups_finding"]

#: what a finding is about, for people
SAID = {
    "printer": "打印机",
    "reader": "读卡器",
    "screen": "屏幕",
    "door": "柜门",
    "temperature": "温度",
    "relays": "继电器",
    "ups": "UPS",
}


def findings_of(
    readings: Readings, options: TerminalOptions, look: Look, now: datetime, *, locked: bool | None
) -> list[Finding]:
    """Everything but the UPS, whose test takes its time."""
    found = []
    for part, name in options.parts.items():
        neighbour = look(name)
        wrong = part_trouble(part, name, neighbour)
        if neighbour is not None and neighbour.state is DeviceState.UNKNOWN:
            wrong = f"{PARTS[part][0]}「{name}」状态未知，{PARTS[part][1]}"
        found.append(_finding(part, wrong, neighbour.detail if neighbour else ""))
    found.append(_finding("door", door_trouble(readings, options.door, now.astimezone(ZoneInfo(options.tz)))))
    if options.temperature is not None:
        measured = f"{readings.temperature:g} °C" if readings.temperature is not None else ""
        found.append(_finding("temperature", temperature_trouble(readings, options.temperature), measured))
    found.append(_finding("relays", _relay_trouble(readings, options, locked)))
    return found


def ups_finding(seen: list[UpsStatus | None], ups: Ups) -> Finding:
    """What the UPS said before, while and after its battery was tested."""
    last = seen[-1]
    wrong = next((w for w in map(ups_trouble, (seen[0], last)) if w), "")
    said = [status for status in seen if status is not None]
    if wrong or not ups.tests or last is None:
        return _finding("ups", wrong, _volts(said))
    if not any(status.testing for status in said):
        wrong = (
            "UPS 没有执行电池测试，请检查 UPS，或在 options.ups.tests 中关闭 (it did not test its battery)"
        )
    elif last.testing:
        wrong = "UPS 电池测试没有结束，请检查 UPS (the battery test does not end)"
    elif any(status.battery_low for status in said):
        wrong = "UPS 电池测试时电量不足，请更换电池 (the battery is weak: replace it)"
    return _finding("ups", wrong, _volts(said))


def _relay_trouble(readings: Readings, options: TerminalOptions, locked: bool | None) -> str:
    if options.power is not None and readings.relays[options.power - 1]:
        return "终端电脑的电源继电器处于断电位置，请检查控制板 (the power relay stands on off)"
    if options.lock is not None and locked is not None and readings.relays[options.lock - 1] is not locked:
        return "锁继电器与要求不一致，请检查控制板和锁 (the lock does not stand as told)"
    return ""


def _volts(said: list[UpsStatus]) -> str:
    volts = [status.battery_v for status in said if status.battery_v is not None]
    return f"电池 {min(volts):g}–{max(volts):g} V" if volts else ""


def _finding(what: str, wrong: str, well: str = "") -> Finding:
    return Finding(what=what, passed=not wrong, detail=wrong or well)
