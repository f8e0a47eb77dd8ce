"""How a program that runs for months keeps its memory small."""

import asyncio
import ctypes
import gc

__all__ = ["keep_small"]

#: by then the start is over: devices found, first pages made
START_S = 10.0
EVERY_S = 600.0


async def keep_small() -> None:
    """For ever: what is no longer used goes back to the operating system.

    What the start has made (modules, routes, schemas) stays for good and is taken out of the collector's
    rounds: looking through it again and again would lengthen the slowest calls.
    """
    await asyncio.sleep(START_S)
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only; others give back by themselves
    while trim is not None:
        trim(0)
        await asyncio.sleep(EVERY_S)
