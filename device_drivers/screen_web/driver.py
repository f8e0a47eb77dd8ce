"""Hears what a browser says of the hall's page it shows, and has it loaded anew when it is old.

The page gets its content from the hall by itself; here is only known what the screen really shows. The driver
stands on no bus: it meets its page among the named screens of the pool.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from device_drivers.bus import Beat, BusPool, NamedScreen, parse_address
from device_drivers.health import Probe
from device_drivers.options import read_options
from device_drivers.screen_web.judging import ScreenOptions, labels_of, shows, trouble
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    BoardPicture,
    DeviceEvent,
    DeviceState,
    Job,
    Outcome,
    Picture,
    Restart,
    ScreenPicture,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid

__all__ = ["DeviceDriver"]

#: a page that was told to load anew says so within two beats
RESTART_WITHIN_S = 12.0


class DeviceDriver:
    """One named screen. APPLIED when the screen itself says that it shows the picture."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        self._name, self._counter, self._clock = setup.name, setup.counter, clock
        self._options = read_options(ScreenOptions, setup, profile)
        address = parse_address(setup.address, profile)
        if address.scheme != "web":
            raise SettingsInvalid(
                f"设备「{setup.name}」是网页屏幕，地址请写 web://屏幕名称 (write web://NAME for a browser)"
            )
        self._address, self._screens = address.path, buses.screens
        self._patience_s = profile.timing.response_timeout_ms / 1000
        self._place: NamedScreen | None = None
        self._entered_at = 0.0
        self._wanted: tuple[str, ...] | None = None
        self._wrong_since: float | None = None
        self._standing = ExitStack()

    async def __aenter__(self) -> Self:
        self._place = self._standing.enter_context(self._screens.standing(self._address))
        self._entered_at = self._clock.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._standing.close()

    async def show(self, picture: Picture) -> Outcome:
        """Wait until the screen says that it shows the picture. UNREACHABLE without a heartbeat.

        A board shows the labels of the picture; any other page knows all the hall knew when it was asked.
        Raises DeviceRefused for a picture that pages do not show.
        """
        if isinstance(picture, ScreenPicture):
            raise DeviceRefused(f"「{self._name}」是网页屏幕，不能开关 (a browser cannot be switched)")
        rows = self._options.rows
        if isinstance(picture, BoardPicture):
            labels = labels_of(picture, rows)
            if labels != self._wanted:
                self._wanted, self._wrong_since = labels, None
            applied = lambda beat: shows(beat, labels, rows)  # noqa: E731
        else:
            newest = self._screens.newest_n()
            applied = lambda beat: beat.seen_n >= newest  # noqa: E731
        if self._silent():
            return Outcome.UNREACHABLE
        said = await self._screen.says(applied, self._patience_s)
        if said:
            return Outcome.APPLIED
        return Outcome.UNREACHABLE if self._silent() else Outcome.UNCONFIRMED

    async def do(self, job: Job) -> Outcome:
        """Restart: load the page anew as soon as nobody uses it. Raises DeviceRefused, DeviceUnreachable."""
        if not isinstance(job, Restart):
            raise DeviceRefused(f"「{self._name}」是网页屏幕，不能执行 {job.kind} (a browser cannot do this)")
        last = self._screen.last
        if last is None or self._silent():
            raise DeviceUnreachable(f"「{self._name}」{self._missing()}")
        self._screen.ask_reload()
        anew = await self._screen.says(lambda beat: beat.at_boot > last.at_boot, RESTART_WITHIN_S)
        return Outcome.APPLIED if anew else Outcome.UNCONFIRMED

    async def probe(self) -> Probe:
        """How old its heartbeat is, and what is wrong with what it shows."""
        beat = self._screen.last
        waited_s = self._clock.monotonic() - self._entered_at
        if beat is None and waited_s <= self._options.heard_for_s:
            return Probe(DeviceState.UNKNOWN, "等待屏幕的第一次心跳 (waiting for its first heartbeat)")
        if beat is None or self._silent():
            return Probe(DeviceState.OFFLINE, self._missing())
        wrong = trouble(self._screen, beat, self._options, self._counter) or self._outdated(beat)
        if wrong:
            return Probe(DeviceState.DEGRADED, wrong)
        waits = "页面有新版本，空闲时自动更新 (reloads when idle)"
        return Probe(DeviceState.ONLINE, waits if self._screen.old else "")

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Ratings come over the page's own interface; this never ends by itself."""
        nothing: asyncio.Queue[DeviceEvent] = asyncio.Queue()
        while True:
            yield await nothing.get()

    @property
    def _screen(self) -> NamedScreen:
        assert self._place is not None, "enter the driver first"
        return self._place

    def _silent(self) -> bool:
        return self._screen.age_s > self._options.heard_for_s

    def _missing(self) -> str:
        path = self._options.path.replace("{counter}", self._counter or "")
        if self._screen.last is None:
            return f"尚未收到心跳，请在该屏打开 {path}?screen={self._address} (never heard of)"
        return (
            f"没有心跳，请检查该机电源、网络和浏览器，页面地址 {path}?screen={self._address} (no heartbeat)"
        )

    def _outdated(self, beat: Beat) -> str:
        """A board that shows other calls than the hall's for longer than news can be under way."""
        wanted, now = self._wanted, self._clock.monotonic()
        if wanted is None or shows(beat, wanted, self._options.rows):
            self._wrong_since = None
            return ""
        if self._wrong_since is None:
            self._wrong_since = now
        if now - self._wrong_since < self._options.stale_s:
            return ""
        said, should = beat.showing[0] if beat.showing else "无号码", wanted[0] if wanted else "无号码"
        return f"仍显示 {said}，应为 {should}，请刷新该屏页面 (it shows an outdated call)"
