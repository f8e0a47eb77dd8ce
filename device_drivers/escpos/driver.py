"""Prints tickets, each once, and watches paper and cover."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency
from device_drivers.escpos.slip import EscposOptions, slip
from device_drivers.escpos.status import ask_status, read_status, trouble, warning
from device_drivers.health import Probe
from device_drivers.options import read_options
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, Picture, PrintTicket
from hall_core.errors import DeviceRefused

__all__ = ["DeviceDriver"]

#: so many jobs are remembered, not to be printed again
JOBS_KEPT = 1000


class DeviceDriver:
    """One printer. ACCEPTED when it took the slip and is well, UNCONFIRMED when it then fell silent."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a slip carries the time of its ticket
        self._name, self._encoding = setup.name, profile.encoding
        self._options = read_options(EscposOptions, setup, profile)
        self._port = buses.port(setup, profile)
        self._printed: OrderedDict[str, Outcome] = OrderedDict()
        self._standing = AsyncExitStack()

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
        """A printer shows nothing. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是打印机，不能显示 {picture.kind} (a printer shows nothing)")

    async def do(self, job: Job) -> Outcome:
        """Print once. Raises DeviceUnreachable and DeviceRefused, both only when nothing was printed."""
        if not isinstance(job, PrintTicket):
            raise DeviceRefused(f"「{self._name}」是打印机，不能执行 {job.kind} (prints tickets only)")
        if job.job_id in self._printed:
            return self._printed[job.job_id]

        async def once(turn: Turn) -> Outcome:
            if job.job_id in self._printed:  # asked for twice at the same time
                return self._printed[job.job_id]
            if why := trouble(await self._states(turn)):
                raise DeviceRefused(f"「{self._name}」{why}")
            await turn.tell(slip(job, self._options, self._encoding))
            self._remember(job, Outcome.UNCONFIRMED)
            try:
                states = await self._states(turn)
            except NoAnswer:
                return Outcome.UNCONFIRMED
            well = bool(states) and not trouble(states)
            return self._remember(job, Outcome.ACCEPTED if well else Outcome.UNCONFIRMED)

        return await self._port.run(Urgency.CALL, once, retries=0)

    async def probe(self) -> Probe:
        """Paper, cover, cutter. Raises DeviceUnreachable when silent, as many are with the cover open."""
        states = await self._port.run(Urgency.POLL, self._states)
        needs = trouble(states) or warning(states)
        return Probe(DeviceState.DEGRADED if needs else DeviceState.ONLINE, needs)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Printers have no keys; ends with DeviceUnreachable when the link is lost."""
        await self._port.until_lost()
        yield

    async def _states(self, turn: Turn) -> dict[int, int]:
        return {n: await turn.ask(ask_status(n), read_status) for n in self._options.status}

    def _remember(self, job: Job, outcome: Outcome) -> Outcome:
        self._printed[job.job_id] = outcome
        while len(self._printed) > JOBS_KEPT:
            self._printed.popitem(last=False)
        return outcome
