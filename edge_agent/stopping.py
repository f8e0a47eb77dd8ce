"""Loops that reconnect for ever must still end when they are cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["attempt"]


async def attempt(work: Coroutine[Any, Any, None], name: str) -> None:
    """Run one try of a loop that goes on after failures, in a task of its own.

    A TaskGroup of Python 3.11 forgets a cancellation when one of its tasks fails at the same moment,
    and leaves its mark on the task it runs in. Out here the mark is ours: CancelledError is raised
    whenever this task was asked to end, however the try ended.
    """
    task = asyncio.get_running_loop().create_task(work, name=name)
    try:
        await task
    finally:
        around = asyncio.current_task()
        if around is not None and around.cancelling():
            raise asyncio.CancelledError
