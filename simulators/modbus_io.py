"""Modules of digital inputs and outputs on Modbus: fingers on the inputs, lamps on the outputs.

Functions 01, 02, 05 and 0F. Everything is taken from the specification by hand: the driver uses a library.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.modbus_io_frames import FrameReader, NotModbus, Request

__all__ = ["FAULTS", "HELD_S", "Module", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "exception:n", "busy", "stuck")

READ_COILS, READ_INPUTS, WRITE_COIL, WRITE_COILS = 1, 2, 5, 15
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_BUSY = 1, 2, 3, 6
_ON, _OFF = 0xFF00, 0x0000
_MOST_READ, _MOST_WRITTEN = 2000, 1968
#: a finger holds a key so long (s)
HELD_S = 0.3
#: silence after which a slave takes what comes as a new frame; generous, because ptys have no baud rate
_SILENCE_S = 0.2


class Module:
    """The body of a module."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._inputs_at, self._coils_at = (options[k]["address"] - options.get("base", 0) for k in _RUNS)
        self._inputs = [False] * options["inputs"]["count"]
        self._coils = [False] * options["coils"]["count"]
        self._open = bool(options.get("inverted", False))
        self._named: dict[str, int] = {str(op): int(n) for n, op in options.get("keys", {}).items()}
        self._lamps: dict[str, list[int]] = options.get("lamps", {})
        channels = {f"di{n}": n for n in range(1, len(self._inputs) + 1)}
        self._keys = self._named | channels
        self.keys = tuple(self._keys)

    def shows(self) -> dict[str, Any]:
        burning = [n for n, on in enumerate(self._coils, 1) if on]
        modes = [mode for mode, channels in self._lamps.items() if sorted(channels) == burning]
        return {
            "lamps": burning,
            "outputs": len(self._coils),
            "modes": modes,
            "pressed": [n for n, down in enumerate(self._inputs, 1) if down],
        }

    def press(self, key: str) -> None:
        """Down now, up after a while; without power nobody notices."""
        self._inputs[self._keys[key] - 1] = True
        self._device.alarm(HELD_S, self._release)

    def power_cycle(self) -> None:
        self._coils = [False] * len(self._coils)
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire changes with a module's faults."""

    def do(self, request: Request) -> bytes:
        """Carry out one request; the PDU of the answer."""
        faults = self._device.faults
        code = DEVICE_BUSY if faults.on("busy") else faults.number("exception") or 0
        if not code:
            match request.function:
                case 1 | 2 if len(request.data) == 4:
                    return self._read(request)
                case 5 if len(request.data) == 4:
                    return self._write_one(request)
                case 15 if len(request.data) >= 5:
                    return self._write(request)
            known = request.function in (READ_COILS, READ_INPUTS, WRITE_COIL, WRITE_COILS)
            code = ILLEGAL_VALUE if known else ILLEGAL_FUNCTION
        return _exception(request, code)

    def _read(self, request: Request) -> bytes:
        first, count = _words(request.data)
        if not 1 <= count <= _MOST_READ:
            return _exception(request, ILLEGAL_VALUE)
        if request.function == READ_INPUTS:
            at, cells = self._inputs_at, [down != self._open for down in self._inputs]
        else:
            at, cells = self._coils_at, self._coils
        if not at <= first <= first + count <= at + len(cells):
            return _exception(request, ILLEGAL_ADDRESS)
        octets = _packed(cells[first - at : first - at + count])
        return bytes([request.function, len(octets)]) + octets

    def _write_one(self, request: Request) -> bytes:
        first, value = _words(request.data)
        if value not in (_ON, _OFF):
            return _exception(request, ILLEGAL_VALUE)
        return self._set(request, first, [value == _ON])

    def _write(self, request: Request) -> bytes:
        first, count = _words(request.data[:4])
        octets = request.data[5:]
        if not 1 <= count <= _MOST_WRITTEN or not request.data[4] == len(octets) == (count + 7) // 8:
            return _exception(request, ILLEGAL_VALUE)
        return self._set(request, first, [bool(octets[i // 8] >> i % 8 & 1) for i in range(count)])

    def _set(self, request: Request, first: int, values: list[bool]) -> bytes:
        at = first - self._coils_at
        if at < 0 or at + len(values) > len(self._coils):
            return _exception(request, ILLEGAL_ADDRESS)
        if not self._device.faults.on("stuck") and self._coils[at : at + len(values)] != values:
            self._coils[at : at + len(values)] = values
            self._device.showed()
        return bytes([request.function]) + request.data[:4]

    def _release(self) -> None:
        self._inputs = [False] * len(self._inputs)
        self._device.changed()


class _Bus:
    """All units of one address."""

    def __init__(self, devices: Mapping[int, SimDevice], rtu: bool) -> None:
        self._devices, self._rtu = devices, rtu
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
        if self._rtu and request.unit == 0:
            for device in self._devices.values():
                if hears(device):
                    _module(device).do(request)
            return
        unit = self._devices.get(request.unit)
        if unit is None or not hears(unit):
            return
        frame = request.answer(_module(unit).do(request))
        await answer(unit, link, frame, None if self._rtu else _foreign)


_RUNS = ("inputs", "coils")


def build_body(device: SimDevice) -> Module:
    """The module of one device."""
    return Module(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Bus:
    """The bus of one address."""
    return _Bus({d.unit: d for d in devices}, line.is_rtu)


def _module(device: SimDevice) -> Module:
    assert isinstance(device.body, Module)
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
