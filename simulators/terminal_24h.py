"""The cabinet of a 24-hour terminal: a Modbus board of inputs and relays, a temperature sensor on the same
line, and a Megatec UPS on a line of its own. Everything is taken from the papers by hand.

Input 1 is the contact of the door, relay 1 the lock, relay 2 cuts the mains of the terminal's computer.
"""

import asyncio
from collections import defaultdict
from typing import Any

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.modbus_io_frames import FrameReader, NotModbus, Request
from simulators.terminal_24h_ups import Ups, ups_line

__all__ = ["FAULTS", "Cabinet", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "door-open", "on-battery", "battery-weak", "hot", "relay-stuck")

READ_COILS, READ_INPUTS, READ_INPUT_REGISTERS, WRITE_COIL = 1, 2, 4, 5
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
_ON, _OFF = 0xFF00, 0x0000
#: °C of a cabinet that is well, and of one whose fan stands still
WELL, HOT = 30.5, 62.0
#: silence after which a slave takes what comes as a new frame
_SILENCE_S = 0.2


class Cabinet:
    """The body of one terminal. `door` opens or shuts the door."""

    keys: tuple[str, ...] = ("door",)

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._relays = [False] * int(options.get("relays", 8))
        self._inputs = int(options.get("inputs", 8))
        self._lock, self._power = options.get("lock"), options.get("power")
        self._door = {"input": 1, "open": False} | options.get("door", {})
        sensor = device.profile.options.get("temperature", {}) | (options.get("temperature") or {})
        self.sensor_unit = int(sensor.get("unit", 2))
        self._sensor_at = int(sensor.get("address", 1))
        self.ups_address: str | None = (options.get("ups") or {}).get("address")
        self._by_hand = False
        self._restarts = 0
        self.ups = Ups(device)

    def shows(self) -> dict[str, Any]:
        return {
            "door": "open" if self._open else "shut",
            "locked": self._stands(self._lock),
            "power": not self._stands(self._power),
            "restarts": self._restarts,
            "temperature": self._temperature,
            "ups": self.ups_address is not None,
            "mains": not self._device.faults.on("on-battery"),
            "battery": round(100 * self.ups.charged()),
            "testing": self.ups.testing,
        }

    def press(self, key: str) -> None:
        """Somebody opens the door, or shuts it."""
        del key
        self._by_hand = not self._by_hand
        self._device.showed()

    def power_cycle(self) -> None:
        """A board without power lets all its relays go."""
        self._relays = [False] * len(self._relays)
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        if name == "on-battery":
            self.ups.mains(not on)
        if name in {"door-open", "on-battery", "hot"}:
            self._device.showed()

    def do(self, request: Request) -> bytes:
        """Carry out one request to the board; the PDU of the answer."""
        if request.function not in (READ_COILS, READ_INPUTS, WRITE_COIL):
            return _exception(request, ILLEGAL_FUNCTION)
        if len(request.data) != 4:
            return _exception(request, ILLEGAL_VALUE)
        first, count = _words(request.data)
        if request.function == WRITE_COIL:
            return self._switch(request, first, count)
        cells = self._relays if request.function == READ_COILS else self._contacts()
        if count < 1:
            return _exception(request, ILLEGAL_VALUE)
        if first + count > len(cells):
            return _exception(request, ILLEGAL_ADDRESS)
        octets = _packed(cells[first : first + count])
        return bytes([request.function, len(octets)]) + octets

    def measure(self, request: Request) -> bytes:
        """Carry out one request to the sensor: register 1 has tenths of °C, register 2 of % humidity."""
        if request.function != READ_INPUT_REGISTERS:
            return _exception(request, ILLEGAL_FUNCTION)
        first, count = _words(request.data)
        values = {self._sensor_at: round(self._temperature * 10), self._sensor_at + 1: 546}
        if not 1 <= count <= len(values) or any(first + i not in values for i in range(count)):
            return _exception(request, ILLEGAL_ADDRESS)
        octets = b"".join((values[first + i] & 0xFFFF).to_bytes(2, "big") for i in range(count))
        return bytes([request.function, len(octets)]) + octets

    @property
    def _open(self) -> bool:
        return self._by_hand or self._device.faults.on("door-open")

    @property
    def _temperature(self) -> float:
        return HOT if self._device.faults.on("hot") else WELL

    def _stands(self, relay: int | None) -> bool:
        return relay is not None and self._relays[relay - 1]

    def _contacts(self) -> list[bool]:
        contacts = [False] * self._inputs
        contacts[self._door["input"] - 1] = self._open is self._door["open"]
        return contacts

    def _switch(self, request: Request, relay: int, value: int) -> bytes:
        if relay >= len(self._relays):
            return _exception(request, ILLEGAL_ADDRESS)
        if value not in (_ON, _OFF):
            return _exception(request, ILLEGAL_VALUE)
        on = value == _ON
        if not self._device.faults.on("relay-stuck") and self._relays[relay] is not on:
            self._relays[relay] = on
            if relay + 1 == self._power and not on:
                self._restarts += 1
            self._device.showed()
        return bytes([request.function]) + request.data


