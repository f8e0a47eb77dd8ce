"""The register map of a panel, as its profile writes it, and pictures as register values.

The keys are explained in `firmware_profiles/modbus.led-strip-generic.yaml`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from device_drivers.options import Options, Shows, say
from hall_core.devices.vocabulary import CounterMode, CounterPicture

__all__ = [
    "ModbusTextOptions",
    "Register",
    "Write",
    "decode_text",
    "encode_text",
    "values_of",
    "writes_of",
    "written",
]

#: roles known by name; all other registers hold text
_ROLES = {"mode", "blink", "brightness", "commit", "firmware"}


class Register(Options):
    """One register by role, or `count` registers of text."""

    space: Literal["holding", "input"] = "holding"
    address: int = Field(ge=0, le=0xFFFF)
    count: int | None = Field(default=None, ge=1, le=123)
    encoding: Literal["gbk", "gb18030", "ascii", "ascii-per-register"] = "gbk"
    order: Literal["hi-lo", "lo-hi"] = "hi-lo"
    pad: str = Field(default=" ", min_length=1, max_length=1)
    write: Literal[6, 16] = 16

    @field_validator("pad")
    @classmethod
    def _one_byte(cls, pad: str) -> str:
        if not pad.isascii():
            raise ValueError("the pad must be one ASCII character")
        return pad

    @property
    def addresses(self) -> range:
        """All register addresses it takes."""
        return range(self.address, self.address + (self.count or 1))


class Reserved(Options):
    """Registers the panel ignores when they are written."""

    address: int = Field(ge=0, le=0xFFFF)
    count: int = Field(ge=1, le=123)


class ModbusTextOptions(Options):
    """What a profile of this family may say."""

    registers: dict[str, Register] = Field(min_length=1)
    reserved: tuple[Reserved, ...] = ()
    max_write: int = Field(default=123, ge=1, le=123)
    readback: bool = False
    modes: dict[CounterMode, int] = Field(default_factory=dict)
    blinks: int = Field(default=6, ge=0, le=0xFFFF)
    brightness: int = Field(default=0, ge=0, le=0xFFFF)
    shows: dict[str, Shows] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        for name, register in self.registers.items():
            if (name in _ROLES) == (register.count is not None):
                raise ValueError(f"register {name!r}: only text has a count; roles are {sorted(_ROLES)}")
        if strange := set(self.shows) - set(self.texts):
            raise ValueError(f"shows: {sorted(strange)} are no text registers; known: {sorted(self.texts)}")
        if "mode" in self.registers and set(self.modes) != set(CounterMode):
            raise ValueError(f"modes: give a value for each of {[m.value for m in CounterMode]}")
        taken = sorted((r.addresses for r in self._holding()), key=lambda span: span.start)
        if any(a.stop > b.start for a, b in pairwise(taken)):
            raise ValueError("registers: two of them overlap")
        return self

    @property
    def texts(self) -> dict[str, Register]:
        """The text registers by name."""
        return {name: r for name, r in self.registers.items() if r.count is not None}

    def bridges(self) -> set[int]:
        """Addresses that may be written over without harm."""
        return {a for gap in self.reserved for a in range(gap.address, gap.address + gap.count)}

    def _holding(self) -> Iterable[Register]:
        return (r for r in self.registers.values() if r.space == "holding")


@dataclass(frozen=True, slots=True)
class Write:
    """One write request."""

    address: int
    values: tuple[int, ...]
    function: Literal[6, 16]


def encode_text(text: str, register: Register) -> tuple[int, ...]:
    """Text as registers, cut between characters and padded; what the encoding lacks becomes `?`."""
    single = register.encoding == "ascii-per-register"
    encoding = "ascii" if single else register.encoding
    room = (register.count or 0) * (1 if single else 2)
    raw = bytearray()
    for character in text:
        code = (character if character.isprintable() else " ").encode(encoding, errors="replace")
        if len(raw) + len(code) > room:
            break
        raw += code
    padded = bytes(raw).ljust(room, register.pad.encode("ascii"))
    if single:
        return tuple(padded)
    order: Literal["big", "little"] = "big" if register.order == "hi-lo" else "little"
    return tuple(int.from_bytes(padded[i : i + 2], order) for i in range(0, room, 2))


def decode_text(values: Iterable[int], register: Register) -> str:
    """Registers as text, without the padding."""
    if register.encoding == "ascii-per-register":
        raw, encoding = bytes(value & 0xFF for value in values), "ascii"
    else:
        order: Literal["big", "little"] = "big" if register.order == "hi-lo" else "little"
        raw, encoding = b"".join(value.to_bytes(2, order) for value in values), register.encoding
    return raw.decode(encoding, errors="replace").rstrip(register.pad)


def values_of(picture: CounterPicture, options: ModbusTextOptions) -> dict[int, int]:
    """Every holding register the picture sets, by address; the commit register last."""
    roles = {
        "mode": options.modes.get(picture.mode, 0),
        "blink": options.blinks if picture.mode is CounterMode.CALLED else 0,
        "brightness": options.brightness,
    }
    values = {options.registers[role].address: v for role, v in roles.items() if role in options.registers}
    for name, register in options.texts.items():
        text = say(options.shows.get(name, {}), picture)
        values |= dict(zip(register.addresses, encode_text(text, register), strict=True))
    if "commit" in options.registers:
        values[options.registers["commit"].address] = 1
    return values


def writes_of(values: dict[int, int], options: ModbusTextOptions) -> list[Write]:
    """As few requests as the panel allows; the one that commits goes last."""
    singles = {a for r in options.registers.values() if r.write == 6 for a in r.addresses}
    writes = [Write(a, (values[a],), 6) for a in sorted(values) if a in singles]
    runs = spans((a for a in values if a not in singles), options.bridges(), options.max_write)
    writes += [Write(span.start, tuple(values.get(a, 0) for a in span), 16) for span in runs]
    commit = options.registers.get("commit")
    if commit is not None:
        writes.sort(key=lambda w: w.address <= commit.address < w.address + len(w.values))
    return writes


def written(register: Register, values: dict[int, int]) -> range:
    """The addresses that hold something else than padding, and at least the first one."""
    empty = encode_text("", register)[0] if register.count else None
    full = [a for a in register.addresses if values.get(a) != empty]
    return range(register.address, max([register.address, *full]) + 1)


def spans(wanted: Iterable[int], bridges: set[int], most: int) -> list[range]:
    """Addresses as few runs of at most `most`; a run may cross addresses in `bridges`."""
    runs: list[range] = []
    for address in sorted(wanted):
        last = runs[-1] if runs else range(0)
        near = runs and address + 1 - last.start <= most
        if near and all(between in bridges for between in range(last.stop, address)):
            runs[-1] = range(last.start, address + 1)
        else:
            runs.append(range(address, address + 1))
    return runs
