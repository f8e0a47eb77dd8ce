"""Modbus questions about registers, and their answers: the part of the shared codec this family asks."""

from device_drivers.bus import modbus
from device_drivers.bus.modbus import Answer, Codec, Question, Space

__all__ = ["Answer", "Codec", "Question", "Space", "exception_sentence"]


def exception_sentence(code: int) -> str:
    """What an exception code means, for people."""
    return modbus.exception_sentence(code, "寄存器地址")
