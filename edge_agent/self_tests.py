"""Tests the hall's terminals every day at their time, and keeps the protocols: what was tested and found.

A protocol is one line of JSON in the agent's data folder, kept for 60 days. A failed test stands in the
device's state until one passes: the driver remembers it, and a box that starts anew runs it again.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from device_drivers.bus import Neighbour
from edge_agent.devices import Devices
from edge_agent.hall import Hall
from edge_agent.keeper import DeviceKeeper
from hall_core.devices.vocabulary import Capability, DeviceState, Finding, Job, Outcome, SelfTest
from hall_core.errors import DeviceAway, DeviceCannot, DeviceSaidNo, UnknownDevice

__all__ = ["KEPT", "Protocol", "SelfTests", "do_now", "neighbour_of"]

logger = logging.getLogger(__name__)

#: how long protocols are kept
KEPT = timedelta(days=60)
#: how often the clock is looked at (s)
CLOCK_S = 15.0
#: a job that has not begun by then (s) is not done any more; one that has not ended by then is unconfirmed
BEGIN_S, END_S = 10.0, 120.0
BY_CLOCK = "schedule"


class Protocol(BaseModel):
    """One self-test. `by` is `schedule` or the name of who asked for it."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    device: str
    by: str
    outcome: str
    passed: bool
    findings: tuple[Finding, ...] = ()


async def do_now(keeper: DeviceKeeper, job: Job, devices: Devices) -> Outcome:
    """Have a device do a job at once. Raises DeviceAway when it certainly did not, DeviceSaidNo."""
    name = keeper.setup.name
    if _away(keeper):
        raise DeviceAway(device=name, why=keeper.detail)
    keeper.jobs.put(job, BEGIN_S)
    try:
        async with asyncio.timeout(END_S):
            while (outcome := keeper.jobs.outcome(job.job_id)) in (None, "pending"):
                if _away(keeper):
                    keeper.jobs.withdraw(job.job_id)
                await devices.bell.wait_past(devices.bell.count)
    except TimeoutError:
        keeper.jobs.withdraw(job.job_id)
        return Outcome.UNCONFIRMED
    match outcome:
        case Outcome.EXPIRED:
            raise DeviceAway(device=name, why=keeper.detail)
        case Outcome.REJECTED:
            raise DeviceSaidNo(device=name, why=keeper.detail)
    return Outcome(str(outcome))


def neighbour_of(devices: Devices) -> Callable[[str], Neighbour | None]:
    """How a device made of several looks its parts up."""

    def look(name: str) -> Neighbour | None:
        keeper = devices.keeper(name)
        return Neighbour(name, keeper.state, keeper.detail) if keeper else None

    return look