class _Bus:
    """The line of the board and the sensor; several terminals may share it."""

    def __init__(self, devices: tuple[SimDevice, ...], rtu: bool) -> None:
        self._boards = {d.unit: d for d in devices}
        self._sensors = {_cabinet(d).sensor_unit: d for d in devices}
        self._rtu = rtu
        self._readers: defaultdict[Link, FrameReader] = defaultdict(lambda: FrameReader(rtu=rtu))
        self._heard_at: dict[Link, float] = {}

    async def heard(self, link: Link, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if self._rtu and now - self._heard_at.get(link, now) > _SILENCE_S:
            self._readers[link].forget()
        self._heard_at[link] = now
        try:
            requests = self._readers[link].feed(data)
        except NotModbus:
            link.hang_up()
            return
        for request in requests:
            await self._serve(link, request)

    def lost(self, link: Link) -> None:
        self._readers.pop(link, None)
        self._heard_at.pop(link, None)

    async def _serve(self, link: Link, request: Request) -> None:
        device = self._boards.get(request.unit) or self._sensors.get(request.unit)
        if device is None or not hears(device):
            return
        cabinet = _cabinet(device)
        done = cabinet.do(request) if request.unit in self._boards else cabinet.measure(request)
        await answer(device, link, request.answer(done), None if self._rtu else _foreign)


def build_body(device: SimDevice) -> Cabinet:
    """The cabinet of one device."""
    return Cabinet(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Bus:
    """The bus of one address; the lines of the UPSs are opened, run and closed with it."""
    lines = [
        ups_line(device, _cabinet(device).ups, address)
        for device in devices
        if (address := _cabinet(device).ups_address) is not None
    ]
    if lines:
        _join(line, lines)
    return _Bus(devices, line.is_rtu)


def _join(line: Line, others: list[Line]) -> None:
    """Whatever happens to the line happens to the others."""
    opened, run, close, changed = line.open, line.run, line.close, line.device_changed

    async def open_all() -> None:
        await opened()
        for other in others:
            await other.open()

    async def run_all() -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (run, *(other.run for other in others)):
                tasks.create_task(work(), name=f"line {line.address}")

    def close_all() -> None:
        for shut in (close, *(other.close for other in others)):
            shut()

    def all_changed() -> None:
        for told in (changed, *(other.device_changed for other in others)):
            told()

    line.open, line.run = open_all, run_all  # type: ignore[method-assign]
    line.close, line.device_changed = close_all, all_changed  # type: ignore[method-assign]


def _cabinet(device: SimDevice) -> Cabinet:
    assert isinstance(device.body, Cabinet)
    return device.body


def _exception(request: Request, code: int) -> bytes:
    return bytes([request.function | 0x80, code])


def _words(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")


def _packed(bits: list[bool]) -> bytes:
    """The first bit lowest in the first octet."""
    value = sum(1 << i for i, bit in enumerate(bits) if bit)
    return value.to_bytes((len(bits) + 7) // 8, "little")


def _foreign(frame: bytes) -> bytes:
    """Modbus TCP has no checksum; a broken answer carries a foreign transaction number."""
    return bytes([frame[0] ^ 0x55, frame[1]]) + frame[2:]
