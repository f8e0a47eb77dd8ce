"""One bus: many devices, one wire, one task that gives them turns."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from device_drivers.bus.turns import Turns, Urgency, Waiting
from device_drivers.bus.wire import NoAnswer, Wire
from hall_core.devices.profile import Profile
from hall_core.errors import DeviceUnreachable

__all__ = ["Bus", "Listener", "Superseded", "Turn"]

T = TypeVar("T")


class Superseded(Exception):
    """A newer picture of the same device took this one's place."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """Who hears the wire: every byte, and its loss. Both are called at once and must not wait."""

    on_bytes: Callable[[bytes], None]
    on_lost: Callable[[], None]


class Turn:
    """The wire is yours: nobody else speaks until you give it back."""

    def __init__(self, wire: Wire, profile: Profile) -> None:
        self.ended = asyncio.Event()
        self._wire, self._profile = wire, profile

    async def ask(self, frame: bytes, read: Callable[[bytes], T | None]) -> T:
        """Send, and wait for the answer as `read` finds it in the bytes so far. Raises NoAnswer."""
        await self.tell(frame)
        return await self._wire.hear(read, self._profile, len(frame))

    async def tell(self, frame: bytes) -> None:
        """Send; nothing comes back. Raises NoAnswer when it certainly was not sent."""
        assert not self.ended.is_set(), "the turn is over"
        await self._wire.send(frame, self._profile)

    async def hang_up(self) -> None:
        """End the link: the next frame goes over a new one."""
        assert not self.ended.is_set(), "the turn is over"
        await self._wire.close()


@dataclass(slots=True)
class _Order:
    """What waits: somebody for a turn, or a frame that needs no answer."""

    profile: Profile
    turn: asyncio.Future[Turn] | None = None
    frame: bytes = b""

    def refuse(self, error: Exception) -> None:
        if self.turn is not None and not self.turn.done():
            self.turn.set_exception(error)


