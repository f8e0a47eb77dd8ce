"""Sends short messages through a GSM modem, each once or not at all.

Between the last octet of a message and the network's verdict nobody knows what became of it: such a message
is UNCONFIRMED and is never sent again.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Literal, Self
from zlib import crc32

from pydantic import Field

from device_drivers.bus import BusPool, NoAnswer, Turn, Urgency
from device_drivers.gsm_at import answers
from device_drivers.gsm_at.answers import Reply, line_of, numbers
from device_drivers.gsm_at.pdu import Submit, submits
from device_drivers.gsm_at.verdicts import Verdict, judge, sentence, sim_trouble
from device_drivers.health import Probe
from device_drivers.options import Options, read_options
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, Picture, SendText
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["DeviceDriver", "GsmOptions"]

#: so many jobs are remembered, not to be sent again
JOBS_KEPT = 1000
ESCAPE, END = b"\x1b", b"\x1a"
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
#: +CREG: at home, roaming, and both for messages only
_REGISTERED = {1, 5, 6, 7}
_DENIED = 3
#: +CSQ: not known
_NO_RSSI = 99


class GsmOptions(Options):
    """What a profile of this family may say; the keys are explained in `gsm.at-modem.yaml`."""

    interval_ms: int = Field(default=3000, ge=0)
    send_timeout_ms: int = Field(default=40_000, gt=0)
    validity_minutes: int = Field(default=60, ge=5, le=720)
    max_parts: int = Field(default=3, ge=1, le=255)
    registration: tuple[Literal["CREG", "CGREG", "CEREG"], ...] = Field(default=("CREG",), min_length=1)
    weak_rssi: int = Field(default=8, ge=0, le=31)


class _Verdict:
    """Reads the answer to a message; `begun` once the message has left for the wire."""

    def __init__(self) -> None:
        self.begun = False

    def read(self, data: bytes) -> Reply | None:
        self.begun = True
        return answers.sent(data)


class DeviceDriver:
    """One modem. ACCEPTED when the network took the message, UNCONFIRMED when nobody knows."""

    def __init__(self, setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> None:
        self._name, self._clock = setup.name, clock
        self._options = read_options(GsmOptions, setup, profile)
        self._answer_s = profile.timing.response_timeout_ms / 1000
        # whoever comes while a message is being sent waits for its end
        waits = profile.timing.model_copy(update={"probe_s": self._options.send_timeout_ms / 1000})
        self._port = buses.port(setup, profile.model_copy(update={"timing": waits}))
        patient = waits.model_copy(update={"response_timeout_ms": self._options.send_timeout_ms})
        self._sending = buses.port(setup, profile.model_copy(update={"timing": patient}))
        self._free_at = 0.0
        #: why the network did not take the last message; empty when it took it
        self._refused = ""
        self._sent: OrderedDict[str, Outcome] = OrderedDict()
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
        """A modem shows nothing. Raises DeviceRefused."""
        raise DeviceRefused(f"「{self._name}」是短信模块，不能显示 {picture.kind} (a modem shows nothing)")

    async def do(self, job: Job) -> Outcome:
        """Send once. Raises DeviceUnreachable and DeviceRefused, both only when nothing was sent."""
        if not isinstance(job, SendText):
            raise DeviceRefused(f"「{self._name}」是短信模块，不能执行 {job.kind} (sends texts only)")
        if not _NUMBER.fullmatch(job.to):
            raise DeviceRefused(f"「{self._name}」号码格式不正确，短信未发送 (not a number)")
        reference = crc32(job.job_id.encode()) & 0xFF
        minutes = self._options.validity_minutes
        parts = submits(job.to, job.text, reference=reference, validity_minutes=minutes)
        if len(parts) > self._options.max_parts:
            raise DeviceRefused(f"「{self._name}」短信过长，未发送 (the text is too long)")

        async def once(turn: Turn) -> Outcome:
            if job.job_id not in self._sent:
                await self._send(turn, parts, job.job_id)
            return self._sent[job.job_id]

        return await self._sending.run(Urgency.CALL, once, retries=0)

    async def probe(self) -> Probe:
        """SIM, network, signal. Raises DeviceUnreachable when the modem does not answer."""
        return await self._port.run(Urgency.POLL, self._look)

    async def events(self) -> AsyncIterator[DeviceEvent]:
        """What comes in is not read; ends with DeviceUnreachable when the link is lost."""
        await self._port.until_lost()
        yield

    async def _look(self, turn: Turn) -> Probe:
        # a modem that was left in the middle of a message would take the next command for its text
        await turn.tell(ESCAPE + b"\r")
        for command in ("ATE0", "AT+CMEE=1"):
            await self._ask(turn, command)
        sim = await self._ask(turn, "AT+CPIN?", "+CPIN:")
        said = line_of(sim, "+CPIN:") if sim.error is None else sim.error
        if said != "READY":
            return Probe(DeviceState.DEGRADED, sim_trouble(said))
        if (await self._ask(turn, "AT+CMGF=0")).error is not None:
            return Probe(DeviceState.DEGRADED, "调制解调器不支持 PDU 短信，请更换 (no PDU mode)")
        if trouble := await self._network(turn):
            return Probe(DeviceState.DEGRADED, trouble)
        if self._refused:
            return Probe(DeviceState.DEGRADED, f"上一条短信未发出：{self._refused} (it was refused)")
        return self._signal(await self._ask(turn, "AT+CSQ", "+CSQ:"))

    async def _network(self, turn: Turn) -> str:
        """Why there is no network; empty when there is."""
        states: set[int] = set()
        for name in self._options.registration:
            reply = await self._ask(turn, f"AT+{name}?", f"+{name}:")
            states.update(numbers(line_of(reply, f"+{name}:"))[1:2])
        if states & _REGISTERED:
            return ""
        if _DENIED in states:
            return "移动网络拒绝此卡，请检查是否欠费 (registration denied)"
        return "没有移动网络，请检查天线 (no network)"

    def _signal(self, reply: Reply) -> Probe:
        rssi = next(iter(numbers(line_of(reply, "+CSQ:"))), _NO_RSSI)
        if rssi == _NO_RSSI:
            return Probe(DeviceState.ONLINE)
        dbm = 2 * rssi - 113
        if rssi < self._options.weak_rssi:
            return Probe(DeviceState.DEGRADED, f"信号弱（{dbm} dBm），请移动天线 (weak signal)")
        return Probe(DeviceState.ONLINE, f"信号 {dbm} dBm")

    async def _send(self, turn: Turn, parts: tuple[Submit, ...], job_id: str) -> None:
        """Leaves the outcome in `_sent`. Raises only while the first part has certainly not been sent."""
        for part in parts:
            try:
                outcome = await self._submit(turn, part, job_id)
            except (DeviceUnreachable, DeviceRefused):
                if part is parts[0]:
                    raise
                return  # the half that was sent cannot be taken back: it stays unconfirmed
            if outcome is Outcome.UNCONFIRMED:
                return
        self._sent[job_id] = Outcome.ACCEPTED

    async def _submit(self, turn: Turn, part: Submit, job_id: str) -> Outcome:
        if (rest_s := self._free_at - self._clock.monotonic()) > 0:
            await self._sending.pause(rest_s)
        # in text mode the same command would send the hex digits to a number that is a length
        self._refusal(await self._ask(turn, "AT+CMGF=0"))
        self._refusal(await self._offer(turn, part.length))
        fresh = job_id not in self._sent
        self._remember(job_id, Outcome.UNCONFIRMED)
        verdict = _Verdict()
        try:
            reply = await turn.ask(part.hexed.encode() + END, verdict.read)
        except NoAnswer:
            if verdict.begun:
                return Outcome.UNCONFIRMED
            self._forget(job_id, fresh)
            raise
        finally:
            self._free_at = self._clock.monotonic() + self._options.interval_ms / 1000
        if reply.error is None:
            self._refused = ""
            return Outcome.ACCEPTED
        if judge(reply.error) is Verdict.UNKNOWN:
            return Outcome.UNCONFIRMED
        self._forget(job_id, fresh)
        self._refusal(reply)
        raise AssertionError

    async def _offer(self, turn: Turn, length: int) -> Reply:
        """Ask the modem to wait for a message. Raises NoAnswer when it does not; it is told to forget it."""
        try:
            return await self._bounded(turn, f"AT+CMGS={length}", answers.prompted)
        except NoAnswer:
            await turn.tell(ESCAPE)
            raise

    def _refusal(self, reply: Reply) -> None:
        """Raises what an error of the modem means; nothing was sent."""
        if reply.error is None:
            return
        what = f"「{self._name}」{sentence(reply.error)}"
        self._refused = sentence(reply.error)
        if judge(reply.error) is Verdict.NEVER:
            raise DeviceRefused(what)
        raise DeviceUnreachable(what)

    async def _ask(self, turn: Turn, command: str, wanted: str = "") -> Reply:
        return await self._bounded(turn, command, lambda data: answers.read_final(data, wanted))

    async def _bounded(self, turn: Turn, command: str, read: answers.Reader) -> Reply:
        """A command has the ordinary time to answer, also within a turn that has the time of a message."""
        try:
            async with asyncio.timeout(self._answer_s):
                return await turn.ask(f"{command}\r".encode(), read)
        except TimeoutError as error:
            name = command.partition("=")[0]
            raise NoAnswer(f"{name} 没有应答，请检查电源和接线 (no answer)") from error

    def _remember(self, job_id: str, outcome: Outcome) -> None:
        self._sent[job_id] = outcome
        while len(self._sent) > JOBS_KEPT:
            self._sent.popitem(last=False)

    def _forget(self, job_id: str, fresh: bool) -> None:
        if fresh:
            del self._sent[job_id]