class SelfTests:
    """The self-tests of all devices that have one. `run` keeps their times."""

    def __init__(self, hall: Hall, devices: Devices, folder: Path, new_id: Callable[[], str]) -> None:
        self.devices, self.new_id = devices, new_id
        self._hall, self._folder = hall, folder
        self._keepers = {k.setup.name: k for k in devices.keepers if k.can(Capability.SELF_TEST)}
        #: tests that were failed when this program began: the driver does not know of them
        self._again = {name for name in self._keepers if (last := self.last(name)) and not last.passed}
        self._busy: dict[str, asyncio.Lock] = {name: asyncio.Lock() for name in self._keepers}

    async def run(self) -> None:
        """Test each terminal when its time has come; for ever."""
        while True:
            for name in self._keepers:
                if self.due(name):
                    protocol = await self._test(name, BY_CLOCK)
                    log = logger.info if protocol.passed else logger.warning
                    log("self-test device=%s passed=%s outcome=%s", name, protocol.passed, protocol.outcome)
            await asyncio.sleep(CLOCK_S)

    def due(self, name: str) -> bool:
        """True when today's test is not done, or the one before the restart of this box was failed."""
        keeper, now = self._keepers[name], self._hall.now()
        if keeper.state is DeviceState.UNKNOWN:
            return False  # this program has only just begun
        if name in self._again:
            return not _away(keeper)
        at = {**keeper.profile.options, **keeper.setup.options}.get("self_test_at")
        if not isinstance(at, str) or f"{now:%H:%M}" < at:
            return False
        today = [p for p in self.protocols(name) if p.by == BY_CLOCK and self._day(p) == now.date()]
        # one that was away at its time is tested when it is back
        return not today or (today[0].outcome == Outcome.UNREACHABLE and not _away(keeper))

    async def test(self, name: str, by: str) -> Protocol:
        """Test it now. Raises UnknownDevice, DeviceCannot, DeviceAway, DeviceSaidNo."""
        keeper = self._asked(name)
        if _away(keeper):
            raise DeviceAway(device=name, why=keeper.detail)
        if self._busy[name].locked():
            raise DeviceSaidNo(device=name, why="正在自检，请稍候 (a self-test is running)")
        return await self._test(name, by)

    def protocols(self, name: str) -> list[Protocol]:
        """What was kept of a device's tests, newest first. Raises UnknownDevice, DeviceCannot."""
        self._asked(name)
        return [Protocol.model_validate(row) for row in reversed(_rows(self._file(name)))]

    def last(self, name: str) -> Protocol | None:
        """The newest protocol."""
        return next(iter(self.protocols(name)), None)

    async def _test(self, name: str, by: str) -> Protocol:
        keeper, job = self._keepers[name], SelfTest(job_id=self.new_id())
        async with self._busy[name]:
            self._again.discard(name)
            findings: tuple[Finding, ...] = ()
            try:
                outcome = await do_now(keeper, job, self.devices)
                findings = await self._findings(keeper, job) if outcome is Outcome.APPLIED else ()
            except DeviceAway as error:
                outcome = Outcome.UNREACHABLE
                findings = (Finding(what="terminal", passed=False, detail=error.sentence("zh")),)
            except DeviceSaidNo as error:
                outcome = Outcome.REJECTED
                findings = (Finding(what="terminal", passed=False, detail=error.sentence("zh")),)
            protocol = Protocol(
                at=self._hall.now(),
                device=name,
                by=by,
                outcome=outcome.value,
                passed=bool(findings) and all(f.passed for f in findings),
                findings=findings,
            )
            await asyncio.to_thread(_keep, self._file(name), protocol, self._hall.now() - KEPT)
        return protocol

    async def _findings(self, keeper: DeviceKeeper, job: Job) -> tuple[Finding, ...]:
        """What it found comes as an event of its own, right behind the end of the job."""
        try:
            async with asyncio.timeout(BEGIN_S):
                while keeper.tested is None or keeper.tested.job_id != job.job_id:
                    await self.devices.bell.wait_past(self.devices.bell.count)
        except TimeoutError:
            return ()
        return keeper.tested.findings

    def _asked(self, name: str) -> DeviceKeeper:
        if self.devices.keeper(name) is None:
            raise UnknownDevice(device=name[:40], known=", ".join(self._keepers))
        if name not in self._keepers:
            raise DeviceCannot(device=name)
        return self._keepers[name]

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def _day(self, protocol: Protocol) -> date:
        return protocol.at.astimezone(self._hall.now().tzinfo).date()


def _away(keeper: DeviceKeeper) -> bool:
    return keeper.state in (DeviceState.OFFLINE, DeviceState.UNKNOWN)


def _rows(path: Path) -> list[dict[str, Any]]:
    """The lines that are whole; a power cut may have torn the last one."""
    rows = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            logger.warning("self-test protocol torn file=%s", path.name)
    return rows


def _keep(path: Path, protocol: Protocol, oldest: datetime) -> None:
    """Write the file anew: the old ones that are young enough, and this one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    young = [row for row in _rows(path) if datetime.fromisoformat(row["at"]) >= oldest]
    rows = [*young, json.loads(protocol.model_dump_json())]
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
