"""Whole ways of a ticket, on the loop of the programs."""

from tests.loops import of_the_programs as pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
