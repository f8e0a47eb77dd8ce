"""Drivers are tested on the loop they run on."""

from tests.loops import of_the_programs as pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
