"""One device of a satellite box: what it is told goes over the hall's broker, what it says comes back.

Pictures carry their time and are repeated before it is over: a box that no longer hears of the hall
goes dark by itself. A job is for one life of the box, so that it is never done twice.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Never, Self

from pydantic import Field

from device_drivers.bus import BusPool
from device_drivers.bus.mqtt import Heard
from device_drivers.health import Probe
from device_drivers.options import Options, read_options
from device_drivers.satellite.far import FarDeviceState
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, Picture, SendText
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid, WireError
from hall_core.wire.envelope import Message, encode
from hall_core.wire.local import Do, LocalLeaf, Show, local_topic

__all__ = ["DeviceDriver", "SatelliteOptions"]

#: a job that was not answered is told again so often
AGAIN_S = 2.0


class SatelliteOptions(Options):
    """What a profile of this family may say; the keys are explained in `satellite.printer.yaml`."""

    picture_ttl_s: float = Field(default=30, ge=1, le=3600)
    job_ttl_s: float = Field(default=20, ge=1, le=3600)


class DeviceDriver:
    """One device of a far box. Outcomes are the far driver's; UNREACHABLE: the box has it, its device not.

    UNCONFIRMED when a box that is there does not answer: then the probe says so.

    A job whose answer was lost with the box is UNCONFIRMED: nobody knows, and nobody does it again.
    """

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        self._name, self._clock = setup.name, clock
        self._options = read_options(SatelliteOptions, setup, profile)
        self._session, node = buses.session(setup, profile)
        self._box, _, far = node.partition("/")
        self._far = far or setup.name
        try:
            self._topics = {leaf: local_topic(self._box, leaf, self._far) for leaf in _TOLD}
            self._filters = [
                local_topic(self._box, LocalLeaf.BOX),
                *(local_topic(self._box, leaf, self._far) for leaf in _SAID),
            ]
        except WireError as error:
            raise SettingsInvalid(
                f"设备「{setup.name}」地址末尾应为 /从盒/设备，只用小写字母、数字和短横线"
                " (end the address with /box/device)"
            ) from error
        self._patience_s = profile.timing.response_timeout_ms / 1000
        self._returns_s = profile.tcp.connect_timeout_ms / 1000 if profile.tcp else 3.0
        self._boot = secrets.token_hex(8)
        self._state = FarDeviceState(clock, setup.name)
        self._entered_boot: str | None = None
        self._lost_link = False
        self._shows: dict[str, Show] = {}
        self._said_at = 0.0
        self._number = 0
        #: the box was told something and did not say what came of it
        self._unanswered = False
        self._changed = asyncio.Event()
        self._standing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._session.until_linked(self._returns_s)
            await stack.enter_async_context(self._session.listening(self._filters, self._hear, self._lost))
            # waiting here and not outside lets it be repainted at the moment it returns
            if not await self._until(lambda: self._state.boot is not None, self._returns_s):
                raise DeviceUnreachable(f"从盒「{self._box}」离线，请检查电源和网络 (the box is away)")
            if self._far not in self._state.devices:
                raise DeviceUnreachable(
                    f"从盒「{self._box}」没有设备「{self._far}」，请核对从盒文件 (the box has no such device)"
                )
            self._entered_boot = self._state.boot
            await self._until(self._health_is_of_this_life, self._patience_s)
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """The latest picture of its kind counts. Raises DeviceUnreachable, DeviceRefused."""
        self._number += 1
        number, ttl_s = self._number, self._options.picture_ttl_s
        show = Show(boot=self._boot, n=number, ttl_s=ttl_s, picture=picture)
        self._shows[picture.kind] = show
        for _ in range(2):
            self._here()
            await self._tell(LocalLeaf.SHOW, show, ttl_s)

            def answered() -> bool:
                shown = self._state.shown
                return shown is not None and (shown.of, shown.n) == (self._boot, number)

            if await self._until(lambda: answered() or self._why_gone() is not None, self._patience_s):
                self._here()
                assert self._state.shown is not None
                self._unanswered = False
                return self._came(self._state.shown.outcome, self._state.shown.detail)
        self._unanswered = True
        return Outcome.UNCONFIRMED

    async def do(self, job: Job) -> Outcome:
        """Raises DeviceUnreachable when it certainly did not happen, DeviceRefused."""
        if isinstance(job, SendText):
            raise DeviceRefused(f"「{self._name}」手机号码不经本地网络转发 (no phone numbers over this wire)")
        self._here()
        health = self._state.health
        if health is not None and health.state is DeviceState.OFFLINE:
            raise DeviceUnreachable(f"「{self._name}」{health.detail}")
        assert self._entered_boot is not None
        order = Do(boot=self._boot, to=self._entered_boot, ttl_s=self._options.job_ttl_s, job=job)
        ends_at = self._clock.monotonic() + self._options.job_ttl_s + AGAIN_S
        sent = self._clock.monotonic()
        while self._why_gone() is None and self._clock.monotonic() < ends_at:
            try:
                # all repeats are as old as the first: the job's time is not made longer by them
                await self._tell(LocalLeaf.DO, order, self._options.job_ttl_s, sent=sent)
            except DeviceUnreachable:
                break  # it may have got through
            if await self._until(lambda: job.job_id in self._state.done, AGAIN_S, or_gone=True):
                break
            self._unanswered = self._clock.monotonic() - sent > self._patience_s
        done = self._state.done.pop(job.job_id, None)
        self._unanswered = done is None
        return Outcome.UNCONFIRMED if done is None else self._came(done.outcome, done.detail)

    async def probe(self) -> Probe:
        """What the box says of its device. Raises DeviceUnreachable when the box is away, or a new one."""
        self._here()
        if self._clock.monotonic() - self._said_at > self._options.picture_ttl_s / 3:
            for show in [*self._shows.values()]:
                await self._tell(LocalLeaf.SHOW, show, self._options.picture_ttl_s)
        health = self._state.health
        if health is None or health.boot != self._entered_boot:
            return Probe(DeviceState.UNKNOWN, f"从盒「{self._box}」尚未报告 (not told yet)")
        if self._unanswered and health.state is DeviceState.ONLINE and not self._answered_late():
            words = f"从盒「{self._box}」在线但不回答，请检查从盒 (the box is there and does not answer)"
            return Probe(DeviceState.DEGRADED, words)
        return Probe(health.state, health.detail)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Keys, ratings, cards as they come; what is too old is left out. Ends with DeviceUnreachable."""
        while True:
            await self._until(lambda: bool(self._state.events), None, or_gone=True)
            if not self._state.events:
                self._gone()
            until, event = self._state.events.popleft()
            if self._clock.monotonic() <= until:
                yield event

    def _answered_late(self) -> bool:
        """It has said by now that the last picture stands there."""
        shown = self._state.shown
        if shown is not None and (shown.of, shown.n) == (self._boot, self._number):
            self._unanswered = False
        return not self._unanswered

    def _came(self, outcome: Outcome, detail: str) -> Outcome:
        if outcome is Outcome.REJECTED:
            raise DeviceRefused(f"「{self._name}」{detail}")
        return outcome

    async def _tell(
        self, leaf: LocalLeaf, message: Show | Do, ttl_s: float, *, sent: float | None = None
    ) -> None:
        now = self._clock.monotonic()
        stamped: Message = message.model_copy(update={"sent": now if sent is None else sent})
        await self._session.publish(
            self._topics[leaf], encode(stamped), within_s=self._patience_s, expiry_s=ttl_s
        )
        if leaf is LocalLeaf.SHOW:
            self._said_at = now

    def _health_is_of_this_life(self) -> bool:
        return self._state.health is not None and self._state.health.boot == self._entered_boot

    def _why_gone(self) -> str | None:
        if self._lost_link:
            return "与消息服务的连接断开 (the broker was lost)"
        if self._state.boot is None:
            return "从盒离线 (the box went away)"
        if self._state.boot != self._entered_boot:
            return "从盒重新启动，需要重画 (the box started anew)"
        return "从盒无心跳 (no beats of the box)" if self._state.silent else None

    def _here(self) -> None:
        if self._why_gone() is not None:
            self._gone()

    def _gone(self) -> Never:
        raise DeviceUnreachable(f"「{self._name}」从盒「{self._box}」：{self._why_gone()}")

    def _hear(self, heard: Heard) -> None:
        self._state.hear(heard)
        self._changed.set()

    def _lost(self) -> None:
        self._lost_link = True
        self._changed.set()

    async def _until(
        self, truth: Callable[[], bool], seconds: float | None, *, or_gone: bool = False
    ) -> bool:
        """Wait for something heard; False when it did not come in time."""
        try:
            async with asyncio.timeout(seconds):
                while not truth() and not (or_gone and self._why_gone() is not None):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


_TOLD = (LocalLeaf.SHOW, LocalLeaf.DO)
_SAID = (LocalLeaf.HEALTH, LocalLeaf.SHOWN, LocalLeaf.DONE, LocalLeaf.HAPPENED)
