"""Makes pagers shake through an HTTP gateway. It says that it sent a page, never that a pager shook."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Never, Self

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency, parse_address
from device_drivers.health import Probe
from device_drivers.options import read_options
from device_drivers.pager_http.request import GatewayOptions, Reply, get, page
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, PageUser, Picture
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["DeviceDriver"]

#: so many jobs are remembered, not to be paged again
JOBS_KEPT = 1000


class DeviceDriver:
    """One gateway. Outcomes: UNCONFIRMED, always."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a page carries no time
        self._name = setup.name
        self._options = read_options(GatewayOptions, setup, profile)
        self._most = profile.limits.max_text_bytes
        address = parse_address(setup.address, profile)
        self._host = f"{address.host}:{address.port}"
        self._port = buses.port(setup, profile)
        self._closed = asyncio.Event()
        self._paged: OrderedDict[str, None] = OrderedDict()
        self._standing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._port.standing(on_lost=self._closed.set))
            await self.probe()
            self._standing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._standing.aclose()

    async def show(self, picture: Picture) -> Outcome:
        """Pagers show what a page says, no pictures. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是寻呼网关，不能显示 {picture.kind} (a pager shows no picture)")

    async def do(self, job: Job) -> Outcome:
        """Page once. Raises DeviceUnreachable when nothing was sent, DeviceRefused when it says no."""
        if not isinstance(job, PageUser):
            raise DeviceRefused(f"「{self._name}」是寻呼网关，不能执行 {job.kind} (pages only)")
        options = self._options
        if not options.lowest <= job.pager <= options.highest:
            numbers = f"{options.lowest}–{options.highest}"
            raise DeviceRefused(
                f"「{self._name}」没有 {job.pager} 号寻呼机，号码为 {numbers} (no such pager)"
            )
        request = get(page(options, job.pager, job.text, self._most), self._host)

        async def once(turn: Turn) -> Outcome:
            if job.job_id in self._paged:
                return Outcome.UNCONFIRMED
            reply = Reply()
            try:
                status = await self._exchange(turn, request, reply)
            except NoAnswer:
                if not reply.asked:
                    raise
                status = 200  # it may have been sent: never twice
            self._check(status)
            self._remember(job.job_id)
            return Outcome.UNCONFIRMED

        return await self._port.run(Urgency.CALL, once)

    async def probe(self) -> Probe:
        """The gateway's page answers. Raises DeviceUnreachable."""

        async def ask(turn: Turn) -> int:
            return await self._exchange(turn, get(self._options.probe_path, self._host), Reply())

        status = await self._port.run(Urgency.POLL, ask)
        if status != 200:
            return Probe(DeviceState.DEGRADED, f"寻呼网关应答 {status}，请检查型号档案 (unexpected answer)")
        return Probe(DeviceState.ONLINE, "网关在线，寻呼只发不回 (pages are never confirmed)")

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Pagers have no keys, and no link stands between two requests: nothing ever comes."""
        await _for_ever()
        yield

    async def _exchange(self, turn: Turn, request: bytes, reply: Reply) -> int:
        self._closed.clear()
        status = await turn.ask(request, reply.read)
        try:
            async with asyncio.timeout(self._options.closing_ms / 1000):
                await self._closed.wait()  # or the next request would go into a closing link
        except TimeoutError:
            await turn.hang_up()
        return status

    def _check(self, status: int) -> None:
        if status >= 500:
            raise DeviceUnreachable(f"「{self._name}」寻呼网关故障 {status}，请重启网关 (gateway error)")
        if status != 200:
            raise DeviceRefused(f"「{self._name}」寻呼网关不接受 {status}，请检查型号档案 (page refused)")

    def _remember(self, job_id: str) -> None:
        self._paged[job_id] = None
        while len(self._paged) > JOBS_KEPT:
            self._paged.popitem(last=False)


async def _for_ever() -> Never:
    while True:
        await asyncio.Event().wait()
