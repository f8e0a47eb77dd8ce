"""The keeper against a driver that can be unplugged, slow, or out of paper."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.reactions import FRESH
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import Assurance, Capability, DeviceState, KeyOp, KeyPressed, Outcome
from hall_core.errors import DeviceRefused, DeviceUnreachable
from hall_core.queueing import commands as c
from tests.edge_agent.conftest import issue


@dataclass
class Health:
    state: DeviceState = DeviceState.ONLINE
    detail: str = ""


@dataclass
class FakeDevice:
    """A driver whose device is in the test's hand."""

    plugged: bool = True
    slow: bool = False
    refuses: bool = False
    deaf: bool = False
    slow_jobs: bool = False
    missed: int = 0
    shown: list = field(default_factory=list)
    outcome: Outcome = Outcome.ACCEPTED
    jobs: list = field(default_factory=list)
    printed: list = field(default_factory=list)
    keys: asyncio.Queue = field(default_factory=asyncio.Queue)
    changed: Bell = field(default_factory=Bell)

    async def __aenter__(self):
        self._check()
        return self

    async def __aexit__(self, *_):
        return None

    def _check(self):
        self.changed.ring()
        if not self.plugged:
            raise DeviceUnreachable("unplugged")

    async def show(self, picture):
        if self.slow:
            await asyncio.Event().wait()
        self._check()
        self.shown.append(picture)
        self.changed.ring()
        return Outcome.ACCEPTED

    async def do(self, job):
        self._check()
        if self.refuses:
            raise DeviceRefused("缺纸")
        if self.deaf:
            self.missed += 1
            raise DeviceUnreachable("no prompt")
        self.jobs.append(job)
        if self.slow_jobs:
            self.changed.ring()
            await asyncio.Event().wait()
        self.printed.append(job.job_id)
        self.changed.ring()
        return self.outcome

    async def probe(self):
        self._check()
        return Health()

    async def events(self):
        while True:
            event = await self.keys.get()
            if isinstance(event, Exception):
                raise event
            yield event

    async def until(self, truth):
        async with asyncio.timeout(5):
            while not truth():
                await self.changed.wait_past(self.changed.count)


def profile(kind, capability, probe_s=0.02):
    return Profile.model_validate(
        {
            "schema": "hall.profile/1",
            "id": f"test.{kind}",
            "family": "test",
            "kind": kind,
            "name": kind,
            "status": "simulated",
            "match": {"vendor": "test", "models": ["test"]},
            "timing": {"probe_s": probe_s},
            "capabilities": {capability: "ack"},
        }
    )


def place(name, counter=None):
    return DeviceSetup(name=name, profile="test.x", address="tcp://127.0.0.1:1", counter=counter)


