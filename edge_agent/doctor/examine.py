"""The whole examination: the box, what it needs, its wires; and how it is told."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_drivers.bus.link import Opener, open_link
from edge_agent.doctor import around, box
from edge_agent.doctor.check import Check, State, bad, note, well
from edge_agent.doctor.machine import Machine, serial_ports
from edge_agent.doctor.proposals import Proposal, as_yaml, proposals
from edge_agent.doctor.scan import Look, Scanner
from edge_agent.doctor.targets import targets_of, unaskable
from edge_agent.doctor.told import Told, told_of
from firmware_profiles import Shelf, beside
from hall_core.clock import Clock
from hall_core.devices.layout import HallFile
from hall_core.errors import ProfileInvalid

__all__ = ["Findings", "Wish", "examine"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What people asked for."""

    hall: Path | None = None
    data: Path | None = None
    scan: Sequence[str] = ()
    serial: Sequence[str] = ()
    units: Sequence[int] | None = None
    listen_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out."""

    checks: tuple[Check, ...]
    proposals: tuple[Proposal, ...]
    devices: str
    unaskable: dict[str, str]

    @property
    def well(self) -> bool:
        """True when nothing is wrong."""
        return all(check.state is not State.BAD for check in self.checks)

    def as_text(self) -> str:
        """For people."""
        lines = [str(check) for check in self.checks]
        for one in self.proposals:
            if one.known_as:
                lines.append(f"✔ {one.address} {_unit(one)}：已在大厅文件中，{one.known_as} (already there)")
            elif not one.profiles:
                lines.append(f"– {one.address} {_unit(one)}：{'；'.join(one.why)}")
        if self.unaskable:
            lines += ["", "询问不到的系列 (cannot be found by asking):"]
            lines += [f"  {family}: {words}" for family, words in self.unaskable.items()]
        if self.devices:
            lines += [
                "",
                "# 请核对后写入大厅文件 (check, then add to the hall file)",
                self.devices.rstrip("\n"),
            ]
        return "\n".join(lines)

    def as_json(self) -> str:
        """For programs."""
        content: dict[str, Any] = {
            "well": self.well,
            "checks": [check.as_json() for check in self.checks],
            "found": [one.as_json() for one in self.proposals],
            "cannot_be_asked": self.unaskable,
            "devices_yaml": self.devices,
        }
        return json.dumps(content, ensure_ascii=False, indent=2)


async def examine(
    wish: Wish,
    clock: Clock,
    say: Callable[[str], None],
    machine: Machine | None = None,
    opener: Opener = open_link,
) -> Findings:
    """Look at everything; changes nothing. Raises SettingsInvalid for a wish that cannot be understood."""
    machine = machine or Machine()
    told = told_of(wish.hall, wish.data)
    checks = [box.interpreter(), box.clock_right(machine), *_storage(told, machine, clock)]
    more, layout = await _around(told, clock)
    checks += [*more, _serial(machine)]
    made: list[Proposal] = []
    wires, profiles = [*wish.scan, *(f"serial://{path}" for path in wish.serial)], {}
    if wires:
        try:
            profiles = (beside(told.hall) if told.hall else Shelf()).all()
        except ProfileInvalid as error:
            checks.append(bad("scan", str(error)))
        else:
            scanner = Scanner(profiles, clock, say, units=wish.units, listen_s=wish.listen_s, opener=opener)
            looks = await scanner.look(targets_of(wires, profiles))
            checks += _troubles(looks)
            there = layout.devices if layout else ()
            made = proposals((s for look in looks for s in look.sightings), profiles, there)
    return Findings(tuple(checks), tuple(made), as_yaml(made, profiles), unaskable() if wires else {})


def _storage(told: Told, machine: Machine, clock: Clock) -> list[Check]:
    if told.trouble:
        return [bad("settings", told.trouble)]
    if told.data is None or told.settings is None:
        return [note("data", "未指定 --data，没有检查磁盘和日志 (not named: disk and journal not looked at)")]
    folder = box.data_folder(told.data, machine)
    if folder.state is State.BAD:
        return [folder]
    return [
        folder,
        box.disk(told.data, clock),
        box.journal(told.settings.journal_file, machine),
        box.accounts(told.settings.accounts_file, told.settings.host, clock),
    ]


async def _around(told: Told, clock: Clock) -> tuple[list[Check], HallFile | None]:
    checks: list[Check] = []
    layout = None
    if told.hall is None:
        checks.append(note("hall", "未指定 --hall，没有检查大厅文件 (not named: not looked at)"))
    else:
        check, layout = around.hall_file(told.hall)
        checks.append(check)
    if layout is not None:
        shelf = beside(told.hall) if told.hall else Shelf()
        ca = told.settings.local_broker_ca if told.settings else None
        checks.append(await around.profiles(layout, shelf, clock, ca))
    if told.settings is not None:
        checks += [await around.broker(told.settings), await around.pages(told.settings)]
    return checks, layout


def _serial(machine: Machine) -> Check:
    ports = serial_ports(machine)
    if not ports:
        return note("serial", "没有串口；有串口设备时请检查转换器和接线 (no serial port)")
    names = "、".join(f"{p.best} {p.about}".strip() for p in ports)
    barred = [p.path for p in ports if not p.allowed]
    if barred:
        remedy = "sudo usermod -aG dialout USER，然后重新登录"
        return bad("serial", f"无权使用 {'、'.join(barred)}：{remedy} (no access: join the group dialout)")
    return well("serial", names)


def _troubles(looks: Sequence[Look]) -> list[Check]:
    """Addresses people named must say something; unused ports of a host need not."""
    found: list[Check] = []
    for look in looks:
        address = look.target.address
        if look.trouble and "exclusively lock" in look.trouble:
            words = f"{address} 正被其他程序占用，请先停止代理：systemctl stop hall-agent"
            found.append(bad("scan", f"{words} (in use: stop the agent first)"))
        elif look.trouble:
            found.append(bad("scan", look.trouble))
        elif not look.sightings and look.target.sure:
            words = f"{address} 没有认出设备，请检查电源、接线、波特率和地址"
            found.append(note("scan", f"{words} (nobody known answered)"))
    hosts = [look for look in looks if not look.target.sure]
    if hosts and not any(look.sightings for look in hosts):
        found.append(note("scan", "所扫描主机的常用端口上没有认出设备 (no known device at the usual ports)"))
    return found


def _unit(one: Proposal) -> str:
    return "" if one.unit is None else f"#{one.unit}"
