"""The disk's state, the reserve, the clock's trust and the journal's size: without a real fault."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge_agent import storage as storage_module
from edge_agent.box_health import BoxHealth
from edge_agent.journal_care import JournalCare
from edge_agent.storage import Storage, StorageState
from hall_core.clock import FixedClock, SteadyTime, SystemClock
from hall_core.devices.vocabulary import DeviceState
from hall_core.errors import JournalBroken, StorageUnavailable
from hall_core.queueing.commands import CallNext, OpenCounter
from tests.edge_agent.conftest import issue, running

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def small_reserve(monkeypatch):
    monkeypatch.setattr(storage_module, "RESERVE", 64 * 1024)
    monkeypatch.setattr(storage_module, "RETRY_S", 0.01)


async def test_the_reserve_is_let_go_once_and_made_again(tmp_path, small_reserve):
    storage = Storage(tmp_path / "box")
    storage.prepare()
    assert storage.reserved
    assert storage.full()
    assert (storage.state, storage.reserved) == (StorageState.FULL, False)
    assert not storage.full(), "there is only one"
    seen = storage.bell.count
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(storage.keep())
        async with asyncio.timeout(5):
            await storage.bell.wait_past(seen)
        keeping.cancel()
    assert (storage.state, storage.reserved) == (StorageState.OK, True)


async def test_a_full_box_gives_no_numbers_and_calls_those_who_have_one(hall, tmp_path, small_reserve):
    hall.storage = Storage(tmp_path / "box")
    hall.storage.prepare()
    await hall.handle(OpenCounter(counter="1"))
    given = await hall.handle(issue(1))
    hall.storage.full()
    with pytest.raises(StorageUnavailable):
        await hall.handle(issue(2))
    assert (await hall.handle(issue(1))).queue.requests["r1"].ticket_id == given.facts[0].ticket_id
    called = await hall.handle(CallNext(counter="1"))
    assert called.facts[0].ticket_id == "t1"


async def test_a_commit_that_meets_a_full_disk_is_tried_again_without_the_new_numbers(
    hall, tmp_path, small_reserve
):
    hall.storage = Storage(tmp_path / "box")
    hall.storage.prepare()
    await hall.handle(issue(0))
    append, full = hall.journal.append, [True]

    def once_full(*args):
        if full.pop():
            full.append(False)
            raise StorageUnavailable
        full.append(False)
        return append(*args)

    hall.journal.append = once_full
    number, counter = await asyncio.gather(
        hall.handle(issue(1)), hall.handle(OpenCounter(counter="1")), return_exceptions=True
    )
    assert isinstance(number, StorageUnavailable)
    assert counter.queue.counters["1"].state == "open"
    assert "t1" not in hall.queue.tickets


async def test_a_trouble_of_the_box_is_a_line_while_it_lasts(clock):
    health, wrong = BoxHealth(clock.now), []
    health.watch("disk", lambda: wrong[0] if wrong else None)
    assert health.reports() == []
    wrong.append((DeviceState.OFFLINE, "磁盘已满"))
    [line] = health.reports()
    clock.advance(60)
    assert health.reports() == [line]
    assert (line.name, line.kind, line.state) == ("box-disk", "box", "offline")
    wrong.clear()
    assert health.reports() == []


# -- the journal's size ---------------------------------------------------------------------------------


async def a_month(hall, clock, days=40, a_day=20):
    n = 0
    for _ in range(days):
        for _ in range(a_day):
            n += 1
            await hall.handle(issue(n))
        clock.advance(86_400)
        await hall.open_day()


async def test_old_confirmed_facts_go_and_the_rest_tells_the_same_queue(
    journal_path, clock, setup, monkeypatch
):
    monkeypatch.setattr("edge_agent.journal.SNAPSHOT_EVERY", 100)
    async with running(journal_path, clock, setup) as hall:
        await a_month(hall, clock, days=13, a_day=30)
        care, last = JournalCare(hall, keep_days=5, most_bytes=2**30), hall.journal.last
        assert await care.once() == 0, "nothing is confirmed"
        hall.journal.acked = last
        removed = await care.once()
        assert removed > 100
        kept = hall.journal.read(0, 1000)
        assert kept[0].n == removed + 1
        oldest = min(datetime.fromisoformat(_at(f.body)) for f in kept[:1])
        assert oldest >= hall.now() - timedelta(days=5) or kept[0].n > hall.journal.foundation().n
        before = hall.queue
    async with running(journal_path, clock, setup) as hall:
        assert hall.queue == before
        assert hall.journal.last == last
        await hall.handle(issue(9999))
        assert hall.journal.last == last + 1, "positions go on"


def _at(body):
    return body.split('"at":"')[1].split('"')[0]


async def test_unconfirmed_facts_stay_and_raise_an_alarm(journal_path, clock, setup, monkeypatch):
    monkeypatch.setattr("edge_agent.journal.SNAPSHOT_EVERY", 50)
    async with running(journal_path, clock, setup) as hall:
        for n in range(200):
            await hall.handle(issue(n))
        care = JournalCare(hall, keep_days=30, most_bytes=hall.journal.size() // 2)
        assert await care.once() == 0
        assert care.too_large
        hall.journal.acked = hall.journal.last
        assert await care.once() > 0
        hall.journal.acked = hall.journal.last


async def test_memory_that_went_wrong_ends_the_program_before_a_picture_of_it_is_kept(
    journal_path, clock, setup
):
    with pytest.RaisesGroup(pytest.RaisesExc(JournalBroken, match="differs from journal")):
        async with running(journal_path, clock, setup) as hall:
            for n in range(250):
                await hall.handle(issue(n))
            right, care = hall.queue, JournalCare(hall, keep_days=30, most_bytes=2**30)
            await care.once()
            counter = replace(right.counters["1"], ticket_id=next(iter(right.tickets)))
            hall.queue = replace(right, counters={**right.counters, "1": counter})
            try:
                await care.once()
            finally:
                assert hall.storage.state is StorageState.BROKEN, "nobody is shown a number any more"
    async with running(journal_path, clock, setup) as hall:
        assert hall.queue == right


# -- the clock ------------------------------------------------------------------------------------------


class Wall:
    def __init__(self):
        self.now, self.synchronised = NOW, False

    def clock(self, **more):
        return SystemClock(synchronised=lambda: self.synchronised, wall=lambda: self.now, **more)


@pytest.fixture
def wall(monkeypatch):
    monkeypatch.setattr("hall_core.clock.ASK_EVERY_S", 0.0)
    return Wall()


def test_a_clock_is_trusted_once_it_was_synchronised_until_it_jumps(wall):
    clock = wall.clock()
    assert not clock.trusted()
    wall.synchronised = True
    assert clock.trusted()
    wall.synchronised = False
    assert clock.trusted(), "a box without a network drifts by seconds only"
    wall.now += timedelta(hours=1)
    assert not clock.trusted()


def test_a_clock_from_before_this_program_is_never_trusted(wall):
    wall.synchronised, wall.now = True, datetime(1970, 1, 1, 8, tzinfo=UTC)
    assert not wall.clock(believed=True).trusted()


def test_somebody_may_answer_for_a_clock(wall):
    assert wall.clock(believed=True).trusted()


def test_the_kernel_can_be_asked():
    assert SystemClock().trusted() in (True, False)


def test_time_for_facts_never_runs_backwards():
    clock = FixedClock(NOW)
    time = SteadyTime(clock, NOW + timedelta(hours=2))
    assert time.now() == NOW + timedelta(hours=2)
    assert not time.trusted()
    clock.advance(3 * 3600)
    assert time.now() == NOW + timedelta(hours=3)
    assert time.trusted()


def test_a_doubtful_clock_far_ahead_is_not_followed():
    clock = FixedClock(NOW, synchronised=False)
    time = SteadyTime(clock, NOW)
    clock.wall = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
    clock.mono += 10
    assert time.now() == NOW + timedelta(seconds=10)
    clock.wall, clock.synchronised = NOW + timedelta(seconds=30), True
    assert time.now() == NOW + timedelta(seconds=30)


async def test_facts_keep_their_order_in_time_when_the_wall_steps_back(hall, clock):
    first = await hall.handle(issue(1))
    clock.wall -= timedelta(minutes=10)
    second = await hall.handle(issue(2))
    assert second.facts[0].at >= first.facts[0].at
    assert not hall.time.trusted()
