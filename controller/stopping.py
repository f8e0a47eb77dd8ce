"""Work that must end together, also when a part of it has forgotten that it was asked to.

`asyncio.wait_for` of Python 3.11, which the MQTT client uses, forgets a cancellation that meets its answer.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["until_one_ends"]

#: what was asked to end is asked again after this
AGAIN_S = 0.5


async def until_one_ends(*work: tuple[str, Coroutine[Any, Any, None]]) -> None:
    """Run these side by side; when one ends or fails, all end, and its error is raised.

    A TaskGroup would wait for ever for a task that has forgotten its cancellation.
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
