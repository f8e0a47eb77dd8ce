"""Makes pagers shake: writes one POCSAG transmission per page to a transmitter that puts it on the air.

Paging is fire-and-forget: nobody can know whether a pager shook.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from device_drivers.bus import BusPool, Turn, Urgency
from device_drivers.health import Probe
from device_drivers.options import Options, read_options
from device_drivers.pager_pocsag import codec
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, PageUser, Picture
from hall_core.errors import DeviceRefused

__all__ = ["DeviceDriver", "PocsagOptions", "transmission"]

#: so many jobs are remembered, not to be paged again
JOBS_KEPT = 1000


def _hex(text: str) -> str:
    bytes.fromhex(text)
    return text


Hex = Annotated[str, AfterValidator(_hex)]


class PocsagOptions(Options):
    """What a profile of this family may say; the keys are explained in `pager.pocsag-serial.yaml`."""

    baud: Literal[512, 1200, 2400] = 1200
    message: Literal["alpha", "numeric", "beep"] = "alpha"
    function: int = Field(default=3, ge=0, le=3)
    first_address: int = Field(default=0, ge=0, le=codec.HIGHEST_ADDRESS)
    address_step: int = Field(default=1, ge=1, le=8192)
    preamble_bits: int = Field(default=576, ge=576, le=4608, multiple_of=8)
    bits: Literal["highest-first", "lowest-first"] = "highest-first"
    inverted: bool = False
    head: Hex = ""
    tail: Hex = ""


class DeviceDriver:
    """One transmitter. Outcomes: UNCONFIRMED, always."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        del clock  # a page carries no time
        self._name = setup.name
        self._options = read_options(PocsagOptions, setup, profile)
        self._most = profile.limits.max_text_bytes
        self._port = buses.port(setup, profile)
        self._paged: OrderedDict[str, None] = OrderedDict()
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
        """Pagers show what a page says, no pictures. Raises DeviceRefused."""
        raise DeviceRefused(
            f"「{self._name}」是寻呼发射机，不能显示 {picture.kind} (a pager shows no picture)"
        )

    async def do(self, job: Job) -> Outcome:
        """Page once. Raises DeviceUnreachable when nothing was sent, DeviceRefused for no such pager."""
        if not isinstance(job, PageUser):
            raise DeviceRefused(f"「{self._name}」是寻呼发射机，不能执行 {job.kind} (pages only)")
        options = self._options
        address = options.first_address + job.pager * options.address_step
        idle = codec.address_word(min(address, codec.HIGHEST_ADDRESS), options.function) == codec.IDLE
        if address > codec.HIGHEST_ADDRESS or idle:
            raise DeviceRefused(f"「{self._name}」没有 {job.pager} 号寻呼机，请核对号码 (no such pager)")
        data = transmission(options, address, job.text, self._most)
        on_air_s = len(data) * 8 / options.baud

        async def page(turn: Turn) -> Outcome:
            if job.job_id not in self._paged:
                await turn.tell(data)
                self._remember(job.job_id)
                # the transmitter hears nothing while it sends; whoever is next on the line waits
                await self._port.pause(on_air_s)
            return Outcome.UNCONFIRMED

        return await self._port.run(Urgency.CALL, page)

    async def probe(self) -> Probe:
        """Passive: the line opens, more cannot be known. Raises DeviceUnreachable when it does not."""
        await self._port.run(Urgency.POLL, _just_open)
        return Probe(DeviceState.UNCONFIRMED, "寻呼只发不回，无法确认 (paging is never confirmed)")

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """Pagers have no keys; ends with DeviceUnreachable when the line is lost."""
        await self._port.until_lost()
        yield

    def _remember(self, job_id: str) -> None:
        self._paged[job_id] = None
        while len(self._paged) > JOBS_KEPT:
            self._paged.popitem(last=False)


def transmission(options: PocsagOptions, address: int, text: str, most: int) -> bytes:
    """Everything the transmitter gets for one page."""
    words = codec.ascii_text(text, most)
    message = {"alpha": codec.alpha_words, "numeric": codec.numeric_words, "beep": _nothing}[options.message](
        words
    )
    sent = codec.batches(address, codec.address_word(address, options.function), message)
    lowest_first = options.bits == "lowest-first"
    data = codec.packed(sent, options.preamble_bits, lowest_first=lowest_first, inverted=options.inverted)
    return bytes.fromhex(options.head) + data + bytes.fromhex(options.tail)


def _nothing(_words: str) -> list[int]:
    return []


async def _just_open(turn: Turn) -> None:
    """The bus opens the line for a turn; nothing is said."""
    del turn
