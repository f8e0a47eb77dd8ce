"""Wires in memory: what the host writes goes to a device of the test, what that says is heard by the host."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from device_drivers.bus import Address, BusPool, Link
from hall_core.clock import FixedClock
from hall_core.devices.profile import Profile
from hall_core.errors import DeviceUnreachable

Heard = Callable[["FakeWire", bytes], None]


class _Transport(asyncio.WriteTransport):
    def __init__(self, wire: "FakeWire") -> None:
        super().__init__()
        self._wire = wire

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._wire.written(bytes(data))

    def close(self) -> None:
        self._wire.closed()

    def abort(self) -> None:
        self._wire.closed()


@dataclass
class FakeWire:
    """An opener of links. `device` is called with each frame the host writes, and may `say` something."""

    device: Heard = lambda _wire, _data: None
    clock: FixedClock | None = None
    unreachable: bool = False
    #: (monotonic time, frame) of everything written
    log: list[tuple[float, bytes]] = field(default_factory=list)
    attempts: int = 0
    opened: int = 0
    link: Link | None = None
    #: set with the first frame written
    wrote: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(
        self,
        address: Address,
        profile: Profile,
        hear: Callable[[bytes], None],
        lost: Callable[[Link], None],
    ) -> Link:
        self.attempts += 1
        if self.unreachable:
            raise DeviceUnreachable(f"{address} 连接不上")
        self.opened += 1
        self.link = Link(hear, lost)
        self.link.connection_made(_Transport(self))
        if isinstance(self.device, Script) and self.device.greets:
            asyncio.get_running_loop().call_soon(self.device.speak, self)
        return self.link

    def written(self, data: bytes) -> None:
        self.log.append((self.clock.monotonic() if self.clock else 0.0, data))
        self.wrote.set()
        asyncio.get_running_loop().call_soon(self.device, self, data)

    def say(self, data: bytes) -> None:
        """The device speaks."""
        if self.link is not None:
            self.link.data_received(data)

    def hang_up(self) -> None:
        """The device ends the link."""
        link, self.link = self.link, None
        if link is not None:
            link.connection_lost(None)

    def closed(self) -> None:
        link, self.link = self.link, None
        if link is not None:
            asyncio.get_running_loop().call_soon(link.connection_lost, None)

    @property
    def frames(self) -> list[bytes]:
        """Everything written, in order."""
        return [frame for _, frame in self.log]


@dataclass
class Script:
    """A device that plays a capture: says its next lines when it has heard the line before them."""

    lines: list[tuple[str, bytes]]
    #: say one byte at a time, as slow lines do
    in_pieces: bool = False
    #: says what stands before the host's first line as soon as the host connects
    greets: bool = False
    surprises: list[bytes] = field(default_factory=list)

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        if not self.lines or self.lines[0] != (">", data):
            self.surprises.append(data)
            return
        del self.lines[0]
        self.speak(wire)

    def speak(self, wire: FakeWire) -> None:
        """Say all that stands before the next line of the host."""
        while self.lines and self.lines[0][0] == "<":
            _, words = self.lines.pop(0)
            for piece in [words[i : i + 1] for i in range(len(words))] if self.in_pieces else [words]:
                wire.say(piece)


def pool(clock: FixedClock, wire: FakeWire) -> BusPool:
    """Buses on this wire, whose pauses only move the clock."""

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    return BusPool(clock=clock, opener=wire.open, pause=pause)
