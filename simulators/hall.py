"""All simulated devices of one hall, built from the same hall file the agent reads."""

import asyncio
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self, cast

import yaml
from pydantic import ValidationError

from firmware_profiles import Shelf, all_profiles
from hall_core.clock import Clock
from hall_core.devices.layout import HallFile
from hall_core.errors import SettingsInvalid
from simulators.device import Family, SimDevice
from simulators.line import Line

__all__ = ["SimulatedHall", "family_of", "read_hall_file"]


def read_hall_file(path: Path) -> HallFile:
    """Read a hall's YAML file. Raises SettingsInvalid naming file and place."""
    try:
        return HallFile.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        msg = f"hall file {path}: {error}"
        raise SettingsInvalid(msg) from error


def family_of(name: str) -> Family:
    """The simulator of a family. Raises SettingsInvalid when there is none."""
    module = f"simulators.{name}"
    if find_spec(module) is None or not hasattr(import_module(module), "build_talk"):
        known = "、".join(sorted({profile.family for profile in all_profiles().values()}))
        raise SettingsInvalid(
            f"没有系列 {name!r} 的模拟设备，现有：{known}"
            f" (remedy: name one of these families, or write simulators/{name}.py)"
        )
    return cast("Family", import_module(module))


class SimulatedHall:
    """Serves every device of a hall at its address while entered. `shelf` has the profiles.

    Raises SettingsInvalid for a profile whose family is not simulated, ProfileInvalid from the loader and
    OSError when an address is taken.
    """

    def __init__(self, hall_file: HallFile, clock: Clock, shelf: Shelf | None = None) -> None:
        self.hall = hall_file.hall
        self.devices: dict[str, SimDevice] = {}
        self._lines: dict[str, Line] = {}
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        random, shelf = Random(hall_file.hall.hall), shelf or Shelf()
        on_line: dict[str, list[SimDevice]] = {}
        for number, setup in enumerate(hall_file.devices):
            profile = shelf.load(setup.profile).fitted(setup.firmware)
            # port 0 is a fresh port for each device
            key = f"{setup.address}#{number}" if setup.address.endswith(":0") else setup.address
            line = self._lines.setdefault(key, Line(setup.address))
            device = SimDevice(setup, profile, family_of(profile.family), line, clock, random)
            self.devices[setup.name] = device
            on_line.setdefault(key, []).append(device)
        for key, devices in on_line.items():
            _wire(self._lines[key], tuple(devices))

    async def __aenter__(self) -> Self:
        try:
            for line in self._lines.values():
                await line.open()
        except BaseException:
            self._close()
            raise
        await self._group.__aenter__()
        self._tasks = [
            self._group.create_task(line.run(), name=f"line {line.address}") for line in self._lines.values()
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        # the body's own error stays itself; only a cancellation is the group's business
        cancelled = isinstance(error, asyncio.CancelledError)
        try:
            await self._group.__aexit__(*((kind, error, trace) if cancelled else (None, None, None)))
        finally:
            self._close()

    def _close(self) -> None:
        for device in self.devices.values():
            device.close()
        for line in self._lines.values():
            line.close()


def _wire(line: Line, devices: tuple[SimDevice, ...]) -> None:
    families = {d.family for d in devices}
    if len(families) > 1:
        msg = f"address {line.address} is shared by different families: {', '.join(sorted(families))}"
        raise SettingsInvalid(msg)
    units = [d.unit for d in devices]
    if len(set(units)) < len(units):
        msg = f"two devices at {line.address} have the same unit: give each its own"
        raise SettingsInvalid(msg)
    talk = family_of(devices[0].family).build_talk(devices, line)
    line.heard, line.lost = talk.heard, talk.lost
    line.in_service = lambda: any(not d.dead for d in devices)
