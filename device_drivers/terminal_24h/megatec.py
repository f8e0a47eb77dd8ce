r"""The Megatec protocol of small UPSs as bytes: RS-232, 2400 8N1, lines that end with `\r`. Pure.

    Q1\r -> (MMM.M NNN.N PPP.P QQQ RR.R S.SS TT.T b7b6b5b4b3b2b1b0\r

Input, input fault and output voltage, load %, input Hz, battery voltage, temperature; then b7 mains
failed, b6 battery low, b5 bypass, b4 UPS failed, b3 standby type, b2 test in progress, b1 shutdown,
b0 beeper. A value the UPS does not measure is filled with `@` (some makers: `-`). `T\r` tests the battery
for ten seconds and is not answered. A command that the UPS does not know is sent back as it came.
"""

import re
from dataclasses import dataclass

__all__ = ["STATUS", "TEST", "UpsStatus", "read_status"]

STATUS, TEST = b"Q1\r", b"T\r"

_VALUE = rb"(\d{1,3}(?:\.\d{1,2})?|[-@.]+)"
_LINE = re.compile(rb"\(" + rb" ".join([_VALUE] * 7) + rb" ([01]{8})\r")


@dataclass(frozen=True, slots=True)
class UpsStatus:
    """One answer to Q1; None where the UPS does not measure."""

    input_v: float | None
    battery_v: float | None
    load_percent: float | None
    temperature: float | None
    bits: int

    @property
    def on_battery(self) -> bool:
        """The mains failed; not while it tests its battery, which some tell the same way."""
        return bool(self.bits & 0x80) and not self.testing

    @property
    def battery_low(self) -> bool:
        """The battery is nearly empty."""
        return bool(self.bits & 0x40)

    @property
    def failed(self) -> bool:
        """The UPS itself is broken."""
        return bool(self.bits & 0x10)

    @property
    def testing(self) -> bool:
        """It tests its battery now."""
        return bool(self.bits & 0x04)


def read_status(data: bytes) -> UpsStatus | None:
    """The status in what came back; None until it is there."""
    found = _LINE.search(data)
    if found is None:
        return None
    values = [_number(value) for value in found.groups()[:7]]
    return UpsStatus(
        input_v=values[0],
        load_percent=values[3],
        battery_v=values[5],
        temperature=values[6],
        bits=int(found[8], 2),
    )


def _number(value: bytes) -> float | None:
    return float(value) if value[:1].isdigit() else None
