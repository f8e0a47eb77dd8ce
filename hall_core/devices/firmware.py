"""Versions of firmware and ranges of them: `>=1.0 <3` is every version from 1.0 on and below 3."""

import re

__all__ = ["check_firmware", "firmware_fits"]

_BOUND = re.compile(r"(>=|<=|==|>|<)(\d+(?:\.\d+)*)")
_VERSION = re.compile(r"[vV]?(\d+(?:\.\d+)*)")


def check_firmware(wanted: str) -> str:
    """The range as it was given. Raises ValueError when it is none, or holds no version."""
    if not wanted.split() or not all(_BOUND.fullmatch(bound) for bound in wanted.split()):
        msg = f"{wanted!r} is no range of firmware; write bounds such as >=1.0 <3"
        raise ValueError(msg)
    return wanted


def firmware_fits(firmware: str, wanted: str) -> bool:
    """True when this version lies within the range. Raises ValueError for what is no version."""
    found = _VERSION.match(firmware)
    if found is None:
        msg = f"{firmware!r} is no version of firmware; write numbers such as 1.2"
        raise ValueError(msg)
    version = _numbers(found[1])
    return all(_holds(version, bound[1], _numbers(bound[2])) for bound in _BOUND.finditer(wanted))


def _numbers(version: str) -> tuple[int, ...]:
    """1.0 and 1 are the same version."""
    numbers = [int(part) for part in version.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _holds(version: tuple[int, ...], sign: str, bound: tuple[int, ...]) -> bool:
    match sign:
        case ">=":
            return version >= bound
        case "<=":
            return version <= bound
        case ">":
            return version > bound
        case "<":
            return version < bound
    return version == bound
