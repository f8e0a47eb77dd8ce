"""The wires of a 24-hour terminal, for its tests: a board and a sensor on one line, a UPS on another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import firmware_profiles
from device_drivers.bus import Address, BusPool, Link, Neighbour, Neighbours
from device_drivers.terminal_24h.driver import DeviceDriver
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from tests.drivers.wires import FakeWire

PROFILE = firmware_profiles.load("terminal.h24")
LINE, UPS = "rtu+tcp://127.0.0.1:9", "rtu+tcp://127.0.0.1:10"


def crc(data: bytes) -> bytes:
    register = 0xFFFF
    for bit in (b >> i & 1 for b in data for i in range(8)):
        register = (register >> 1) ^ (0xA001 if (register ^ bit) & 1 else 0)
    return register.to_bytes(2, "little")


class Cabinet:
    """Answers like a board of unit 1 and a sensor of unit 2; the door's contact is closed."""

    def __init__(self) -> None:
        self.inputs, self.relays, self.tenths = 0b1, 0, 305
        self.stuck: set[int] = set()
        self.silent: set[int] = set()
        self.deaf_after: int | None = None
        self.asked: list[bytes] = []
        self.powers: list[bool] = []

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        assert crc(data[:-2]) == data[-2:]
        self.asked.append(data[:-2])
        if data[0] in self.silent or (self.deaf_after is not None and len(self.asked) > self.deaf_after):
            return
        body = data[:1] + self._answer(data[1], data[2:-2])
        wire.say(body + crc(body))

    def _answer(self, function: int, data: bytes) -> bytes:
        if function == 4:
            return bytes([4, 2]) + (self.tenths & 0xFFFF).to_bytes(2, "big")
        if function in (1, 2):
            return bytes([function, 1, self.relays if function == 1 else self.inputs])
        relay, on = int.from_bytes(data[:2], "big"), data[2] == 0xFF
        if relay not in self.stuck:
            self.relays = self.relays & ~(1 << relay) | on << relay
        if relay == 1:
            self.powers.append(bool(self.relays & 2))
        return bytes([function]) + data


class Supply:
    """Answers like a UPS with the Megatec protocol; `T` puts it on its battery for some looks."""

    def __init__(self) -> None:
        self.bits, self.battery = 0, 13.6
        self.silent = self.knows_no_test = False
        self.under_test, self.left = 12.9, 0

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        if self.silent:
            return
        if data == b"T\r":
            if self.knows_no_test:
                wire.say(data)
            else:
                self.left = 3
            return
        assert data == b"Q1\r"
        bits, volts = self.bits, self.battery
        if self.left:
            self.left -= 1
            bits, volts = bits | 0x84, self.under_test
        wire.say(f"(229.8 229.8 230.1 012 50.0 {volts:04.1f} 25.0 {bits:08b}\r".encode())


class TwoWires:
    """The line of the board and that of the UPS, by their addresses."""

    def __init__(self) -> None:
        self.board, self.supply = Cabinet(), Supply()
        self.wires = {9: FakeWire(self.board), 10: FakeWire(self.supply)}

    async def open(self, address: Address, *rest: Any) -> Link:
        return await self.wires[address.port].open(address, *rest)


@asynccontextmanager
async def terminal(
    clock: FixedClock, *neighbours: Neighbour, wires: TwoWires | None = None, **options: Any
) -> AsyncIterator[tuple[DeviceDriver, TwoWires]]:
    wires = wires or TwoWires()
    setup = DeviceSetup(
        name="h24", profile=PROFILE.id, address=LINE, options={"ups": {"address": UPS}} | options
    )
    quick = PROFILE.timing.model_copy(update={"response_timeout_ms": 20, "retries": 0})
    profile = PROFILE.model_copy(update={"timing": quick})
    known = {n.name: n for n in neighbours}

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    around = Neighbours()
    around.look = known.get
    async with (
        BusPool(clock=clock, opener=wires.open, pause=pause, neighbours=around) as buses,
        DeviceDriver(setup, profile, buses, clock) as driver,
    ):
        yield driver, wires


def said(driver: DeviceDriver) -> list[Any]:
    """Everything it has told since it was asked last."""
    return [driver._events.get_nowait() for _ in range(driver._events.qsize())]
