"""Hears a key-pad's keys, echoes them, and shows ticket and waiting count on its three digits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from pydantic import Field

from device_drivers.bus import BusPool, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.keypad_ff68 import codec
from device_drivers.options import Options, read_options
from device_drivers.pictures import of_a_counter
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    CounterMode,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Evaluated,
    Job,
    KeyOp,
    KeyPressed,
    Outcome,
    Picture,
)
from hall_core.errors import DeviceRefused, SettingsInvalid

__all__ = ["DeviceDriver", "KeypadOptions"]


class KeypadOptions(Options):
    """What a profile of this family may say; the keys are explained in `keypad.ff68-21.yaml`."""

    dedupe_ms: int = Field(default=1000, ge=0)
    keys: dict[int, KeyOp]
    confirm_key: int | None = None
    confirm: dict[str, KeyOp] = Field(default_factory=dict)
    scores: dict[int, int] = Field(default_factory=dict)
    beep_on_call: bool = True
    screen: bool = True
    ask: bool = False
    heard_for_s: float = Field(default=120, gt=0)


class DeviceDriver:
    """One pad. Outcomes: UNCONFIRMED, a pad acknowledges nothing. It is known to live only when it speaks."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        if not 1 <= setup.unit <= 255:
            raise SettingsInvalid(f"设备「{setup.name}」的 unit 应为 1..255 (a pad's address is 1..255)")
        self._name, self._unit, self._clock = setup.name, setup.unit, clock
        self._options = read_options(KeypadOptions, setup, profile)
        self._port = buses.port(setup, profile)
        self._parser = codec.FrameParser()
        self._pressed: asyncio.Queue[DeviceEvent | None] = asyncio.Queue()
        self._heard_at: float | None = None
        self._echoed: dict[codec.Frame, float] = {}
        self._shown: CounterPicture | None = None
        self._standing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                self._port.standing(self._hear, lambda: self._pressed.put_nowait(None))
            )
            await self._port.run(Urgency.POLL, _just_open)
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """Ticket and waiting count; beeps once per call, asks once per visit. Raises DeviceUnreachable."""
        picture = of_a_counter(picture, self._name, "呼叫器")
        before, self._shown = self._shown, picture
        called = picture.mode is CounterMode.CALLED
        new = before is None or (before.label, before.call_no) != (picture.label, picture.call_no)
        frames = [self._digits(picture)] if self._options.screen else []
        if called and new and self._options.beep_on_call:
            frames.append(codec.beep(self._unit))
        if self._options.ask and picture.ended and (before is None or before.ended != picture.ended):
            frames.append(codec.ask(self._unit))
        return await self._tell(frames, Urgency.CALL if called else Urgency.CLEAR)

    async def do(self, job: Job) -> Outcome:
        """A pad does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是呼叫器，不能执行 {job.kind} (a key-pad cannot do this)")

    async def probe(self) -> Probe:
        """Passive: a pad cannot be asked. Its digits are sent again, for it may have been without power."""
        if self._shown is not None and self._options.screen:
            await self._tell([self._digits(self._shown)], Urgency.POLL)
        silent_s = None if self._heard_at is None else self._clock.monotonic() - self._heard_at
        if silent_s is None:
            return Probe(DeviceState.UNCONFIRMED, "尚未收到按键 (not heard yet)")
        if silent_s > self._options.heard_for_s:
            return Probe(DeviceState.UNCONFIRMED, f"{int(silent_s) // 60} 分钟无按键 (silent)")
        return Probe(DeviceState.ONLINE)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Keys as they come. Raises DeviceUnreachable when the line is lost."""
        while (event := await self._pressed.get()) is not None:
            yield event
        await self._port.until_lost()

    async def _tell(self, frames: list[codec.Frame], urgency: Urgency) -> Outcome:
        async def tell(turn: Turn) -> Outcome:
            for frame in frames:
                await turn.tell(codec.encode(frame))
            return Outcome.UNCONFIRMED

        return await self._port.show(urgency, tell)

    def _digits(self, picture: CounterPicture) -> codec.Frame:
        return codec.show(self._unit, picture.label or "000", picture.waiting)

    def _hear(self, data: bytes) -> None:
        for frame in self._parser.feed(data):
            if frame.address == self._unit and frame.function in (codec.KEYS, codec.EVALUATION):
                self._answer(frame)

    def _answer(self, frame: codec.Frame) -> None:
        """Echo at once, always; take the frame as pressed once, however often the pad repeats it."""
        self._port.post(codec.encode(codec.echo(frame)))
        now = self._clock.monotonic()
        self._heard_at = now
        dedupe_s = self._options.dedupe_ms / 1000
        self._echoed = {f: at for f, at in self._echoed.items() if now - at < dedupe_s}
        repeated = frame in self._echoed
        self._echoed[frame] = now
        event = None if repeated else self._event(frame)
        if event is not None:
            self._pressed.put_nowait(event)

    def _event(self, frame: codec.Frame) -> DeviceEvent | None:
        """What the frame means; None for keys this hall gives no meaning."""
        if not frame.data:
            return None
        options, key = self._options, frame.data[-1]
        if frame.function == codec.EVALUATION:
            score = options.scores.get(key)
            return Evaluated(score=score) if score else None
        if any(digit > 9 for digit in frame.data[:-1]):
            return None
        digits = "".join(str(digit) for digit in frame.data[:-1])
        if key == options.confirm_key:
            op = options.confirm.get(digits)
            return KeyPressed(op=op) if op else None
        op = options.keys.get(key)
        return KeyPressed(op=op, digits=digits) if op else None


async def _just_open(turn: Turn) -> None:
    """The bus opens the line for a turn; nothing is said."""
    del turn
