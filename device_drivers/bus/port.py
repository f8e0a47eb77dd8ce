"""One device's place on its bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Never, TypeVar

from device_drivers.bus.shared import Bus, Listener, Superseded, Turn
from device_drivers.bus.turns import Urgency
from device_drivers.bus.wire import NoAnswer
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import Outcome
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["Port"]

T = TypeVar("T")

#: a conversation on the wire; repeated as a whole when nothing came back
Talk = Callable[[Turn], Awaitable[T]]


class Port:
    """Enter it to stand on the bus. Every call ends within the profile's timing."""

    def __init__(self, bus: Bus, unit: int, name: str, profile: Profile) -> None:
        self.profile = profile
        self._bus, self._unit, self._name = bus, unit, name
        self._gone = asyncio.Event()

    @property
    def shared_wire(self) -> bool:
        """True when several devices may hang on the wire and silence separates their frames."""
        return self._bus.wire.address.shared_wire

    @property
    def links(self) -> int:
        """Rises with each new link: the device may have been without power in between."""
        return self._bus.wire.links

    @asynccontextmanager
    async def standing(
        self,
        on_bytes: Callable[[bytes], None] = lambda _data: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[None]:
        """On the bus from here to the end of the block.

        `on_bytes` hears all that comes over the wire, `on_lost` of its loss; neither may wait.
        """

        def lost() -> None:
            self._gone.set()
            on_lost()

        self._gone.clear()
        listener = Listener(on_bytes, lost)
        self._bus.join(self._unit, self.profile.timing.down_after)
        self._bus.listeners.append(listener)
        try:
            yield
        finally:
            self._bus.listeners.remove(listener)
            await self._bus.leave()

    async def run(
        self, urgency: Urgency, talk: Talk[T], *, picture: bool = False, retries: int | None = None
    ) -> T:
        """Have a conversation when it is this device's turn. Raises DeviceUnreachable, Superseded."""
        timing = self.profile.timing
        left = timing.retries if retries is None else retries
        owner = self if picture else None
        while True:
            patience_s = timing.probe_s * timing.down_after
            turn = await self._bus.turn(self._unit, self.profile, urgency, owner, patience_s)
            try:
                answer = await talk(turn)
            except NoAnswer as error:
                self._bus.silent(self._unit)
                if left <= 0 or self._bus.seems_dead(self._unit):
                    raise DeviceUnreachable(f"「{self._name}」{error}") from error
                left -= 1
            except DeviceRefused:
                self._bus.answered(self._unit)
                raise
            else:
                self._bus.answered(self._unit)
                return answer
            finally:
                turn.ended.set()

    async def show(self, urgency: Urgency, talk: Talk[Outcome]) -> Outcome:
        """`run` for a picture: EXPIRED when a newer picture took its place while it waited."""
        try:
            return await self.run(urgency, talk, picture=True)
        except Superseded:
            return Outcome.EXPIRED

    async def pause(self, seconds: float) -> None:
        """Wait without holding the wire."""
        await self._bus.wire.pause(seconds)

    def post(self, frame: bytes) -> None:
        """Send a frame that a speaking device waits for; returns at once."""
        self._bus.post(self._unit, self.profile, frame)

    async def until_lost(self) -> Never:
        """Wait until the other side ends the link. Raises DeviceUnreachable."""
        await self._gone.wait()
        raise DeviceUnreachable(f"「{self._name}」连接已断开，请检查网络、接线和电源 (the link was lost)")
