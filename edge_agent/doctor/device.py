"""One device of the hall file, outside the running agent."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device_drivers.recognising import Asking, Listening, recogniser_of
from edge_agent.doctor.machine import Machine
from edge_agent.doctor.told import told_of
from edge_agent.settings import load_hall_file
from firmware_profiles import Shelf, beside
from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.devices.profile import Profile
from hall_core.errors import SettingsInvalid

__all__ = ["Device", "busy_words", "columns", "listing", "the_device"]


@dataclass(frozen=True, slots=True)
class Device:
    """What the hall file says of it, and its model; who vouches for the hall's own broker."""

    setup: DeviceSetup
    profile: Profile
    broker_ca: Path | None = None


def the_device(name: str, hall: Path | None, data: Path | None, machine: Machine | None = None) -> Device:
    """The device with this name. Raises SettingsInvalid, also while the agent runs and holds the devices."""
    layout = _layout(hall, data)
    found = next((setup for setup in layout.devices if setup.name == name), None)
    if found is None:
        known = "、".join(setup.name for setup in layout.devices) or "无 (none)"
        raise SettingsInvalid(f"没有设备 {name!r}，现有：{known} (no such device in the hall file)")
    settings = told_of(hall, data).settings
    holder = (machine or Machine()).journal_holder(settings.journal_file) if settings else None
    if holder is not None:
        raise SettingsInvalid(
            f"代理正在运行（进程 {holder}）并占用设备：先 systemctl stop hall-agent，完成后再 start"
            " (the agent is running and holds the devices: stop it first)"
        )
    ca = settings.local_broker_ca if settings else None
    return Device(found, _shelf(hall, data).load(found.profile), ca)


def busy_words(error: Exception) -> str:
    """What an error says; of a port somebody else holds, what to do about it."""
    if "exclusively lock" in str(error) or "Device or resource busy" in str(error):
        return "端口正被其他程序占用，请先停止代理：systemctl stop hall-agent (in use: stop the agent first)"
    return str(error)


def listing(hall: Path | None, data: Path | None) -> str:
    """The devices of the hall file as a table."""
    rows = [("名称 name", "型号 profile", "地址 address", "#", "窗口 counter", "查找 found by")]
    shelf = _shelf(hall, data)
    for setup in _layout(hall, data).devices:
        family = shelf.load(setup.profile).family
        rows.append(
            (setup.name, setup.profile, setup.address, str(setup.unit), setup.counter or "", _how(family))
        )
    return columns(rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as text under each other; a Chinese character is as wide as two others."""
    widths = [max(_width(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(cell + " " * (widths[at] - _width(cell)) for at, cell in enumerate(row)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _shelf(hall: Path | None, data: Path | None) -> Shelf:
    path = told_of(hall, data).hall
    return beside(path) if path else Shelf()


def _layout(hall: Path | None, data: Path | None) -> HallFile:
    told = told_of(hall, data)
    if told.hall is None:
        raise SettingsInvalid(told.trouble or "请用 --hall 指定大厅文件 (name the hall file with --hall)")
    return load_hall_file(told.hall)


def _how(family: str) -> str:
    recogniser = recogniser_of(family)
    if isinstance(recogniser, Asking):
        return "询问 asking"
    return "按键 a key" if isinstance(recogniser, Listening) else "–"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
