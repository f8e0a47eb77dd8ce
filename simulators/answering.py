"""How faults of the wire bend what a device hears and answers, the same for every family."""

import asyncio
from collections.abc import Callable

from simulators.device import SimDevice
from simulators.line import Link

__all__ = ["WIRE_FAULTS", "answer", "bent", "hears"]

#: faults every family has
WIRE_FAULTS = ("offline", "silence", "slow:n", "drop:n", "late:n", "duplicate", "garble", "power-cycle")


def hears(device: SimDevice) -> bool:
    """False when this request never reaches the device."""
    return not device.dead and not _dropped(device)


async def answer(
    device: SimDevice, link: Link, frame: bytes, garbled: Callable[[bytes], bytes] | None = None
) -> None:
    """Send the device's answer as its faults allow. `garbled` says how a broken frame of the family looks."""
    faults = device.faults
    if device.dead or faults.on("silence") or _dropped(device):
        return
    if slow := faults.number("slow"):
        await asyncio.sleep(slow / 1000)
    if faults.on("garble"):
        frame = (garbled or bent)(frame)
    if faults.on("duplicate"):
        frame += frame
    late = faults.number("late")
    if late is None:
        link.send(frame)
    else:
        device.line.send_later(link, frame, late / 1000)


def bent(frame: bytes) -> bytes:
    """The frame with one bit of its middle turned over."""
    middle = len(frame) // 2
    return frame[:middle] + bytes([frame[middle] ^ 0x10]) + frame[middle + 1 :]


def _dropped(device: SimDevice) -> bool:
    percent = device.faults.number("drop")
    return percent is not None and device.random.random() * 100 < percent
