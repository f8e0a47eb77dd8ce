"""Timing of one wire: silence between frames, drain before sending, quarantine after a time-out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from device_drivers.bus.address import Address
from device_drivers.bus.link import Link, Opener
from hall_core.clock import Clock
from hall_core.devices.profile import Profile
from hall_core.errors import DeviceUnreachable

__all__ = ["NoAnswer", "Pause", "Wire"]

T = TypeVar("T")

#: waits so many seconds; tests bring one that only moves their clock
Pause = Callable[[float], Awaitable[None]]

#: bits of one character on a serial line: start, eight, stop
CHARACTER_BITS = 10


class NoAnswer(DeviceUnreachable):
    """Nothing (usable) came in time; asking again may help."""


class Wire:
    """The link of one address. Opened when first needed, dropped when it fails."""

    def __init__(self, address: Address, opener: Opener, clock: Clock, pause: Pause) -> None:
        self.address = address
        #: how often a link was opened: a device behind a new link may have lost its power
        self.links = 0
        #: gets every byte the moment it comes
        self.on_bytes: Callable[[bytes], None] = lambda _data: None
        #: told when the other side ended the link
        self.on_lost: Callable[[], None] = lambda: None
        #: waits so many seconds
        self.pause = pause
        self._opener, self._clock = opener, clock
        self._link: Link | None = None
        self._free_at = 0.0
        self._heard = bytearray()
        self._news = asyncio.Event()
        self._dirty = False

    @property
    def open(self) -> bool:
        """True while a link stands."""
        return self._link is not None and self._link.alive

    async def connect(self, profile: Profile) -> None:
        """Make sure a link stands. Raises DeviceUnreachable."""
        if self.open:
            return
        await self.close()
        self._link = await self._opener(self.address, profile, self._on_data, self._on_lost)
        self.links += 1
        self._dirty = False

    async def close(self) -> None:
        """End the link, if one stands. What was heard over it is forgotten."""
        link, self._link = self._link, None
        self._heard.clear()
        if link is not None:
            await link.close()

    async def send(self, frame: bytes, profile: Profile) -> None:
        """Wait for the wire to be quiet, forget what was heard, send. Raises DeviceUnreachable."""
        timing = profile.timing
        bound_s = (timing.response_timeout_ms + timing.quarantine_ms + timing.gap_ms) / 1000 + 1
        try:
            async with asyncio.timeout(bound_s):
                while (rest := self._free_at - self._clock.monotonic()) > 0:
                    await self.pause(rest)
        except TimeoutError as error:
            raise NoAnswer(f"{self.address} 线路一直被占用 (the wire is never quiet)") from error
        if self._link is None or not self._link.alive:
            raise NoAnswer(f"{self.address} 连接已断开 (the link is lost)")
        self._heard.clear()
        self._link.write(frame)
        self._keep_quiet(self._gap_s(profile) + self._on_air_s(len(frame), profile))

    async def hear(self, read: Callable[[bytes], T | None], profile: Profile, sent: int) -> T:
        """Bytes since the last sending, until `read` makes an answer of them. Raises NoAnswer.

        The time begins when the last of the `sent` bytes has left.
        """
        timing = profile.timing
        self._dirty = True
        try:
            async with asyncio.timeout(timing.response_timeout_ms / 1000 + self._on_air_s(sent, profile)):
                while True:
                    answer = read(bytes(self._heard))
                    if answer is not None:
                        self._dirty = False
                        # an answer proves that the whole question has left the wire
                        self._free_at = self._clock.monotonic() + self._gap_s(profile)
                        return answer
                    if not self.open:
                        raise NoAnswer(f"{self.address} 连接已断开 (the link was lost)")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            what = "应答无法识别 (unreadable answer)" if self._heard else "没有应答 (no answer)"
            raise NoAnswer(
                f"{self.address} {timing.response_timeout_ms} ms 内{what}，请检查电源和接线"
            ) from error

    async def settle(self, profile: Profile) -> None:
        """After a turn: when an answer is still owed, make sure it can never be taken for the next one."""
        if not self._dirty:
            return
        self._dirty = False
        if self.address.shared_wire:
            self._keep_quiet(profile.timing.quarantine_ms / 1000)
        else:
            await self.close()

    def _keep_quiet(self, seconds: float) -> None:
        self._free_at = max(self._free_at, self._clock.monotonic() + seconds)

    def _gap_s(self, profile: Profile) -> float:
        gap_s = profile.timing.gap_ms / 1000
        if not self.address.shared_wire or profile.serial is None:
            return gap_s
        # Modbus over serial line 1.02, 2.5.1.1: 3.5 characters of 11 bits, 1.75 ms above 19200 baud
        return max(gap_s, 38.5 / profile.serial.baud if profile.serial.baud <= 19200 else 0.00175)

    def _on_air_s(self, count: int, profile: Profile) -> float:
        if not self.address.shared_wire or profile.serial is None:
            return 0.0
        return count * CHARACTER_BITS / profile.serial.baud

    def _on_data(self, data: bytes) -> None:
        self._heard += data
        self._news.set()
        self.on_bytes(data)

    def _on_lost(self, link: Link) -> None:
        if link is self._link:
            self._link = None
            self._news.set()
            self.on_lost()
