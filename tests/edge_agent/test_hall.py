import asyncio
from datetime import timedelta

import pytest

from edge_agent.journal import WishCursor
from hall_core.errors import NoGrant, RequestIdReused, StorageUnavailable, UnknownService
from hall_core.queueing import commands as c
from tests.edge_agent.conftest import DAY, issue, running


async def test_many_takers_at_once_get_different_numbers_in_few_commits(hall, monkeypatch):
    commits = []
    store = hall._store
    monkeypatch.setattr(hall, "_store", lambda batch: (commits.append(len(batch.facts)), store(batch)))
    async with asyncio.TaskGroup() as tasks:
        taken = [tasks.create_task(hall.handle(issue(n)), name=f"taker {n}") for n in range(50)]
    labels = [t.result().facts[0].label for t in taken]
    assert len(set(labels)) == 50
    assert sum(commits) == 50
    assert len(commits) < 50


async def test_the_same_request_twice_in_one_batch_gives_one_ticket(hall):
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(hall.handle(issue(1)), name="first")
        again = tasks.create_task(hall.handle(issue(1)), name="again")
    assert len(first.result().facts) + len(again.result().facts) == 1
    assert len(hall.queue.tickets) == 1


async def test_one_request_id_for_two_requests_is_refused(hall):
    await hall.handle(issue(1, fingerprint="a"))
    with pytest.raises(RequestIdReused):
        await hall.handle(issue(1, fingerprint="b"))


async def test_a_refused_command_changes_nothing_and_is_not_journaled(hall):
    before, last = hall.queue, hall.journal.last
    with pytest.raises(UnknownService):
        await hall.handle(issue(1, service="marriage"))
    assert hall.queue is before
    assert hall.journal.last == last


async def test_a_refused_wish_becomes_a_fact_and_moves_the_cursor(hall):
    with pytest.raises(UnknownService):
        await hall.handle(issue(1, service="marriage"), WishCursor("controller", 1))
    assert hall.journal.wishes() == WishCursor("controller", 1)
    assert hall.journal.read(0, 99)[-1].body.count("unknown-service") == 1


async def test_a_box_without_a_grant_gives_no_number(journal_path, clock, setup):
    async with running(journal_path, clock, setup, granted=False) as hall:
        with pytest.raises(NoGrant):
            await hall.handle(issue(1))


async def test_the_next_day_opens_by_itself_with_the_first_command(hall, clock):
    await hall.handle(issue(1))
    clock.advance(24 * 3600)
    handled = await hall.handle(issue(2))
    assert handled.facts[0].label == "A001"
    assert hall.queue.day == DAY + timedelta(days=1)
    assert "t1" not in hall.queue.tickets


async def test_nobody_hears_of_a_fact_that_could_not_be_stored(hall, monkeypatch):
    heard = []
    hall.listeners.append(heard.append)

    def full(batch):
        raise StorageUnavailable

    monkeypatch.setattr(hall, "_store", full)
    before = hall.queue
    with pytest.raises(StorageUnavailable):
        await hall.handle(issue(1))
    assert heard == []
    assert hall.queue is before


async def test_listeners_hear_each_commit_once_and_in_order(hall):
    heard = []
    hall.listeners.append(lambda change: heard.extend(range(change.first, change.first + len(change.facts))))
    start = hall.journal.last
    for n in range(5):
        await hall.handle(issue(n))
    await hall.handle(c.OpenCounter(counter="1"))
    assert heard == list(range(start + 1, start + 7))
