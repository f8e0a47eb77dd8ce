"""The second copy of the journal: what it holds, what it survives, and a hall that goes on from it."""

import dataclasses
from datetime import timedelta

import pytest

from edge_agent.mirror import Mirror, read_mirror
from hall_core.queueing import commands as c
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import fact_adapter
from hall_core.queueing.queue import Queue
from hall_core.queueing.restate import restate
from hall_core.queueing.summary import state_hash
from tests.edge_agent.conftest import issue, open_journal, running

NAME = "binjiang"


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


async def a_busy_morning(hall, clock):
    """Tickets in every state, and counters in every one."""

    async def tick(command):
        clock.advance(20)
        return await hall.handle(command)

    for n in range(12):
        await tick(issue(n, service="social" if n % 2 else "household", channel="web"))
    await tick(c.OpenCounter(counter="1", clerk="wang"))
    await tick(c.OpenCounter(counter="2"))
    await tick(c.CallNext(counter="1"))
    await tick(c.Start(counter="1"))
    await tick(c.Finish(counter="1"))
    await tick(c.RateVisit(request_id="rate", counter="1", score=5))
    await tick(c.CallNext(counter="1"))
    await tick(c.NoShow(counter="1"))
    await tick(c.CallNext(counter="1"))
    await tick(c.Hold(counter="1"))
    await tick(c.CallNext(counter="1"))
    await tick(c.Transfer(counter="1", to_counter="2"))
    await tick(c.CallNext(counter="2"))
    await tick(c.Recall(counter="2"))
    await tick(c.Start(counter="2"))
    await tick(c.CallNext(counter="1"))
    await tick(c.CancelTicket(ticket="t11"))
    await tick(c.PostponeTicket(ticket="t4"))


async def test_a_queue_told_again_is_the_same_queue(journal_path, clock, setup):
    async with running(journal_path, clock, setup) as hall:
        await a_busy_morning(hall, clock)
        before = hall.queue
    again = replay(Queue(), restate(before, clock.now()))
    same = {f.name for f in dataclasses.fields(Queue)} - {"applied", "requests", "waiting", "samples"}
    for name in sorted(same):
        assert getattr(again, name) == getattr(before, name), name
    assert set(again.waiting) == set(before.waiting)
    assert {r: d.ticket_id for r, d in again.requests.items()} == {
        r: d.ticket_id for r, d in before.requests.items() if r.startswith("r") and r != "rate"
    }


async def test_who_is_at_the_counter_stays_there_though_another_one_left_in_the_same_moment(
    journal_path, clock, setup
):
    async with running(journal_path, clock, setup) as hall:
        for n in (1, 2):
            await hall.handle(issue(n))
        await hall.handle(c.OpenCounter(counter="1"))
        await hall.handle(c.Call(counter="1", ticket="t2"))
        await hall.handle(c.CallNext(counter="1", finish_current=True))
        again = replay(Queue(), restate(hall.queue, clock.now()))
        assert again.counters == hall.queue.counters
        assert again.in_hand("1").ticket_id == "t1"


async def test_the_copy_holds_every_fact_and_the_queue(journal_path, clock, setup, stick):
    async with running(journal_path, clock, setup) as hall:
        mirror = Mirror(stick, hall, NAME)
        await a_busy_morning(hall, clock)
        assert mirror.behind == hall.journal.last
        assert mirror.follow() == 0
        held = read_mirror(stick, NAME)
        assert (held.stream, held.last) == (hall.journal.stream, hall.journal.last)
        assert state_hash(held.queue) == state_hash(hall.queue)
        assert read_mirror(stick, "another-hall") is None


async def test_a_torn_end_costs_only_the_end(journal_path, clock, setup, stick):
    async with running(journal_path, clock, setup) as hall:
        mirror = Mirror(stick, hall, NAME)
        for n in range(5):
            await hall.handle(issue(n))
        mirror.follow()
        [file] = stick.rglob("*.facts")
        whole = file.read_bytes()
        file.write_bytes(whole[:-40])
        assert read_mirror(stick, NAME).last == hall.journal.last - 1
        again = Mirror(stick, hall, NAME)  # the program starts anew and goes on in the same file
        assert again.follow() == 0
        assert read_mirror(stick, NAME).last == hall.journal.last
        file.write_bytes(whole.replace(b"A003", b"A900"))
        assert read_mirror(stick, NAME).last < hall.journal.last, "a changed line is not believed"


async def test_a_stick_that_is_away_never_stops_the_hall_and_catches_up(journal_path, clock, setup, stick):
    async with running(journal_path, clock, setup) as hall:
        mirror = Mirror(stick / "not there", hall, NAME)
        with pytest.raises(FileNotFoundError):
            mirror.follow()
        await hall.handle(issue(1))
        (stick / "not there").mkdir()
        assert mirror.follow() == 0


async def test_a_long_day_begins_new_files_and_old_ones_go_when_the_centre_has_them(
    journal_path, clock, setup, stick, monkeypatch
):
    monkeypatch.setattr("edge_agent.mirror.FILE_BYTES", 4_000)
    monkeypatch.setattr("edge_agent.journal.SNAPSHOT_EVERY", 10)
    async with running(journal_path, clock, setup) as hall:
        mirror = Mirror(stick, hall, NAME)
        for n in range(60):
            await hall.handle(issue(n))
            mirror.follow()
        kept = len(list(stick.rglob("*.facts")))
        assert kept > 3, "what the centre lacks stays"
        assert len(read_mirror(stick, NAME).facts) == hall.journal.last
        hall.journal.acked = hall.journal.last
        for n in range(60, 90):
            await hall.handle(issue(n))
            mirror.follow()
        assert len(list(stick.rglob("*.facts"))) <= 3 < kept
        held = read_mirror(stick, NAME)
        assert state_hash(held.queue) == state_hash(hall.queue)


async def test_a_lost_journal_goes_on_from_the_copy_under_a_new_incarnation(
    journal_path, clock, setup, stick
):
    async with running(journal_path, clock, setup) as hall:
        await a_busy_morning(hall, clock)
        hall.journal.acked = 7
        Mirror(stick, hall, NAME).follow()
        before, last = hall.queue, hall.journal.last
        old = [f.body for f in hall.journal.read(0, 999)]
    for part in journal_path.parent.glob("journal.db*"):
        part.unlink()
    journal = open_journal(journal_path)
    held = read_mirror(stick, NAME)
    clock.advance(timedelta(minutes=3).total_seconds())
    journal.adopt(restate(held.queue, clock.now()), held.left_over(), held.facts)
    journal.close()

    journal = open_journal(journal_path)
    queue = journal.queue()
    assert queue.tickets == before.tickets
    assert queue.applied == journal.last
    assert (journal.left.first, journal.left.last) == (8, last)
    assert [f.body for f in journal.read_left(7, 999)] == old[7:], "the centre gets them word for word"
    assert all(fact_adapter.validate_json(f.body) for f in journal.read_left(7, 999))
    journal.forget_left()
    journal.close()
    journal = open_journal(journal_path)
    assert journal.left is None
    assert journal.read_left(0, 9) == []
    journal.close()
