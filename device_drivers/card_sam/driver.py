"""Watches an ID card reader and tells of each card once: digest and mask, nothing else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency
from device_drivers.card_sam import codec
from device_drivers.card_sam.identity import card_read
from device_drivers.card_sam.pepper import CardOptions, pepper_of
from device_drivers.health import Probe
from device_drivers.options import read_options
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import CardRead, DeviceEvent, DeviceState, Job, Outcome, Picture
from hall_core.errors import BadFrame, DeviceRefused

__all__ = ["DeviceDriver"]


class DeviceDriver:
    """One reader. It looks for cards only while somebody takes its events."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a card has no time
        self._name = setup.name
        self._options = read_options(CardOptions, setup, profile)
        self._port = buses.port(setup, profile)
        self._pepper = b""
        self._lying: CardRead | None = None
        self._standing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect. Raises DeviceUnreachable, and SettingsInvalid without a pepper."""
        self._pepper = pepper_of(self._options, self._name)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._port.standing())
            await self.probe()
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """A reader shows nothing. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是读卡器，不能显示 {picture.kind} (a reader shows nothing)")

    async def do(self, job: Job) -> Outcome:
        """A reader does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是读卡器，不能执行 {job.kind} (a reader cannot do this)")

    async def probe(self) -> Probe:
        """How the security module is. Raises DeviceUnreachable when it does not answer."""
        answer = await self._port.run(Urgency.POLL, lambda turn: _ask(turn, codec.STATUS))
        if answer.state != codec.DONE:
            return Probe(DeviceState.DEGRADED, codec.error_sentence(answer.state))
        return Probe(DeviceState.ONLINE)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Cards as they are laid down. Raises DeviceUnreachable when the reader falls silent."""
        while True:
            card = await self._port.run(Urgency.POLL, self._look)
            if card is not None:
                yield card
            await self._port.pause(self._options.poll_ms / 1000)

    async def _look(self, turn: Turn) -> CardRead | None:
        """A card that was not there before; one that cannot be read is looked for again."""
        if (await _ask(turn, codec.FIND)).state != codec.FOUND:
            self._lying = None
            return None
        if (await _ask(turn, codec.SELECT)).state != codec.DONE:
            return None
        card = await self._read(turn)
        # most readers do not find a card again before it was lifted; some do
        if card is None or card == self._lying:
            return None
        self._lying = card
        return card

    async def _read(self, turn: Turn) -> CardRead | None:
        pepper = self._pepper

        def read(data: bytes) -> tuple[CardRead | None] | None:
            answer = codec.answer_to(codec.READ, data)
            if answer is None:
                return None
            try:
                return (card_read(answer.data, pepper) if answer.state == codec.DONE else None,)
            except BadFrame:
                return (None,)  # a card of another kind

        try:
            (card,) = await turn.ask(codec.READ.frame, read)
        finally:
            # with the next sending the wire forgets what it heard: text and photo of the card
            with suppress(NoAnswer):
                await turn.tell(codec.STATUS.frame)
        return card


async def _ask(turn: Turn, question: codec.Question) -> codec.Answer:
    return await turn.ask(question.frame, lambda data: codec.answer_to(question, data))
