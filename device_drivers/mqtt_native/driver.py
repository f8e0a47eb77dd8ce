"""Shows what a device that announces itself should show, and knows only what it says of itself.

Commands are never retained: a device that returns shows nothing old, it is repainted. A retained
announcement proves nothing: a device is there when its availability says so.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Never, Self

from pydantic import Field

from device_drivers.bus import BusPool
from device_drivers.bus.mqtt import Heard
from device_drivers.health import Probe
from device_drivers.mqtt_native.announcement import Announcement, Component, config_topics, read_announcement
from device_drivers.mqtt_native.availability import Availability
from device_drivers.mqtt_native.command import Command, Lamp, confirms, lamp_command, text_command
from device_drivers.options import Options, Shows, read_options, say
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
    PageUser,
    Picture,
)
from hall_core.errors import BadFrame, DeviceRefused, DeviceUnreachable

__all__ = ["DeviceDriver", "NativeOptions"]

#: so many pages are remembered, not to be sent again
JOBS_KEPT = 500


class NativeOptions(Options):
    """What a profile of this family may say; the keys are explained in `mqtt.display.yaml`."""

    component: Component
    part: str = ""
    prefix: str = Field(default="homeassistant", pattern=r"^[^+#]+$")
    shows: Shows = Field(default_factory=dict)
    rows: int = Field(default=0, ge=0, le=20)
    lamps: dict[CounterMode, Lamp] = Field(default_factory=dict)
    message: str = "{pager} {text}"
    ttl_s: float = Field(default=10, gt=0)


class DeviceDriver:
    """One component of one device. APPLIED when its state topic says so, ACCEPTED when it has none.

    UNCONFIRMED when it has one and stays silent: then the probe says so, and sends it again.
    """

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a command has no time of its own
        self._name, self._profile = setup.name, profile
        self._options = read_options(NativeOptions, setup, profile)
        self._session, node = buses.session(setup, profile)
        self._configs = config_topics(self._options.prefix, self._options.component, node or setup.name)
        self._patience_s = profile.timing.response_timeout_ms / 1000
        self._returns_s = profile.tcp.connect_timeout_ms / 1000 if profile.tcp else 3.0
        self._announced: Announcement | None = None
        self._announced_at = self._unusable = ""
        self._entered = False
        self._availability = Availability((), "latest")
        self._gone = ""
        self._wanted: Command | None = None
        self._confirmed, self._again = True, False
        #: the last command it was waited for was never confirmed
        self._silent = False
        self._paged: OrderedDict[str, None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._standing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._session.until_linked(self._returns_s)
            await stack.enter_async_context(self._session.listening(self._configs, self._hear, self._lost))
            announced = await self._first_announcement()
            self._availability = Availability(announced.availability, announced.mode)
            topics = {place.topic for place in announced.availability}
            if announced.state_topic:
                topics.add(announced.state_topic)
            if topics:
                await stack.enter_async_context(self._session.listening(sorted(topics), self._hear))
            # waiting here and not outside lets it be repainted at the moment it returns
            if not await self._until(lambda: self._availability.there, self._returns_s):
                raise DeviceUnreachable(f"「{self._name}」自报离线，请检查设备电源和网络 (says it is away)")
            self._gone, self._entered = "", True
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """Send it and wait for the state topic. Raises DeviceUnreachable, DeviceRefused."""
        command = self._command(picture)
        if command is None:
            return Outcome.ACCEPTED
        async with self._turn:
            self._wanted, self._confirmed, self._again = command, False, False
            return await self._send(command)

    async def do(self, job: Job) -> Outcome:
        """Call one pager, once. Nobody can know whether it shook. Raises DeviceUnreachable."""
        if not isinstance(job, PageUser) or self._options.component != "notify":
            raise DeviceRefused(f"「{self._name}」不能执行 {job.kind} (cannot do this job)")
        announced = self._here()
        if job.job_id not in self._paged:
            text = self._options.message.format(pager=job.pager, text=job.text).strip()
            command = text_command(announced, text, self._profile.limits.max_text_bytes)
            await self._tell(announced.command_topic, command.payload)
            self._paged[job.job_id] = None
            while len(self._paged) > JOBS_KEPT:
                self._paged.popitem(last=False)
        return Outcome.UNCONFIRMED

    async def probe(self) -> Probe:
        """What it says of itself. Raises DeviceUnreachable when it is away or was away."""
        announced = self._here()
        if self._wanted is not None and (self._again or not self._confirmed) and not self._turn.locked():
            async with self._turn:
                self._again = False
                await self._send(self._wanted)
        if self._silent and not self._confirmed:
            return Probe(DeviceState.DEGRADED, "没有确认显示内容 (did not confirm what it shows)")
        if not self._availability.told:
            return Probe(DeviceState.UNCONFIRMED, "设备不报告是否在线 (does not tell whether it is there)")
        return Probe(DeviceState.ONLINE, announced.model)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """It has no keys; ends with DeviceUnreachable when it goes away."""
        await self._until_gone()
        yield

    async def _until_gone(self) -> Never:
        await self._until(lambda: bool(self._gone), None)
        raise DeviceUnreachable(f"「{self._name}」{self._gone}")

    def _command(self, picture: Picture) -> Command | None:
        announced, options = self._here(), self._options
        if options.component == "text" and isinstance(picture, CounterPicture | BoardPicture):
            text = self._text(picture)
            return text_command(announced, text, self._profile.limits.max_text_bytes)
        if options.component in ("light", "switch") and isinstance(picture, CounterPicture):
            return lamp_command(announced, options.lamps.get(picture.mode, Lamp(lit=False)))
        raise DeviceRefused(f"「{self._name}」不能显示 {picture.kind} (cannot show this)")

    def _text(self, picture: CounterPicture | BoardPicture) -> str:
        if isinstance(picture, CounterPicture):
            return say(self._options.shows, picture)
        if not self._options.rows:
            raise DeviceRefused(
                f"「{self._name}」只显示一个窗口：请在大厅文件中填写 counter，或在 options.rows 中写行数"
                " (name its counter in the hall file, or set options.rows for a board)"
            )
        rows = [f"{row.label} {row.counter}" for row in picture.rows[: self._options.rows]]
        return "\n".join(rows) or picture.notice

    async def _send(self, command: Command) -> Outcome:
        announced = self._here()
        for _ in range(1 + self._profile.timing.retries):
            await self._tell(announced.command_topic, command.payload)
            if announced.state_topic is None:
                self._confirmed, self._silent = True, False
                return Outcome.ACCEPTED
            if await self._until(lambda: self._confirmed or bool(self._gone), self._patience_s):
                self._here()
                self._silent = False
                return Outcome.APPLIED
        self._silent = True
        return Outcome.UNCONFIRMED

    async def _tell(self, topic: str, payload: bytes) -> None:
        await self._session.publish(topic, payload, within_s=self._patience_s, expiry_s=self._options.ttl_s)

    async def _first_announcement(self) -> Announcement:
        def told() -> bool:
            return self._announced is not None or bool(self._unusable)

        if not await self._until(told, self._patience_s):
            # a device that does not retain its announcement repeats it when its listener is born
            await self._tell(f"{self._options.prefix}/status", b"online")
            await self._until(told, self._patience_s)
        if self._announced is None:
            where = self._configs[1]
            raise DeviceUnreachable(
                f"「{self._name}」{self._unusable or f'没有公告 ({where})：请检查设备和名称 (not announced)'}"
            )
        return self._announced

    def _here(self) -> Announcement:
        """The announcement of a device that is there. Raises DeviceUnreachable."""
        if self._announced is None or self._gone:
            raise DeviceUnreachable(f"「{self._name}」{self._gone or '尚未公告 (not announced)'}")
        return self._announced

    def _hear(self, heard: Heard) -> None:
        if heard.topic.endswith("/config"):
            self._hear_announcement(heard)
        elif heard.topic == (self._announced.state_topic if self._announced else None):
            # a retained state was said before we asked: it proves nothing
            if self._announced and self._wanted and not heard.retained:
                self._confirmed |= confirms(self._announced, self._wanted, heard.payload)
        else:
            was_there = self._availability.there
            said_yes = self._availability.hear(heard.topic, heard.payload)
            # it says so again: it was away for a moment, and shows nothing now
            self._again |= said_yes and was_there and not heard.retained
            if was_there and not self._availability.there:
                self._gone = "自报离线 (says it is away)"
        self._changed.set()

    def _hear_announcement(self, heard: Heard) -> None:
        if self._announced is not None and heard.topic != self._announced_at:
            return  # it announces itself in two forms: the first one heard serves
        try:
            fresh = read_announcement(heard.payload, self._options.component, self._options.part)
            self._unusable = ""
        except BadFrame as error:
            fresh, self._unusable = None, str(error)
        if self._entered and fresh != self._announced:
            self._gone = "公告已改变或撤回 (announced itself differently)"
        self._announced, self._announced_at = fresh, heard.topic

    def _lost(self) -> None:
        self._gone = "与消息服务的连接断开 (the broker was lost)"
        self._changed.set()

    async def _until(self, truth: Callable[[], bool], seconds: float | None) -> bool:
        """Wait for something heard; False when it did not come in time."""
        try:
            async with asyncio.timeout(seconds):
                while not truth():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True