class Bus:
    """Gives turns. A unit silent too often in a row gives way to all others until it answers.

    A call waits neither for such a unit's answer nor out the silence behind it. That silence guards against
    late answers, and a unit that made no sound while it was kept has none on its way.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.listeners: list[Listener] = []
        self._members = 0
        self._silences: dict[int, int] = {}
        self._dead_after: dict[int, int] = {}
        #: units that spoke when their time was over
        self._late: set[int] = set()
        #: units whose silence was cut short, and until when (s) their answer might be taken for the next one
        self._doubtful: dict[int, float] = {}
        #: whose answer is waited for, or might still come
        self._asked: int | None = None
        self._turns: Turns[_Order] = Turns(self.seems_dead)
        self._work = asyncio.Event()
        self._idle = False
        self._lent: tuple[int, Turn, Profile] | None = None
        wire.on_bytes, wire.on_lost, wire.hurried = self._heard, self._lost, self._hurried

    def join(self, unit: int, dead_after: int) -> None:
        """One device more stands on this bus; it seems dead after so many silences."""
        self._members += 1
        self._dead_after[unit] = dead_after

    async def leave(self) -> None:
        """One device less; the last one takes the link with it."""
        self._members -= 1
        if self._members == 0:
            await self.wire.close()

    def answered(self, unit: int) -> None:
        """The unit lives."""
        self._silences.pop(unit, None)
        self._late.discard(unit)

    def silent(self, unit: int) -> None:
        """The unit did not answer."""
        self._silences[unit] = self._silences.get(unit, 0) + 1

    def seems_dead(self, unit: int) -> bool:
        """True while the unit has been silent too often."""
        return self._silences.get(unit, 0) >= self._dead_after.get(unit, 1)

    async def turn(
        self, unit: int, profile: Profile, urgency: Urgency, picture_of: object, patience_s: float
    ) -> Turn:
        """Wait for a turn; whoever gets it must set `ended`.

        Raises Superseded, and DeviceUnreachable when the link cannot be opened or no turn comes in time.
        """
        if urgency is Urgency.CALL and self._idle and not self._turns.any and self.wire.open:
            # Nobody wants the wire: a call need not wait for the task that gives turns to be woken.
            self._idle = False
            turn = Turn(self.wire, profile)
            self._lent = (unit, turn, profile)
            self._work.set()
            return turn
        granted: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        waiting = Waiting(unit, urgency, _Order(profile, granted), picture_of)
        old = self._turns.join(waiting)
        if old is not None:
            old.order.refuse(Superseded())
        self._work.set()
        self._hurry()
        try:
            async with asyncio.timeout(patience_s):
                return await granted
        except TimeoutError as error:
            self._abandon(waiting)
            raise DeviceUnreachable(f"{self.wire.address} 线路繁忙，请稍候 (the bus is busy)") from error
        except asyncio.CancelledError:
            self._abandon(waiting)
            raise

    def post(self, unit: int, profile: Profile, frame: bytes) -> None:
        """Send this frame soon, ahead of all others; lost without a link."""
        self._turns.join(Waiting(unit, Urgency.ECHO, _Order(profile, frame=frame)))
        self._work.set()
        self._hurry()

    async def serve(self) -> None:
        """Give turns, one after the other, for ever."""
        while True:
            if self._lent is not None:
                (unit, turn, profile), self._lent = self._lent, None
                await self._until_over(unit, turn, profile)
                continue
            waiting = self._turns.take()
            if waiting is None:
                self._work.clear()
                self._idle = True
                await self._work.wait()
                self._idle = False
            elif waiting.order.turn is None:
                await self._send(waiting.order)
            elif (until := self._doubtful.pop(waiting.unit, 0.0)) > self.wire.now:
                await self._put_off(waiting, until)
            else:
                await self._grant(waiting.unit, waiting.order, waiting.order.turn)

    async def _send(self, order: _Order) -> None:
        try:
            await self.wire.send(order.frame, order.profile)
        except NoAnswer:
            return  # the device repeats itself until it is heard

    async def _grant(self, unit: int, order: _Order, granted: "asyncio.Future[Turn]") -> None:
        if granted.done():
            return
        try:
            await self.wire.connect(order.profile)
        except DeviceUnreachable as error:
            order.refuse(error)
            for other in self._turns.clear():  # they all wanted this link
                other.order.refuse(error)
            return
        if granted.done():
            return
        turn = Turn(self.wire, order.profile)
        granted.set_result(turn)
        await self._until_over(unit, turn, order.profile)

    async def _until_over(self, unit: int, turn: Turn, profile: Profile) -> None:
        """Until nobody speaks, and nothing can come that would be taken for another's answer."""
        self._asked = unit
        await turn.ended.wait()
        if await self.wire.settle(profile):
            # who is next is chosen when the wire is free again: somebody more urgent may have come meanwhile
            self._doubtful[unit] = await self.wire.quiet(profile, self._hurried)
        self._asked = None

    async def _put_off(self, waiting: Waiting[_Order], until: float) -> None:
        """Its last answer may still come: keep the silence that was cut short, as far as others allow."""
        self._doubtful[waiting.unit] = until
        self._turns.back(waiting)
        await self.wire.wait_until(until, lambda: self._turns.living)

    def _hurried(self) -> bool:
        """True when a call waits for a unit that seems dead."""
        asked = self._asked
        if asked is None or asked in self._late or not self.seems_dead(asked):
            return False
        return self._turns.pressing

    def _hurry(self) -> None:
        if self._hurried():
            self.wire.hurry()

    def _abandon(self, waiting: Waiting[_Order]) -> None:
        self._turns.leave(waiting)
        granted = waiting.order.turn
        # it may have been granted in the very moment the wait ended
        if granted is not None and granted.done() and not granted.cancelled() and not granted.exception():
            granted.result().ended.set()

    def _heard(self, data: bytes) -> None:
        if self._asked is not None and not self.wire.listens:
            self._late.add(self._asked)
        for listener in tuple(self.listeners):
            listener.on_bytes(data)

    def _lost(self) -> None:
        for listener in tuple(self.listeners):
            listener.on_lost()
