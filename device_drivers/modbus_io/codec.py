"""Modbus questions about single bits, and their answers; framing and PDUs are pymodbus's."""

from collections.abc import Callable
from dataclasses import dataclass

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)

__all__ = ["Answer", "Bits", "Codec", "Question", "exception_sentence"]

Bits = tuple[bool, ...]

_EXCEPTIONS = {
    1: "不支持此功能码 (illegal function)",
    2: "没有此通道 (illegal address)",
    3: "不接受此数值 (illegal value)",
    4: "设备内部故障 (device failure)",
    6: "设备忙 (busy)",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Bits that were read (none for a write), or the exception code the module gave instead."""

    bits: Bits = ()
    exception: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A frame, and how to find its answer in the bytes that come back: None until it is there."""

    frame: bytes
    read: Callable[[bytes], Answer | None]


class Codec:
    """Asks one unit. RTU frames have no transaction number; TCP ones count up."""

    def __init__(self, unit: int, *, rtu: bool) -> None:
        self._unit, self._rtu, self._transaction = unit, rtu, 0
        decoder = DecodePDU(is_server=False)
        self._framer = FramerRTU(decoder) if rtu else FramerSocket(decoder)

    def read_inputs(self, address: int, count: int) -> Question:
        """Function 02."""
        return self._read(ReadDiscreteInputsRequest(address=address, count=count), count)

    def read_coils(self, address: int, count: int) -> Question:
        """Function 01."""
        return self._read(ReadCoilsRequest(address=address, count=count), count)

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

    def _read(self, request: ModbusPDU, count: int) -> Question:
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


def exception_sentence(code: int) -> str:
    """What an exception code means, for people."""
    return _EXCEPTIONS.get(code, f"异常码 {code} (exception {code})")
