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

#: a unit that seems dead is listened to for so long (s) although a call waits: most answer sooner
LEAST_S = 0.1
#: a silence that may be cut short is waited for in steps of this length (s)
STEP_S = 0.02

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
        #: asked when listening begins: whether somebody cannot wait
        self.hurried: Callable[[], bool] = lambda: False
        self._hearing: asyncio.Timeout | None = None
        self._enough_at = 0.0
        #: how much earlier (s) than its profile says the last listening ended
        self._unheard_s = 0.0

    @property
    def open(self) -> bool:
        """True while a link stands."""
        return self._link is not None and self._link.alive

    @property
    def listens(self) -> bool:
        """True while an answer is waited for."""
        return self._hearing is not None

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
                while (rest := self._free_at - self.now) > 0:
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
        timing, on_air_s = profile.timing, self._on_air_s(sent, profile)
        self._dirty = True
        try:
            async with asyncio.timeout(timing.response_timeout_ms / 1000 + on_air_s) as self._hearing:
                self._enough_at = asyncio.get_running_loop().time() + LEAST_S + on_air_s
                self._unheard_s = 0.0
                if self.hurried():
                    self.hurry()
                while True:
                    answer = read(bytes(self._heard))
                    if answer is not None:
                        self._dirty = False
                        # an answer proves that the whole question has left the wire
                        self._free_at = self.now + self._gap_s(profile)
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
        finally:
            self._hearing = None

    def hurry(self) -> None:
        """Who is listened to now gets no more than `LEAST_S`."""
        hearing, now = self._hearing, asyncio.get_running_loop().time()
        ends = hearing.when() if hearing is not None else None
        if hearing is not None and ends is not None and (sooner := max(now, self._enough_at)) < ends:
            self._unheard_s += ends - sooner
            hearing.reschedule(sooner)

    async def settle(self, profile: Profile) -> bool:
        """After a turn: when an answer is still owed, make sure it can never be taken for the next one.

        True when the wire must be quiet until then: see `quiet`.
        """
        if not self._dirty:
            return False
        self._dirty = False
        if self.address.shared_wire:
            self._keep_quiet(self._unheard_s + profile.timing.quarantine_ms / 1000)
            return True
        await self.close()
        return False

    async def quiet(self, profile: Profile, enough: Callable[[], bool]) -> float:
        """Wait until the wire may be spoken on, or it is `enough`.

        The second then ends the silence; returns until when (s) an answer might still have come, else 0.
        """
        until = self._free_at
        await self.wait_until(until, enough)
        if self.now >= until:
            return 0.0
        self._free_at = self.now + self._gap_s(profile)
        return until

    async def wait_until(self, moment: float, enough: Callable[[], bool]) -> None:
        """Wait for that moment (s), or until it is `enough`."""
        while (rest := moment - self.now) > 0 and not enough():
            await self.pause(min(rest, STEP_S))

    @property
    def now(self) -> float:
        """The time (s) by which silences are measured."""
        return self._clock.monotonic()

    def _keep_quiet(self, seconds: float) -> None:
        self._free_at = max(self._free_at, self.now + seconds)

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
