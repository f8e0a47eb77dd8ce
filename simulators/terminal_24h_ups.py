"""A small UPS that speaks the Megatec protocol on its own serial line, with its battery."""

from collections import defaultdict

from simulators.answering import answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link

__all__ = ["EMPTY_V", "FULL_V", "LASTS_S", "TEST_S", "Ups", "ups_line"]

#: a battery of one 12 V block, full and empty, and how long it lasts (s)
FULL_V, EMPTY_V, LASTS_S = 13.6, 10.4, 3600.0
#: the battery test of the paper, and what an old battery falls to in it
TEST_S, WEAK_V = 10.0, 10.9
#: under load a battery tells less
SAG_V = 0.6
#: share below which it says that its battery is low
LOW = 0.2


class Ups:
    """Its battery and what it answers; the faults `on-battery` and `battery-weak` are its device's."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        self._since: float | None = None
        self._test_until = 0.0

    @property
    def testing(self) -> bool:
        """True while it runs from its battery to test it."""
        return self._device.clock.monotonic() < self._test_until

    def mains(self, there: bool) -> None:
        """The mains fail, or are back; charging takes no time here."""
        self._since = None if there else self._device.clock.monotonic()

    def charged(self) -> float:
        """The share of the battery that is left."""
        if self._since is None:
            return 1.0
        return max(0.0, 1.0 - (self._device.clock.monotonic() - self._since) / LASTS_S)

    def answer(self, command: bytes) -> bytes | None:
        """What it says to a line; None where it obeys in silence. What it does not know it echoes."""
        if command == b"Q1\r":
            return self._status()
        if command == b"T\r":
            if self._since is None:
                self._test_until = self._device.clock.monotonic() + TEST_S
                self._device.changed()
            return None
        return command

    def _status(self) -> bytes:
        charged, on_battery, testing = self.charged(), self._since is not None, self.testing
        volts = EMPTY_V + (FULL_V - EMPTY_V) * charged
        weak = testing and self._device.faults.on("battery-weak")
        if testing or on_battery:
            volts = WEAK_V if weak else volts - SAG_V
        bits = 0x08 | 0x80 * on_battery | 0x40 * (weak or charged < LOW) | 0x04 * testing
        mains = 0.0 if on_battery else 229.8
        return f"({mains:05.1f} {mains:05.1f} 230.1 012 50.0 {volts:04.1f} 25.0 {bits:08b}\r".encode()


class _Talk:
    """Commands that end with a carriage return."""

    def __init__(self, device: SimDevice, ups: Ups) -> None:
        self._device, self._ups = device, ups
        self._heard: defaultdict[Link, bytes] = defaultdict(bytes)

    async def heard(self, link: Link, data: bytes) -> None:
        *lines, rest = (self._heard[link] + data).split(b"\r")
        self._heard[link] = rest[-32:]
        for line in lines:
            if not hears(self._device):
                continue
            said = self._ups.answer(line + b"\r")
            if said is not None:
                await answer(self._device, link, said)

    def lost(self, link: Link) -> None:
        self._heard.pop(link, None)


def ups_line(device: SimDevice, ups: Ups, address: str) -> Line:
    """The line of one UPS, to be opened, run and closed."""
    line, talk = Line(address), _Talk(device, ups)
    line.heard, line.lost = talk.heard, talk.lost
    line.in_service = lambda: not device.dead
    return line
