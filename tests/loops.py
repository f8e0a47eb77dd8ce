"""The event loop of the programs: what only works on the standard one is found by a test, not in a hall."""

import asyncio
from collections.abc import Callable

import uvloop

__all__ = ["of_the_programs"]


def of_the_programs() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """For the hook `pytest_asyncio_loop_factories` of a folder's conftest."""
    return {"uvloop": uvloop.new_event_loop}
