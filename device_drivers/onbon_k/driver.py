"""Shows pictures on an Onbon font card as one dynamic area."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Literal, Self

from pydantic import Field

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.onbon_k import codec
from device_drivers.options import Options, Shows, read_options, say
from device_drivers.pictures import of_a_counter
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    CounterMode,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Job,
    Outcome,
    Picture,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid

__all__ = ["DeviceDriver", "OnbonOptions"]

#: any card answers to this screen number; to 0xFFFF none does
ANY_CARD = 0xFFFE
#: where the status answer counts the dynamic areas (vendor's sample)
DYNAMIC_AREAS = 17


class Area(Options):
    """The dynamic area on the panel, in pixels. `measure` is what the card counts x and width in."""

    id: int = Field(default=0, ge=0, le=0xFE)
    x: int = Field(default=0, ge=0, le=0x7FFF)
    y: int = Field(default=0, ge=0, le=0x7FFF)
    width: int = Field(gt=0, le=0x7FFF)
    height: int = Field(gt=0, le=0x7FFF)
    measure: Literal["pixels", "octets"]


class Style(Options):
    """How a mode looks. `stay` in half seconds."""

    colour: codec.Colour | None = None
    effect: codec.Effect = "still"
    speed: int = Field(default=0, ge=0, le=24)
    stay: int = Field(default=10, ge=0, le=255)


class OnbonOptions(Options):
    """What a profile of this family may say; the keys are explained in `onbon.bx-6k1.yaml`."""

    device_type: int = Field(default=0xFE, ge=0, le=0xFF)
    area: Area
    align: int = Field(default=0, ge=0, le=0x0F)
    #: pixels of one narrow character; a text wider than the area runs to the left
    character_px: int = Field(default=8, gt=0)
    styles: dict[CounterMode, Style] = Field(default_factory=dict)
    shows: Shows
    busy_wait_ms: int = Field(default=300, ge=0)
    busy_retries: int = Field(default=3, ge=0, le=10)


class _Busy(DeviceRefused):
    """The card asks to be left alone for a moment."""


class DeviceDriver:
    """One card. Outcomes: ACCEPTED, the card acknowledges but cannot be read back."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # the card forgets nothing by itself
        if setup.unit > ANY_CARD:
            raise SettingsInvalid(
                f"设备「{setup.name}」的 unit 不能是 65535：广播没有应答 (0xFFFF never answers)"
            )
        self._name, self._unit = setup.name, setup.unit
        self._options = read_options(OnbonOptions, setup, profile)
        self._most = profile.limits.max_text_bytes
        self._port = buses.port(setup, profile)
        self._standing = AsyncExitStack()
        self._shown: bytes | None = None
        self._shown_over = 0

    async def __aenter__(self) -> Self:
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
        """Replace the area's text. Raises DeviceUnreachable, DeviceRefused."""
        picture = of_a_counter(picture, self._name, "条屏")
        self._shown = self._frame(picture)
        return await self._paint(Urgency.CALL if picture.mode is CounterMode.CALLED else Urgency.CLEAR)

    async def do(self, job: Job) -> Outcome:
        """A strip does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是条屏，不能执行 {job.kind} (a strip cannot do this)")

    async def probe(self) -> Probe:
        """Ping; a card that lost its text, as it does with its power, gets it again."""
        try:
            await self._ask(codec.ping(self._unit, self._options.device_type), Urgency.POLL)
            if not await self._lost():
                return Probe(DeviceState.ONLINE)
            await self._paint(Urgency.CLEAR)
        except DeviceRefused as error:
            return Probe(DeviceState.DEGRADED, str(error))
        return Probe(DeviceState.ONLINE, "内容曾丢失，已重新显示 (repainted)")

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Strips have no keys; ends with DeviceUnreachable when the link is lost."""
        await self._port.until_lost()
        yield

    def _frame(self, picture: CounterPicture) -> bytes:
        options = self._options
        words = say(options.shows, picture)
        if not words:
            return codec.clear(self._unit, options.device_type)
        style = options.styles.get(picture.mode, Style())
        data = codec.encode_text(words, style.colour, self._most)
        narrow = len(codec.encode_text(words, None, self._most))
        wide = narrow * options.character_px > options.area.width
        area = codec.TextArea(
            **options.area.model_dump(exclude={"id"}),
            area=options.area.id,
            data=data,
            align=options.align,
            effect="left" if wide and style.effect == "still" else style.effect,
            speed=style.speed,
            stay=style.stay,
        )
        return codec.text(self._unit, options.device_type, area)

    async def _paint(self, urgency: Urgency) -> Outcome:
        assert self._shown is not None
        frame = self._shown

        async def write(turn: Turn) -> Outcome:
            await self._answered(turn, frame)
            self._shown_over = self._port.links
            return Outcome.ACCEPTED

        for left in reversed(range(self._options.busy_retries + 1)):
            try:
                return await self._port.show(urgency, write)
            except _Busy as error:
                await self._rest(left, error)
        raise AssertionError

    async def _lost(self) -> bool:
        """True when the card surely shows no more what it was told."""
        if self._shown is None or self._shown == codec.clear(self._unit, self._options.device_type):
            return False
        if self._shown_over != self._port.links:
            return True
        try:
            known = await self._ask(codec.status(self._unit, self._options.device_type), Urgency.POLL)
        except DeviceRefused:
            return False  # older cards have no status
        on = len(known.payload) > DYNAMIC_AREAS and known.payload[0] in (1, 2)
        return on and known.payload[DYNAMIC_AREAS] == 0

    async def _ask(self, frame: bytes, urgency: Urgency) -> codec.Received:
        for left in reversed(range(self._options.busy_retries + 1)):
            try:
                return await self._port.run(urgency, lambda turn: self._answered(turn, frame))
            except _Busy as error:
                await self._rest(left, error)
        raise AssertionError

    async def _rest(self, left: int, error: _Busy) -> None:
        """Leave a busy card alone, without holding the wire. Raises DeviceUnreachable after the last try."""
        if not left:
            raise DeviceUnreachable(str(error)) from error
        await self._port.pause(self._options.busy_wait_ms / 1000)

    async def _answered(self, turn: Turn, frame: bytes) -> codec.Received:
        received = await turn.ask(frame, self._mine)
        if received.nack and received.error == codec.CHECKSUM:
            raise NoAnswer("控制卡收到的数据有误，请检查接线 (the card heard a wrong checksum)")
        if received.nack:
            sentence = f"「{self._name}」{codec.error_sentence(received.error)}"
            raise (_Busy if received.error == codec.BUSY else DeviceRefused)(sentence)
        return received

    def _mine(self, data: bytes) -> codec.Received | None:
        """The first answer of this card; on TCP there is only one card, whatever number it gives itself."""
        anybody = self._unit == ANY_CARD or not self._port.shared_wire
        return next((a for a in codec.answers(data) if anybody or a.source == self._unit), None)
