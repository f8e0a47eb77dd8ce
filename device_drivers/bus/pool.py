"""All buses of a hall."""

import asyncio
from types import TracebackType
from typing import Self

from device_drivers.bus.address import parse_address
from device_drivers.bus.link import Opener, open_link
from device_drivers.bus.port import Port
from device_drivers.bus.shared import Bus
from device_drivers.bus.wire import Pause, Wire
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile, SerialLine
from hall_core.errors import SettingsInvalid

__all__ = ["BusPool"]


class BusPool:
    """One bus and one task per address. Buses are made when a device first needs them."""

    def __init__(self, *, clock: Clock, opener: Opener = open_link, pause: Pause = asyncio.sleep) -> None:
        self._clock, self._opener, self._pause = clock, opener, pause
        self._buses: dict[str, tuple[Bus, SerialLine | None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        try:
            if kind is not None and issubclass(kind, Exception):
                # the group would wrap an error of the block, which is none of the buses' business
                kind = error = trace = None
            await self._group.__aexit__(kind, error, trace)
        finally:
            for bus, _ in self._buses.values():
                await bus.wire.close()

    def port(self, setup: DeviceSetup, profile: Profile) -> Port:
        """The device's place on its bus. Raises SettingsInvalid when it cannot stand there."""
        address = parse_address(setup.address, profile)
        known = self._buses.get(str(address))
        if known is None:
            bus = Bus(Wire(address, self._opener, self._clock, self._pause))
            self._buses[str(address)] = (bus, profile.serial)
            self._tasks.append(self._group.create_task(bus.serve(), name=f"bus.{address}"))
        else:
            bus, line = known
            if address.scheme == "serial" and line != profile.serial:
                raise SettingsInvalid(
                    f"设备「{setup.name}」与同一串口 {address} 上的其他设备波特率或格式不同，"
                    "请改接另一串口或统一参数"
                    " (devices on one serial line must have one speed and format)"
                )
        return Port(bus, setup.unit, setup.name, profile)
