"""Modbus questions and answers as bytes, for every family that speaks it; framing and PDUs are pymodbus's.

pymodbus's own client is not used: it neither leaves silence between frames nor drains before sending, and
takes a late RTU answer for the answer of the next question (measured with 3.16.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

__all__ = ["BUSY", "NOBODY", "Answer", "Bits", "Codec", "Question", "Space", "exception_sentence"]

Bits = tuple[bool, ...]
Space = Literal["holding", "input"]

#: exceptions that pass: the device is busy or still working
BUSY = frozenset({5, 6})
#: a gateway found nobody behind it
NOBODY = frozenset({10, 11})

_EXCEPTIONS = {
    1: "不支持此功能码 (illegal function)",
    3: "不接受此数值 (illegal value)",
    4: "设备内部故障 (device failure)",
    6: "设备忙 (busy)",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read, bits or registers (neither for a write), or the exception code given instead."""

    bits: Bits = ()
    registers: tuple[int, ...] = ()
    exception: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A frame, and how to find its answer in the bytes that come back: None until it is there."""

    frame: bytes
    read: Callable[[bytes], Answer | None]


class Codec:
    """Asks one unit. RTU frames have no transaction number; TCP ones count from `transaction` + 1."""

    def __init__(self, unit: int, *, rtu: bool, transaction: int = 0) -> None:
        self._unit, self._rtu, self._transaction = unit, rtu, transaction
        decoder = DecodePDU(is_server=False)
        self._framer = FramerRTU(decoder) if rtu else FramerSocket(decoder)

    def read_inputs(self, address: int, count: int) -> Question:
        """Function 02."""
        return self._read_bits(ReadDiscreteInputsRequest(address=address, count=count), count)

    def read_coils(self, address: int, count: int) -> Question:
        """Function 01."""
        return self._read_bits(ReadCoilsRequest(address=address, count=count), count)

    def write_coil(self, address: int, on: bool) -> Question:
        """Function 05."""
        return self._question(
            WriteSingleCoilRequest(address=address, bits=[on]),
            lambda pdu: Answer() if pdu.address == address and pdu.bits[:1] == [on] else None,
        )

    def write_coils(self, address: int, bits: Bits) -> Question:
        """Function 0F."""
        return self._question(
            WriteMultipleCoilsRequest(address=address, bits=bits),
            lambda pdu: Answer() if pdu.address == address and pdu.count == len(bits) else None,
        )

    def read(self, space: Space, address: int, count: int) -> Question:
        """Function 03 or 04."""
        kind = ReadHoldingRegistersRequest if space == "holding" else ReadInputRegistersRequest
        return self._question(
            kind(address=address, count=count),
            lambda pdu: Answer(registers=tuple(pdu.registers)) if len(pdu.registers) == count else None,
        )

    def write(self, address: int, values: tuple[int, ...], function: Literal[6, 16] = 16) -> Question:
        """Function 16, or 06 for a single register."""
        if function == 6:
            return self._question(
                WriteSingleRegisterRequest(address=address, registers=values),
                lambda pdu: Answer() if pdu.address == address and tuple(pdu.registers) == values else None,
            )
        return self._question(
            WriteMultipleRegistersRequest(address=address, registers=values),
            lambda pdu: Answer() if pdu.address == address and pdu.count == len(values) else None,
        )

    def _read_bits(self, request: ModbusPDU, count: int) -> Question:
        octets = (count + 7) // 8
        return self._question(
            request,
            lambda pdu: Answer(tuple(pdu.bits[:count])) if len(pdu.bits) == 8 * octets else None,
        )

    def _question(self, request: ModbusPDU, take: Callable[[ModbusPDU], Answer | None]) -> Question:
        self._transaction = self._transaction % 0xFFFF + 1
        transaction = 0 if self._rtu else self._transaction
        request.dev_id, request.transaction_id = self._unit, transaction

        def read(data: bytes) -> Answer | None:
            for start in self._starts(data):
                pdu = self._decode(data[start:], transaction)
                if pdu is None or pdu.function_code & 0x7F != request.function_code:
                    continue
                answer = Answer(exception=pdu.exception_code) if pdu.isError() else take(pdu)
                if answer is not None:
                    return answer
            return None

        return Question(self._framer.buildFrame(request), read)

    def _starts(self, data: bytes) -> list[int]:
        """Where an answer may begin: on a serial line anywhere behind noise that starts like this unit's."""
        if not self._rtu:
            return [0]
        return [i for i in range(len(data) - 3) if data[i] == self._unit]

    def _decode(self, data: bytes, transaction: int) -> ModbusPDU | None:
        try:
            return self._framer.handleFrame(data, self._unit, transaction)[1]
        except ModbusException:
            return None


def exception_sentence(code: int, place: str = "地址") -> str:
    """What an exception code means, for people; `place` is what the device's addresses are called."""
    if code == 2:
        return f"没有此{place} (illegal address)"
    return _EXCEPTIONS.get(code, f"异常码 {code} (exception {code})")
