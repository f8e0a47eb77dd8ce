"""All buses of a hall."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from device_drivers.bus.address import Address, parse_address
from device_drivers.bus.link import Opener, open_link
from device_drivers.bus.mqtt import MqttSession
from device_drivers.bus.neighbours import Neighbours
from device_drivers.bus.port import Port
from device_drivers.bus.screens import NamedScreens
from device_drivers.bus.shared import Bus
from device_drivers.bus.tap import Note, tapped
from device_drivers.bus.trust import authorities
from device_drivers.bus.wire import Pause, Wire
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile, SerialLine
from hall_core.errors import SettingsInvalid

__all__ = ["BusPool"]


class BusPool:
    """One bus and one task per address. Buses are made when a device first needs them.

    `screens` are the hall's browsers, `neighbours` the other devices as the hall knows them, `broker_ca`
    the file of the authority that vouches for the hall's own broker: SettingsInvalid when it is no use. `tap`
    hears all that is said to devices and by them.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        opener: Opener = open_link,
        pause: Pause = asyncio.sleep,
        screens: NamedScreens | None = None,
        neighbours: Neighbours | None = None,
        broker_ca: Path | None = None,
        tap: Note | None = None,
    ) -> None:
        self.screens = screens or NamedScreens(clock)
        self.neighbours = neighbours or Neighbours()
        self.tap = tap
        self._clock, self._pause = clock, pause
        self._opener = tapped(tap, opener) if tap else opener
        self._trusted = authorities(broker_ca) if broker_ca else None
        self._buses: dict[str, tuple[Bus, SerialLine | None]] = {}
        self._sessions: dict[Address, MqttSession] = {}
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
        if address.at_broker:
            raise SettingsInvalid(
                f"设备「{setup.name}」：型号 {profile.id} 不经消息服务，地址请写 tcp:// 或 serial://"
                " (this model does not speak MQTT)"
            )
        if address.scheme == "web":
            raise SettingsInvalid(
                f"设备「{setup.name}」：型号 {profile.id} 不是网页屏幕，地址请写 tcp:// 或 serial://"
                " (this model is no browser)"
            )
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

    def session(self, setup: DeviceSetup, profile: Profile) -> tuple[MqttSession, str]:
        """The session with the device's broker, one for all devices there, and the device's name at it.

        Raises SettingsInvalid.
        """
        address = parse_address(setup.address, profile)
        if not address.at_broker:
            raise SettingsInvalid(
                f"设备「{setup.name}」：型号 {profile.id} 经消息服务连接，地址请写 mqtt://用户:口令@主机:端口/名称"
                " (this model is reached over an MQTT broker)"
            )
        broker, name = replace(address, path=""), address.path
        session = self._sessions.get(broker)
        if session is None:
            session = MqttSession(broker, clock=self._clock, trusted=self._trusted, tap=self.tap)
            self._sessions[broker] = session
            self._tasks.append(self._group.create_task(session.serve(), name=f"mqtt.{broker}"))
        return session, name
