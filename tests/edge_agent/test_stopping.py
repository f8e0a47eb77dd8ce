import asyncio

import pytest

from edge_agent.stopping import attempt, until_one_ends


async def fails_when_it_ends(started):
    try:
        started.set()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise OSError("the link broke at the same moment") from None


async def linked(started, tries):
    async with asyncio.TaskGroup() as tasks:
        tries.append(1)
        if len(tries) < 3:
            tasks.create_task(breaks(), name="link")
        else:
            tasks.create_task(fails_when_it_ends(started), name="link")


async def breaks():
    raise OSError("the link broke")


async def reconnects(started, tries):
    while True:
        try:
            await attempt(linked(started, tries), "session")
        except* OSError:
            pass


async def test_a_loop_that_reconnects_ends_even_when_its_link_breaks_at_that_moment():
    started, tries = asyncio.Event(), []
    async with asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(reconnects(started, tries), name="loop")
        await started.wait()
        loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.result()
    assert len(tries) == 3, "and it went on after the failures before"


async def swallows_the_first_cancellation(started):
    try:
        started.set()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass
    await asyncio.Event().wait()


async def test_a_try_that_forgets_its_cancellation_is_asked_again(monkeypatch):
    monkeypatch.setattr("edge_agent.stopping.GOODBYE_S", 0.01)
    started = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(attempt(swallows_the_first_cancellation(started), "session"), name="loop")
        await started.wait()
        loop.cancel()
    assert loop.cancelled()


async def test_when_one_ends_all_end_also_one_that_forgot_its_cancellation():
    forgot = asyncio.Event()

    async def forgetful():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            forgot.set()  # as `asyncio.wait_for` does when its answer comes at the same moment
        await asyncio.Event().wait()

    async def fails():
        await asyncio.sleep(0)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(10):
            await until_one_ends(("forgetful", forgetful()), ("fails", fails()))
    assert forgot.is_set()
