"""The channels of a module as its profile writes them: keys, lamps, and which writes light them. Pure.

Channels carry the numbers printed on the module, DI1 and DO1 being 1. The options are explained in
`firmware_profiles/waveshare.modbus-rtu-io-8ch.yaml`.
"""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from device_drivers.bus.modbus import Bits
from device_drivers.options import Options
from hall_core.devices.vocabulary import CounterMode, KeyOp

__all__ = ["ModbusIoOptions", "Write", "lamps_of", "pressed", "writes_of"]


class Channels(Options):
    """A run of inputs or outputs: the address of the first as the maker's paper counts it."""

    address: int = Field(default=0, ge=0, le=0xFFFF)
    count: int = Field(ge=1, le=64)


class ModbusIoOptions(Options):
    """What a profile of this family may say."""

    base: Literal[0, 1] = 0
    inputs: Channels
    coils: Channels
    write: Literal[5, 15] = 15
    readback: bool = True
    inverted: bool = False
    poll_ms: int = Field(default=50, ge=10)
    debounce_ms: int = Field(default=20, ge=0)
    keys: dict[int, KeyOp] = Field(default_factory=dict)
    lamps: dict[CounterMode, tuple[int, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if min(self.inputs.address, self.coils.address) < self.base:
            raise ValueError(f"base: an address lies below {self.base}")
        if strange := set(self.keys) - set(range(1, self.inputs.count + 1)):
            raise ValueError(f"keys: {sorted(strange)} are no inputs; known are 1..{self.inputs.count}")
        if strange := self.lit - set(range(1, self.coils.count + 1)):
            raise ValueError(f"lamps: {sorted(strange)} are no outputs; known are 1..{self.coils.count}")
        return self

    @property
    def lit(self) -> set[int]:
        """The outputs that are lamps; all others belong to somebody else."""
        return {channel for channels in self.lamps.values() for channel in channels}

    @property
    def first_input(self) -> int:
        """Its address on the wire."""
        return self.inputs.address - self.base

    @property
    def first_coil(self) -> int:
        """Its address on the wire."""
        return self.coils.address - self.base


@dataclass(frozen=True, slots=True)
class Write:
    """One write request, addressed as on the wire."""

    address: int
    bits: Bits


def lamps_of(mode: CounterMode, options: ModbusIoOptions) -> dict[int, bool]:
    """Which lamps burn in this mode, by output."""
    on = options.lamps.get(mode, ())
    return {channel: channel in on for channel in sorted(options.lit)}


def writes_of(lamps: dict[int, bool], options: ModbusIoOptions) -> list[Write]:
    """As few requests as the module allows, touching no output that is no lamp."""
    writes: list[Write] = []
    for channel, on in sorted(lamps.items()):
        address = options.first_coil + channel - 1
        last = writes[-1] if writes else None
        if options.write == 15 and last is not None and last.address + len(last.bits) == address:
            writes[-1] = Write(last.address, (*last.bits, on))
        else:
            writes.append(Write(address, (on,)))
    return writes


def pressed(before: Bits, now: Bits, options: ModbusIoOptions) -> list[KeyOp]:
    """The keys that went down between two readings."""
    rising = [n for n, (old, new) in enumerate(zip(before, now, strict=True), 1) if new and not old]
    return [options.keys[channel] for channel in rising if channel in options.keys]
