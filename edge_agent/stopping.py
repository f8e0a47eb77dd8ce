"""Loops that reconnect for ever must still end when they are cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["attempt", "until_one_ends"]

#: a try that was asked to end gets so long to say goodbye before it is asked again
GOODBYE_S = 2.0
#: what was asked to end is asked again after this
AGAIN_S = 0.5


async def attempt(work: Coroutine[Any, Any, None], name: str) -> None:
    """Run one try of a loop that goes on after failures, in a task of its own.

    Two places of Python 3.11 forget a cancellation: a TaskGroup one of whose tasks fails at the same
    moment, and `asyncio.wait_for` (which the MQTT client uses) when its future is done at the same
    moment. Out here nothing forgets it: the try is asked until it has ended, and CancelledError is
    raised however it ended.
    """
    task = asyncio.get_running_loop().create_task(work, name=name)
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        while not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=GOODBYE_S)
        if not task.cancelled():
            task.exception()  # it ended by itself: nobody wants to know any more
        raise
    task.result()


async def until_one_ends(*work: tuple[str, Coroutine[Any, Any, None]]) -> None:
    """Run these side by side; when one ends or fails, all end, and its error is raised.

    A TaskGroup would wait for ever for a task that has forgotten its cancellation (see above).
    """
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(each, name=name) for name, each in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        pending = {task for task in tasks if not task.done()}
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
        # Each is looked at, for two may fail at once; one is raised.
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    if errors:
        raise errors[0]
