"""Modbus questions and answers as bytes; framing and PDUs are pymodbus's.

pymodbus's own client is not used: it neither leaves silence between frames nor drains before sending, and
takes a late RTU answer for the answer of the next question (measured with 3.16.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

__all__ = ["Answer", "Codec", "Question", "Space", "exception_sentence"]

Space = Literal["holding", "input"]

_EXCEPTIONS = {
    1: "不支持此功能码 (illegal function)",
    2: "没有此寄存器地址 (illegal address)",
    3: "不接受此数值 (illegal value)",
    4: "设备内部故障 (device failure)",
    6: "设备忙 (busy)",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Registers that were read (none for a write), or the exception code the device gave instead."""

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

    def read(self, space: Space, address: int, count: int) -> Question:
        """Function 03 or 04."""
        kind = ReadHoldingRegistersRequest if space == "holding" else ReadInputRegistersRequest
        return self._question(
            kind(address=address, count=count), lambda answer: len(answer.registers) == count
        )

    def write(self, address: int, values: tuple[int, ...], function: Literal[6, 16] = 16) -> Question:
        """Function 16, or 06 for a single register."""
        if function == 6:
            return self._question(
                WriteSingleRegisterRequest(address=address, registers=values),
                lambda answer: answer.address == address and tuple(answer.registers) == values,
            )
        return self._question(
            WriteMultipleRegistersRequest(address=address, registers=values),
            lambda answer: answer.address == address and answer.count == len(values),
        )

    def _question(self, request: ModbusPDU, fits: Callable[[ModbusPDU], bool]) -> Question:
        self._transaction = self._transaction % 0xFFFF + 1
        transaction = 0 if self._rtu else self._transaction
        request.dev_id, request.transaction_id = self._unit, transaction

        def read(data: bytes) -> Answer | None:
            for start in self._starts(data):
                pdu = self._decode(data[start:], transaction)
                if pdu is None or pdu.function_code & 0x7F != request.function_code:
                    continue
                if pdu.isError():
                    return Answer(exception=pdu.exception_code)
                if fits(pdu):
                    return Answer(tuple(pdu.registers) if request.function_code in (3, 4) else ())
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


def exception_sentence(code: int) -> str:
    """What an exception code means, for people."""
    return _EXCEPTIONS.get(code, f"异常码 {code} (exception {code})")
