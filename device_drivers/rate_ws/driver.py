"""Listens for one counter's evaluator tablet, asks for a rating after each visit, takes each rating once.

The tablet dials the hall, so the driver stands on no bus: its address is where it listens.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field

from device_drivers.bus import BusPool, parse_address
from device_drivers.health import Probe
from device_drivers.options import Options, read_options
from device_drivers.pictures import of_a_counter
from device_drivers.rate_ws import messages
from device_drivers.rate_ws.tablet import Tablet
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    DeviceEvent,
    DeviceState,
    Evaluated,
    Job,
    Outcome,
    Picture,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["DeviceDriver", "RateOptions"]

#: so many ratings are remembered, not to be taken twice
QUESTS_KEPT = 500
_ZONE = ZoneInfo("Asia/Shanghai")


class RateOptions(Options):
    """What a profile of this family may say; the keys are explained in `rate.ws-tablet.yaml`."""

    scores: dict[str, int] = Field(min_length=2)
    staff: dict[str, str] = Field(default_factory=lambda: {"1": "窗口"})
    heard_for_s: float = Field(default=660, gt=0)


class DeviceDriver:
    """One tablet. ACCEPTED when it took the request to rate, UNCONFIRMED when it did not answer."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        self._tap = buses.tap  # a tablet dials: the buses have no more to do here
        self._name, self._clock = setup.name, clock
        self._options = read_options(RateOptions, setup, profile)
        self._address = parse_address(setup.address, profile)
        self._patience_s = profile.timing.response_timeout_ms / 1000
        self._window = setup.counter or str(setup.unit)
        self._window_name = f"{self._window}号窗口"
        self._server: asyncio.Server | None = None
        self._tablets: set[Tablet] = set()
        self._heard_at = clock.monotonic()
        #: rate id -> taken
        self._quests: OrderedDict[str, bool] = OrderedDict()
        self._asking: str | None = None
        self._asked_at = 0.0
        self._answered = asyncio.Event()
        self._refusal = ""
        self._rated: asyncio.Queue[DeviceEvent] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        host, port = self._address.host, self._address.port
        try:
            self._server = await loop.create_server(
                lambda: Tablet(self._tablets, self._hear, self._tap), host, port
            )
        except OSError as error:
            raise DeviceUnreachable(
                f"「{self._name}」{host}:{port} 无法监听，端口可能被占用 (cannot listen: {error})"
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            for tablet in [*self._tablets]:
                tablet.hang_up()
            await self._server.wait_closed()

    async def show(self, picture: Picture) -> Outcome:
        """A tablet shows nothing of a counter; when a visit has ended it asks for a rating.

        Raises DeviceRefused when the tablet says no.
        """
        picture = of_a_counter(picture, self._name, "评价器")
        self._window_name = picture.name
        if picture.ended is None:
            self._asking = None  # the citizen has left, or has rated
            return Outcome.ACCEPTED
        day = self._clock.now().astimezone(_ZONE)
        rate_id = f"{day:%Y%m%d}-{picture.counter}-{picture.ended}"
        if rate_id == self._asking or self._quests.setdefault(rate_id, False):
            return Outcome.ACCEPTED
        while len(self._quests) > QUESTS_KEPT:
            self._quests.popitem(last=False)
        self._asking = rate_id
        return await self._ask()

    async def do(self, job: Job) -> Outcome:
        """A tablet does no jobs. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是评价器，不能执行 {job.kind} (an evaluator cannot do this)")

    async def probe(self) -> Probe:
        """Who is logged in. A request to rate that was never answered is sent again."""
        if not self._tablets:
            return Probe(DeviceState.OFFLINE, "评价器未连接，请检查平板和网络 (not connected)")
        silent_s = self._clock.monotonic() - self._heard_at
        if silent_s > self._options.heard_for_s:
            for tablet in [*self._tablets]:
                tablet.hang_up()
            return Probe(DeviceState.OFFLINE, f"评价器 {int(silent_s) // 60} 分钟无心跳 (no heartbeat)")
        if self._tablet is None:
            return Probe(DeviceState.DEGRADED, "评价器已连接但未登录，请在平板上登录 (not logged in)")
        if self._asking is not None and not self._answered.is_set():
            self._tablet.say(messages.rate_quest(self._asking))
            if self._clock.monotonic() - self._asked_at > self._patience_s:
                words = "评价器没有确认评价请求，请检查平板 (it does not confirm that it asks)"
                return Probe(DeviceState.DEGRADED, words)
        return Probe(DeviceState.ONLINE)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Ratings as they come. A tablet that hangs up dials again: this never ends by itself."""
        while True:
            yield await self._rated.get()

    @property
    def _tablet(self) -> Tablet | None:
        return next((tablet for tablet in self._tablets if tablet.logged_in), None)

    async def _ask(self) -> Outcome:
        self._answered.clear()
        tablet, rate_id = self._tablet, self._asking
        if tablet is None or rate_id is None:
            return Outcome.UNCONFIRMED  # asked when it logs in
        tablet.say(messages.rate_quest(rate_id))
        self._asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._answered.wait()
        except TimeoutError:
            return Outcome.UNCONFIRMED
        if self._refusal:
            raise DeviceRefused(
                f"「{self._name}」评价器不接受评价请求，返回码 {self._refusal} (quest refused)"
            )
        return Outcome.ACCEPTED

    def _hear(self, tablet: Tablet, text: str) -> None:
        self._heard_at = self._clock.monotonic()
        message = messages.read_message(text)
        if isinstance(message, messages.Reply):
            self._refusal = "" if message.code == messages.OK else message.code
            self._answered.set()
        elif message is not None:
            tablet.say(self._reply(tablet, message))
            if message.method == "login" and tablet.logged_in and self._asking is not None:
                tablet.say(messages.rate_quest(self._asking))

    def _reply(self, tablet: Tablet, request: messages.Request) -> str:
        staff = self._options.staff
        match request.method:
            case "getwindowlist":
                found = messages.windows(self._window, self._window_name, staff.items())
                return messages.reply(messages.OK, found)
            case "heartbeat":
                return messages.reply(messages.OK, "成功!")
            case "login":
                user = request.param.get("usernumber", "")
                if request.param.get("windownumber") != self._window or user not in staff:
                    return messages.reply(messages.WRONG_WINDOW, "窗口或用户信息不正确!")
                for other in self._tablets:
                    other.logged_in = other is tablet  # one counter, one tablet: the newest
                return messages.reply(messages.OK, "登录成功!")
            case "ratesubmit" if not tablet.logged_in:
                return messages.reply(messages.NOT_LOGGED_IN, "当前用户尚未登录")
            case "ratesubmit":
                return self._take(request.param.get("rateid", ""), request.param.get("content", ""))
        return messages.reply(messages.UNKNOWN, "未知指令")

    def _take(self, rate_id: str, content: str) -> str:
        """A rating counts once, however often the tablet repeats it."""
        score, taken = self._options.scores.get(content), self._quests.get(rate_id)
        if taken is None:
            return messages.reply(messages.NOT_TAKEN, "评价流水号无效!")
        if score is None:
            return messages.reply(messages.NOT_TAKEN, "评价内容无法识别!")
        if not taken:
            self._quests[rate_id] = True
            self._rated.put_nowait(Evaluated(score=score))
        if self._asking == rate_id:
            self._asking = None
        return messages.reply(messages.OK, "提交成功!")
