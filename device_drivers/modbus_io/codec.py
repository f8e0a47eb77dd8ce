"""Modbus questions about single bits, and their answers: the part of the shared codec this family asks."""

from device_drivers.bus import modbus
from device_drivers.bus.modbus import Answer, Bits, Codec, Question

__all__ = ["Answer", "Bits", "Codec", "Question", "exception_sentence"]


def exception_sentence(code: int) -> str:
    """What an exception code means, for people."""
    return modbus.exception_sentence(code, "通道")
