"""Jobs are done once, in order of their urgency, or not at all after their time."""

import asyncio

import pytest

from edge_agent.jobs import OUTCOMES_KEPT, Jobs
from hall_core.devices.vocabulary import Outcome, PageUser


def page(name):
    return PageUser(job_id=name, pager=1)


class Told(list):
    def __call__(self, job, outcome):
        self.append((job.job_id, outcome.value))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def jobs(clock, told):
    return Jobs(clock, told)


async def test_the_most_urgent_goes_first_and_then_the_oldest(jobs):
    for name, urgency in (("a", 1), ("b", 1), ("c", 0)):
        jobs.put(page(name), 30, urgency=urgency)
    order = []
    for _ in range(3):
        job = await jobs.next()
        order.append(job.job_id)
        jobs.end(job, Outcome.ACCEPTED)
    assert order == ["c", "a", "b"]


async def test_a_job_is_taken_once_whether_it_waits_is_in_hand_or_done(jobs, told):
    jobs.put(page("a"), 30)
    jobs.put(page("a"), 30)
    job = await jobs.next()
    jobs.put(page("a"), 30)
    assert jobs.outcome("a") == "pending"
    jobs.end(job, Outcome.UNCONFIRMED)
    jobs.put(page("a"), 30)
    assert told == [("a", "unconfirmed")]
    assert jobs.outcome("a") == "unconfirmed"
    assert jobs.outcome("b") is None


async def test_what_waited_too_long_expires_and_is_never_done(jobs, told, clock):
    jobs.put(page("old"), 30)
    clock.advance(31)
    jobs.put(page("new"), 30)
    assert (await jobs.next()).job_id == "new"
    assert told == [("old", "expired")]


async def test_what_did_not_happen_is_tried_again_first_but_only_while_its_time_lasts(jobs, told, clock):
    jobs.put(page("a"), 30)
    jobs.put(page("b"), 60)
    await jobs.next()
    jobs.again()
    assert (await jobs.next()).job_id == "a"
    jobs.again()
    clock.advance(31)
    assert (await jobs.next()).job_id == "b"
    assert told == [("a", "expired")]


async def test_what_is_withdrawn_is_not_done_and_a_withdrawn_stranger_is_nothing(jobs, told):
    jobs.put(page("a"), 30)
    jobs.withdraw("a")
    jobs.withdraw("b")
    assert told == [("a", "expired")]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await jobs.next()


async def test_no_more_outcomes_are_kept_than_a_day_of_paper(jobs):
    for n in range(OUTCOMES_KEPT + 1):
        jobs.put(page(str(n)), 30)
        jobs.end(await jobs.next(), Outcome.ACCEPTED)
    assert jobs.outcome("0") is None
    assert jobs.outcome("1") == "accepted"
