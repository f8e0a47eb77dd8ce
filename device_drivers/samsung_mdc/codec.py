"""Frames of Samsung's Multiple Display Control protocol.

To the display `AA command id length data sum`, from it `AA FF id length A|N command data sum`; the sum is
that of all bytes between head and sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["ANY_DISPLAY", "Command", "Received", "answers", "frame"]

#: every display hears this id; the one that answers gives its own
ANY_DISPLAY = 0xFE

_HEAD, _ANSWER = 0xAA, 0xFF
_ACK, _NAK = ord("A"), ord("N")
_BEFORE_DATA = 4


class Command(IntEnum):
    """Commands of the protocol; without data they ask, with data they set."""

    #: power, volume, mute, source, aspect and two more
    STATUS = 0x00
    #: lamp, temperature, brightness sensor, no signal, degrees Celsius, fan
    ERRORS = 0x0D
    POWER = 0x11
    VOLUME = 0x12
    MUTE = 0x13
    INPUT = 0x14
    BRIGHTNESS = 0x25
    NETWORK_STANDBY = 0xB5


@dataclass(frozen=True, slots=True)
class Received:
    """One answer. Of a NAK the data is one error number."""

    unit: int
    command: int
    nak: bool
    data: bytes


def frame(command: int, unit: int, data: bytes = b"") -> bytes:
    """A whole frame to the display with id `unit`."""
    body = bytes([command, unit, len(data)]) + data
    return bytes([_HEAD]) + body + bytes([sum(body) & 0xFF])


def answers(heard: bytes) -> Iterator[Received]:
    """The whole and sound answers in what was heard, however it was cut; noise is skipped."""
    at = heard.find(_HEAD)
    while at >= 0:
        received, size = _answer(heard[at:])
        if received:
            yield received
        at = heard.find(_HEAD, at + size)


def _answer(heard: bytes) -> tuple[Received | None, int]:
    """The answer these bytes begin with, if they do, and how many bytes to go on."""
    if len(heard) < _BEFORE_DATA or heard[1] != _ANSWER:
        return None, 1
    end = _BEFORE_DATA + heard[3]
    verdict = heard[_BEFORE_DATA:end]
    if len(heard) <= end or sum(heard[1:end]) & 0xFF != heard[end]:
        return None, 1
    if len(verdict) < 2 or verdict[0] not in (_ACK, _NAK):
        return None, 1
    return Received(heard[2], verdict[1], verdict[0] == _NAK, verdict[2:]), end + 1