@asynccontextmanager
async def kept(hall, fakes, setups, new_id):
    devices = Devices(
        hall,
        setups,
        lambda setup, profile: fakes[setup.name],
        new_id=new_id,
        jitter=lambda: 0.0,
        ticket_url=lambda token: f"http://hall.example/t/{token}",
        bell=Bell(),
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(devices.run(), name="devices")
        yield devices
        running.cancel()


async def test_a_call_reaches_its_strip_and_no_other(hall, new_id):
    fakes = {"s1": FakeDevice(), "s2": FakeDevice()}
    setups = [(place(f"s{n}", str(n)), profile("strip", "call-display")) for n in (1, 2)]
    async with kept(hall, fakes, setups, new_id):
        await fakes["s2"].until(lambda: fakes["s2"].shown)
        await hall.handle(c.OpenCounter(counter="1"))
        await hall.handle(issue(1))
        await hall.handle(c.CallNext(counter="1"))
        await fakes["s1"].until(lambda: fakes["s1"].shown and fakes["s1"].shown[-1].label == "A001")
        assert len(fakes["s2"].shown) == 1


async def test_a_slow_device_delays_no_other(hall, new_id):
    fakes = {"slow": FakeDevice(slow=True), "s1": FakeDevice()}
    setups = [(place(name, "1"), profile("strip", "call-display")) for name in fakes]
    async with kept(hall, fakes, setups, new_id):
        await hall.handle(c.OpenCounter(counter="1"))
        await fakes["s1"].until(lambda: fakes["s1"].shown and fakes["s1"].shown[-1].mode == "free")


async def test_a_strip_that_comes_back_shows_the_present_and_never_an_old_call(hall, new_id):
    strip = FakeDevice()
    async with kept(hall, {"s1": strip}, [(place("s1", "1"), profile("strip", "call-display"))], new_id) as d:
        await hall.handle(c.OpenCounter(counter="1"))
        await hall.handle(issue(1))
        await strip.until(lambda: strip.shown and strip.shown[-1].mode == "free")
        strip.plugged = False
        await strip.until(lambda: d.keepers[0].state is DeviceState.OFFLINE)
        await hall.handle(c.CallNext(counter="1"))
        await hall.handle(c.NoShow(counter="1"))
        seen = len(strip.shown)
        strip.plugged = True
        await strip.until(lambda: len(strip.shown) > seen)
        assert [p.label for p in strip.shown[seen:]] == [None]
        assert d.keepers[0].state is DeviceState.ONLINE


async def test_a_slip_is_printed_once_and_only_for_tickets_taken_at_a_kiosk(hall, new_id):
    printer = FakeDevice()
    async with kept(hall, {"p": printer}, [(place("p"), profile("printer", "print-ticket"))], new_id) as d:
        await hall.handle(issue(1))
        await hall.handle(issue(1))
        await hall.handle(issue(2, channel="web"))
        await printer.until(lambda: d.outcome("t1") == "accepted")
        assert printer.printed == ["t1"]


async def test_without_paper_the_slip_is_rejected_and_the_printer_says_why(hall, new_id):
    printer = FakeDevice(refuses=True)
    async with kept(
        hall, {"p": printer}, [(place("p"), profile("printer", "print-ticket", 60))], new_id
    ) as d:
        await hall.handle(issue(1))
        await printer.until(lambda: d.outcome("t1") == "rejected")
        await printer.until(lambda: d.keepers[0].state is DeviceState.DEGRADED)
        assert d.keepers[0].detail == "缺纸"


@pytest.mark.parametrize("presses", [1, 2])
async def test_the_call_key_of_a_pad_calls_the_next_ticket(hall, new_id, presses):
    pad = FakeDevice()
    async with kept(hall, {"k": pad}, [(place("k", "1"), profile("keypad", "keypad"))], new_id):
        for n in (1, 2):
            await hall.handle(issue(n))
        for _ in range(presses):
            pad.keys.put_nowait(KeyPressed(op=KeyOp.NEXT))
        await pad.until(lambda: hall.queue.in_hand("1") and hall.queue.in_hand("1").label == f"A00{presses}")


async def test_a_key_that_is_refused_changes_nothing_and_the_pad_works_on(hall, new_id):
    pad = FakeDevice()
    async with kept(hall, {"k": pad}, [(place("k", "1"), profile("keypad", "keypad"))], new_id):
        before = hall.journal.last
        pad.keys.put_nowait(KeyPressed(op=KeyOp.NO_SHOW))
        pad.keys.put_nowait(KeyPressed(op=KeyOp.NEXT))
        await pad.until(lambda: hall.journal.last > before)
        assert hall.queue.counters["1"].state == "open"


async def test_a_call_that_grew_old_while_a_strip_was_away_is_shown_steady(hall, new_id, clock):
    strip = FakeDevice()
    async with kept(hall, {"s1": strip}, [(place("s1", "1"), profile("strip", "call-display"))], new_id) as d:
        await strip.until(lambda: strip.shown)
        strip.plugged = False
        await strip.until(lambda: d.keepers[0].state is DeviceState.OFFLINE)
        await hall.handle(c.OpenCounter(counter="1"))
        await hall.handle(issue(1))
        await hall.handle(c.CallNext(counter="1"))
        clock.advance(FRESH.total_seconds())
        seen = len(strip.shown)
        strip.plugged = True
        await strip.until(lambda: len(strip.shown) > seen)
        assert [(p.mode, p.label) for p in strip.shown[seen:]] == [("serving", "A001")]


async def test_what_cannot_be_confirmed_is_told_as_unconfirmed_and_what_came_of_it_with_its_time(
    hall, new_id
):
    fakes = {"p": FakeDevice(outcome=Outcome.UNCONFIRMED), "s": FakeDevice()}
    setups = [
        (
            place("p"),
            profile("pager", "page-user").model_copy(
                update={"capabilities": {Capability.PAGE_USER: Assurance.NONE}}
            ),
        ),
        (place("s", "1"), profile("strip", "call-display")),
    ]
    async with kept(hall, fakes, setups, new_id) as devices:
        await fakes["s"].until(lambda: devices.reports()[1].outcome)
        await hall.handle(c.OpenCounter(counter="1"))
        await hall.handle(issue(1, pager=3))
        await hall.handle(c.CallNext(counter="1"))
        await fakes["p"].until(lambda: devices.reports()[0].outcome)
        seen = [(r.name, r.assurance, r.outcome, r.outcome_at) for r in devices.reports()]
        now = hall.now().isoformat()
        assert seen == [("p", "none", "unconfirmed", now), ("s", "ack", "accepted", now)]


async def test_a_job_whose_link_is_lost_half_way_is_unconfirmed_and_not_done_again(hall, new_id):
    printer = FakeDevice(slow_jobs=True)
    several = profile("printer", "print-ticket").model_copy(
        update={"capabilities": {Capability.PRINT_TICKET: Assurance.ACK, Capability.SCAN_CODE: Assurance.ACK}}
    )
    async with kept(hall, {"p": printer}, [(place("p"), several)], new_id) as devices:
        await hall.handle(issue(1))
        await printer.until(lambda: printer.jobs)
        printer.slow_jobs = False
        printer.keys.put_nowait(DeviceUnreachable("cable pulled"))
        await printer.until(lambda: devices.outcome("t1") == "unconfirmed")
        await hall.handle(issue(2))
        await printer.until(lambda: devices.outcome("t2") == "accepted")
        assert printer.printed == ["t2"]
