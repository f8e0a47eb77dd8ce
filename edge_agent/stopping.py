"""Loops that reconnect for ever must still end when they are cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["attempt"]

#: a try that was asked to end gets so long to say goodbye before it is asked again
GOODBYE_S = 2.0


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
