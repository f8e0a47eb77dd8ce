"""System calls that fail on purpose: strace lets one call of a running program fail, or kills it there."""

import asyncio
import os
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["counted", "evenly", "injected", "while_failing"]

T = TypeVar("T")


@asynccontextmanager
async def injected(pid: int, fault: str) -> AsyncIterator[None]:
    """`fault` in strace's words, `pwrite64:error=EIO:when=3`; it leaves with the program or the block."""
    async with _strace(pid, fault.partition(":")[0], "-o", "/dev/null", "-e", f"inject={fault}"):
        yield


@asynccontextmanager
async def counted(pid: int, log: Path, *calls: str) -> AsyncIterator[Counter[str]]:
    """How often the busiest thread made each of these calls, as strace counts; filled when the block ends."""
    found: Counter[str] = Counter()
    async with _strace(pid, ",".join(calls), "-o", str(log)):
        yield found
    threads: Counter[tuple[str, str]] = Counter()
    for line in (await asyncio.to_thread(log.read_text, "utf-8", "replace")).splitlines():
        thread, _, said = line.partition(" ")
        call = said.strip().partition("(")[0]
        if call in calls:
            threads[thread, call] += 1
    for (_, call), number in threads.items():
        found[call] = max(found[call], number)


@asynccontextmanager
async def _strace(pid: int, calls: str, *more: str) -> AsyncIterator[None]:
    words = ("strace", "-f", "-p", str(pid), "-e", f"trace={calls}", *more)
    strace = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)
    try:
        assert strace.stderr is not None
        attached = await strace.stderr.readline()
        assert b"attached" in attached, attached
        yield
    finally:
        if strace.returncode is None:
            strace.terminate()
        await strace.wait()


async def while_failing(
    process: Process,
    fault: str,
    work: Callable[[], Coroutine[Any, Any, bool]],
    again: Callable[[], Awaitable[None]],
) -> int | None:
    """`work` while the program fails so; when it ends it is started `again` at once. Its exit code, or None.

    `work` says False when the program is about to end, or has hung up.
    """
    loop = asyncio.get_running_loop()
    async with injected(process.pid, fault):
        working, ended = loop.create_task(work()), loop.create_task(process.wait())
        try:
            await asyncio.wait((working, ended), return_when=asyncio.FIRST_COMPLETED)
            if working.done() and not working.result():
                await asyncio.wait((ended,), timeout=10)
            if not (ended.done() or _gone(process.pid)):
                return None
            code = await ended
            await again()
            await working
        finally:
            ended.cancel()
            working.cancel()
    return code


def _gone(pid: int) -> bool:
    """A program that has ended, though nobody was told yet."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def evenly(cells: Sequence[T], number: int, offset: float) -> list[T]:
    """So many of them at equal distances; `offset`, from 0 to 1, says where between two it begins."""
    if number >= len(cells):
        return list(cells)
    step = len(cells) / number
    return [cells[int((n + offset) * step)] for n in range(number)]
