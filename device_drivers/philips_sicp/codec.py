"""Frames of the Philips Serial/Ethernet Interface Communication Protocol (SICP V2.03, 2.4 and 4–7).

`size id [group] command data xor`; the size counts all bytes, the xor is that of all before it. Whether the
group byte is there depends on the model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor

__all__ = ["ACK", "EVERYBODY", "NACK", "NAV", "REPORT", "Command", "Received", "answers", "frame"]

#: all displays obey, none answers
EVERYBODY = 0
#: the answer to everything that is set: one of the three below
REPORT = 0x00
#: done; no such command; not possible now, wrong value or wrong checksum
ACK, NACK, NAV = 0x06, 0x15, 0x18

_SMALLEST, _LARGEST = 3, 40


class Command(IntEnum):
    """Commands of the protocol; most have one code to set and one to ask."""

    SET_POWER = 0x18
    POWER = 0x19
    TEMPERATURE = 0x2F
    SET_VIDEO = 0x32
    VIDEO = 0x33
    SET_VOLUME = 0x44
    VOLUME = 0x45
    MUTE = 0x46
    SET_MUTE = 0x47
    SET_INPUT = 0xAC
    INPUT = 0xAD


@dataclass(frozen=True, slots=True)
class Received:
    """One answer. The group it names means nothing: displays answer 01 to a frame with 00."""

    unit: int
    command: int
    data: bytes


def frame(command: int, unit: int, data: bytes = b"", *, grouped: bool) -> bytes:
    """A whole frame to the display with id `unit`; `grouped` when the model wants a group byte."""
    body = bytes([unit, *([0] if grouped else []), command]) + data
    body = bytes([len(body) + 2]) + body
    return body + bytes([reduce(xor, body)])


def answers(heard: bytes, *, grouped: bool) -> Iterator[Received]:
    """The whole and sound answers in what was heard, however it was cut; noise is skipped."""
    head, at = 3 if grouped else 2, 0
    while at < len(heard):
        size = heard[at]
        body = heard[at : at + size]
        sound = max(_SMALLEST, head + 2) <= size <= _LARGEST and len(body) == size and not reduce(xor, body)
        if sound:
            yield Received(body[1], body[head], body[head + 1 : -1])
        at += size if sound else 1
