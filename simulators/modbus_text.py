"""LED strips and number panels on Modbus TCP and Modbus RTU, by the register map of their profile.

Framing and PDUs are pymodbus's; the transport is ours, because only then an absent unit is silent and every
fault of a wire can be played (pymodbus 3.16 answers exception 4 for an absent unit).
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.modbus_registers import Registers, Seen

__all__ = ["FAULTS", "Panel", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "exception:n", "busy", "stuck")

ILLEGAL_FUNCTION, ILLEGAL_VALUE, DEVICE_BUSY = 1, 3, 6
_FUNCTIONS = (3, 4, 6, 16)
#: seconds of one on-and-off of a called text
_BLINK_S = 1.8
#: silence after which an RTU slave takes what comes as a new frame; generous, because ptys have no baud rate
_RTU_SILENCE_S = 0.2


class Panel:
    """The body of a strip: its registers and what is seen of them."""

    keys: tuple[str, ...] = ()

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        self._registers = Registers(device.profile)
        self._seen = Seen()
        self._blink_until = 0.0

    def shows(self) -> dict[str, Any]:
        seen = self._seen
        lines = [text for text in seen.texts.values() if text]
        shows: dict[str, Any] = {
            "text": "\n".join(lines),
            "colour": "red",
            "mode": seen.mode,
            "blinking": self._device.clock.monotonic() < self._blink_until,
        }
        return shows if seen.brightness is None else {**shows, "brightness": seen.brightness}

    def press(self, key: str) -> None:
        raise AssertionError(key)

    def power_cycle(self) -> None:
        self._registers.clear()
        self._seen, self._blink_until = Seen(), 0.0
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire changes with a strip's faults."""

    def do(self, request: ModbusPDU) -> ModbusPDU:
        """Carry out one request and build its answer."""
        if code := self._refusal():
            return ExceptionResponse(request.function_code, code)
        match request:
            case ReadHoldingRegistersRequest():
                return self._read(request)
            case WriteSingleRegisterRequest():
                return self._write(
                    request, WriteSingleRegisterResponse(address=request.address, registers=request.registers)
                )
            case WriteMultipleRegistersRequest() if request.byte_count == 2 * len(request.registers):
                return self._write(
                    request, WriteMultipleRegistersResponse(address=request.address, count=request.count)
                )
            case WriteMultipleRegistersRequest():
                return ExceptionResponse(request.function_code, ILLEGAL_VALUE)
        known = request.function_code in _FUNCTIONS
        return ExceptionResponse(request.function_code, ILLEGAL_VALUE if known else ILLEGAL_FUNCTION)

    def _read(self, request: ModbusPDU) -> ModbusPDU:
        inputs = request.function_code == 4
        values = self._registers.read(request.address, request.count, inputs=inputs)
        if isinstance(values, int):
            return ExceptionResponse(request.function_code, values)
        kind = ReadInputRegistersResponse if inputs else ReadHoldingRegistersResponse
        return kind(registers=values)

    def _write(self, request: ModbusPDU, done: ModbusPDU) -> ModbusPDU:
        code, changes = self._registers.write(request.address, list(request.registers))
        if code:
            return ExceptionResponse(request.function_code, code)
        if changes and not self._device.faults.on("stuck"):
            self._show()
        return done

    def _show(self) -> None:
        self._seen = self._registers.seen()
        blink_s = self._seen.blink * _BLINK_S if self._seen.mode == "called" else 0.0
        self._blink_until = self._device.clock.monotonic() + blink_s
        self._device.alarm(blink_s or None)
        self._device.showed()

    def _refusal(self) -> int:
        faults = self._device.faults
        return DEVICE_BUSY if faults.on("busy") else faults.number("exception") or 0


@dataclass(slots=True)
class _Ear:
    """What one connection has sent so far of a frame, and when (loop time)."""

    framer: FramerRTU | FramerSocket
    pending: bytes = b""
    at: float = 0.0


class _Bus:
    """All units of one address."""

    def __init__(self, devices: Mapping[int, SimDevice], rtu: bool) -> None:
        self._devices = devices
        self._rtu = rtu
        kind = FramerRTU if rtu else FramerSocket
        self._ears: defaultdict[Link, _Ear] = defaultdict(lambda: _Ear(kind(DecodePDU(True))))

    async def heard(self, link: Link, data: bytes) -> None:
        ear = self._ears[link]
        now = asyncio.get_running_loop().time()
        if self._rtu and now - ear.at > _RTU_SILENCE_S:
            ear.pending = b""
        ear.at = now
        ear.pending += data
        while ear.pending:
            used, request = self._next(ear, link)
            if not used:
                return
            ear.pending = ear.pending[used:]
            if request:
                await self._serve(ear, link, request)

    def lost(self, link: Link) -> None:
        self._ears.pop(link, None)

    def _next(self, ear: _Ear, link: Link) -> tuple[int, ModbusPDU | None]:
        if not self._rtu and ear.pending[2:4].strip(b"\x00"):
            # not Modbus at all: a gateway hangs up
            link.hang_up()
            return 0, None
        used, unit, transaction, payload = ear.framer.decode(ear.pending)
        if not payload:
            return used, None
        if self._rtu:
            # the framer takes all that came; a second frame behind the first is still to be heard
            used = ear.pending.index(bytes([unit]) + payload) + len(payload) + 3
        request = ear.framer.decoder.decode(payload) or _Unreadable(payload[0])
        request.dev_id, request.transaction_id = unit, transaction
        return used, request

    async def _serve(self, ear: _Ear, link: Link, request: ModbusPDU) -> None:
        if self._rtu and request.dev_id == 0:
            for device in self._devices.values():
                if hears(device):
                    _panel(device).do(request)
            return
        unit = self._devices.get(request.dev_id)
        if unit is None or not hears(unit):
            return
        response = _panel(unit).do(request)
        response.dev_id, response.transaction_id = request.dev_id, request.transaction_id
        await answer(unit, link, ear.framer.buildFrame(response), None if self._rtu else _foreign)


class _Unreadable(ModbusPDU):
    """A request whose function or contents pymodbus does not know; its answer is an exception."""

    def __init__(self, function: int) -> None:
        super().__init__()
        self.function_code = function & 0x7F


def build_body(device: SimDevice) -> Panel:
    """The panel of one device."""
    return Panel(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Bus:
    """The bus of one address."""
    return _Bus({d.unit: d for d in devices}, line.is_rtu)


def _panel(device: SimDevice) -> Panel:
    assert isinstance(device.body, Panel)
    return device.body


def _foreign(frame: bytes) -> bytes:
    """Modbus TCP has no checksum; a broken answer carries a foreign transaction number."""
    return bytes([frame[0] ^ 0x55, frame[1]]) + frame[2:]
