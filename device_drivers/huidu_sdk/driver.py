"""Shows the hall's calls on a Huidu full-colour screen, switches it and sets its brightness."""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self, TypeVar

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.huidu_sdk import codec
from device_drivers.huidu_sdk.errors import sentence
from device_drivers.huidu_sdk.program import HuiduOptions, Ids, board_program, counter_program
from device_drivers.options import read_options
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    BoardPicture,
    CounterMode,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Job,
    Outcome,
    Picture,
    ScreenPicture,
)
from hall_core.errors import DeviceRefused

__all__ = ["DeviceDriver"]

T = TypeVar("T")

#: the version the vendor's SDK 2.0 asks for, in hex
SDK_VERSION = "1000005"
#: an update of a program the card has lost
LOST_PROGRAM = {"kNodeNotExist", "kScreenNodeIsNull", "kTagNotFound"}


class DeviceDriver:
    """One card. Outcomes: ACCEPTED, a card acknowledges but what the LEDs show cannot be read."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        self._name, self._clock = setup.name, clock
        self._options = read_options(HuiduOptions, setup, profile)
        self._most = profile.limits.max_text_bytes
        # two places on the bus: how the screen stands must not give way to what it shows
        self._port, self._switch = buses.port(setup, profile), buses.port(setup, profile)
        self._ids = Ids(str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:quiethall:{setup.name}")))
        self._session, self._session_over = codec.NO_SESSION, 0
        self._stored = False
        self._size: Mapping[str, str] = {}
        self._program: codec.Xml | None = None
        self._standing_as: ScreenPicture | None = None
        self._standing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._port.standing())
            await stack.enter_async_context(self._switch.standing())
            await self.probe()
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """Put the calls on the screen, or switch it. Raises DeviceUnreachable, DeviceRefused."""
        if isinstance(picture, ScreenPicture):
            if (picture.input, picture.volume, picture.muted) != (None, None, None):
                raise self._refused("是 LED 大屏，没有输入源和音量，请在大厅文件中去掉 (no inputs, no sound)")
            self._standing_as = picture
            return await self._switch.show(Urgency.CLEAR, self._stand)
        fresh = False
        if isinstance(picture, BoardPicture):
            self._program = board_program(picture, self._options, self._ids, self._most)
            fresh = any(row.fresh for row in picture.rows)
        elif isinstance(picture, CounterPicture):
            self._program = counter_program(picture, self._options, self._ids, self._most)
            fresh = picture.mode is CounterMode.CALLED
        return await self._port.show(Urgency.CALL if fresh else Urgency.CLEAR, self._paint)

    async def do(self, job: Job) -> Outcome:
        """A screen does no jobs. Raises DeviceRefused."""
        raise self._refused(f"是大屏，不能执行 {job.kind} (a screen cannot do this)")

    async def probe(self) -> Probe:
        """Heartbeat. Behind a new link the card may have been without power: it gets everything again."""
        repainted = await self._port.run(Urgency.POLL, self._beat)
        detail = "内容已重新显示 (repainted)" if repainted else ""
        wanted = {"width": str(self._options.width), "height": str(self._options.height)}
        found = {key: self._size.get(key, value) for key, value in wanted.items()}
        if found != wanted:
            told, real = (f"{size['width']}×{size['height']}" for size in (wanted, found))
            return Probe(DeviceState.DEGRADED, f"档案写 {told}，控制卡设为 {real}，请更正 (size differs)")
        return Probe(DeviceState.ONLINE, detail)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Screens have no keys; ends with DeviceUnreachable when the link is lost."""
        await self._port.until_lost()
        yield

    async def _beat(self, turn: Turn) -> bool:
        if self._session_over == self._port.links:
            await turn.ask(codec.heartbeat(), codec.read_heartbeat)
            return False
        await self._greet(turn)
        if self._standing_as is not None:
            await self._stand(turn)
        if self._program is not None:
            await self._paint(turn)
        return self._program is not None

    async def _greet(self, turn: Turn) -> None:
        """Once over each link: transport version, session, and the size the card is set to."""
        if self._session_over == self._port.links:
            return
        self._session, self._stored = codec.NO_SESSION, False
        await self._heard(turn, codec.hello(), codec.read_hello)
        version = codec.element("version", {"value": SDK_VERSION})
        answer = await self._told(turn, "GetIFVersion", version)
        self._session = answer.session or codec.NO_SESSION
        try:
            self._size = (await self._told(turn, "GetDeviceInfo")).first("screen")
        except DeviceRefused:
            self._size = {}  # older firmware keeps it to itself
        self._session_over = self._port.links

    async def _paint(self, turn: Turn) -> Outcome:
        assert self._program is not None
        await self._greet(turn)
        if self._stored:
            answer = await self._asked(turn, "UpdateProgram", self._program)
            if answer.result not in LOST_PROGRAM:
                self._check(answer)
                return Outcome.ACCEPTED
        stamp = {"timeStamps": int(self._clock.now().timestamp())}
        await self._told(turn, "AddProgram", codec.element("screen", stamp, self._program))
        self._stored = True
        return Outcome.ACCEPTED

    async def _stand(self, turn: Turn) -> Outcome:
        assert self._standing_as is not None
        await self._greet(turn)
        if self._standing_as.on and self._standing_as.brightness is not None:
            await self._told(turn, "SetLuminancePloy", _luminance(self._standing_as.brightness))
        await self._told(turn, "OpenScreen" if self._standing_as.on else "CloseScreen")
        return Outcome.ACCEPTED

    async def _told(self, turn: Turn, method: str, inner: codec.Xml = "") -> codec.Answer:
        answer = await self._asked(turn, method, inner)
        self._check(answer)
        return answer

    async def _asked(self, turn: Turn, method: str, inner: codec.Xml = "") -> codec.Answer:
        *parts, last = codec.command(self._session, method, inner, self._options.fragment)
        for part in parts:
            await turn.tell(part)
        return await self._heard(turn, last, lambda data: codec.read_answer(data, method))

    async def _heard(self, turn: Turn, frame: bytes, read: Callable[[bytes], T | None]) -> T:
        try:
            return await turn.ask(frame, read)
        except DeviceRefused as error:
            raise self._refused(str(error)) from error

    def _check(self, answer: codec.Answer) -> None:
        if answer.result == "kInvalidGUID":
            self._session_over = 0  # the card has begun anew: so do we
            raise NoAnswer(sentence(answer.result))
        if answer.result != "kSuccess":
            raise self._refused(sentence(answer.result))

    def _refused(self, words: str) -> DeviceRefused:
        return DeviceRefused(f"「{self._name}」{words}")


def _luminance(percent: int) -> codec.Xml:
    """Fixed brightness: no plan by hours, no sensor. A card knows 1 … 100."""
    return "".join(
        (
            codec.element("mode", {"value": "default"}),
            codec.element("default", {"value": max(1, percent)}),
            codec.element(
                "ploy", None, codec.element("item", {"enable": False, "start": "08:00:00", "percent": 100})
            ),
            codec.element("sensor", {"min": 1, "max": 100, "time": 10}),
        )
    )
