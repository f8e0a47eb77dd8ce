"""An event loop without a machine under it: time is a number, and it jumps to the next thing to do.

Nothing in it depends on memory addresses, threads or the wall clock, so one seed gives one history.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

#: the program whose code is running; None for people and for the world itself
PROGRAM: ContextVar["Program | None"] = ContextVar("PROGRAM", default=None)


class Gone(Exception):
    """Whoever was asked is not there, or died before it answered."""


class Stalled(Exception):
    """Nobody has anything to do any more, ever."""


class _Task(asyncio.Task):
    """Sets of tasks are walked in the order of their hashes: an address would differ each time."""

    def __init__(self, *args: Any, serial: int, **more: Any) -> None:
        self.serial = serial
        super().__init__(*args, **more)

    def __hash__(self) -> int:
        return self.serial


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs what is ready; when nothing is, the time becomes that of the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self
        self._serial = 0
        self.set_task_factory(self._make)

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> tuple[()]:
        if timeout is None:
            raise Stalled
        if timeout > 0:
            self._now += timeout
        return ()

    def _process_events(self, event_list: object) -> None:
        """There is no input but timers."""

    def _write_to_self(self) -> None:
        """There are no threads to be woken from."""

    def _make(self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, T], **more: Any) -> _Task:
        self._serial += 1
        task = _Task(coro, loop=loop, serial=self._serial, **more)
        program = PROGRAM.get()
        if program is not None:
            program.adopt(task)
        return task

    def run_in_executor(self, executor: object, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Threads do not exist here: the work is done in the loop, in its program's own time.

        Without an executor it is none of the journal's: done at once.
        """
        answer = self.create_future()
        program = PROGRAM.get()
        if program is None or program.work is None or executor is None:
            _settle(answer, func, args)
        else:
            program.work(answer, func, args)
        return answer


def _settle(answer: asyncio.Future[T], func: Callable[..., T], args: tuple[Any, ...]) -> None:
    try:
        answer.set_result(func(*args))
    except Exception as error:  # noqa: BLE001 - whoever waits for the work gets whatever it raised
        answer.set_exception(error)


settle = _settle


@contextmanager
def virtual_loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class Program:
    """One life of a program. `kill` ends it as SIGKILL does: nothing it still does has any effect."""

    def __init__(self, name: str, loop: VirtualLoop) -> None:
        self.name, self.loop = name, loop
        self.alive = True
        #: how work of executors is done; None does it at once
        self.work: Callable[[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]], None] | None = None
        self._tasks: dict[_Task, None] = {}
        self._keep = 64

    def adopt(self, task: _Task) -> None:
        """A task that this program's code has made."""
        self._tasks[task] = None
        if len(self._tasks) > self._keep:
            self._tasks = {t: None for t in self._tasks if not t.done()}
            self._keep = 64 + 2 * len(self._tasks)
        if not self.alive:
            task.cancel()

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run this as part of the program."""
        context = copy_context()
        context.run(PROGRAM.set, self)
        return context.run(self.loop.create_task, work, name=name)

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Ask the program something from outside. Raises Gone when it dies before it has answered."""
        if not self.alive:
            work.close()
            raise Gone
        task = self.spawn(work, "request")
        # Whoever loses patience does not hear what came of it; the program goes on with it.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait((task,))
        if task.cancelled():
            raise Gone
        return task.result()

    def kill(self) -> None:
        """No line of its code has an effect from here on."""
        self.alive = False
        for task in self._tasks:
            task.cancel()
        if self._alive_tasks():
            self.loop.call_soon(self._bury, 0)

    def _bury(self, tries: int) -> None:
        """A task may forget a cancellation: a dead one is asked until it has ended."""
        for task in self._alive_tasks():
            task.cancel()
        if self._alive_tasks():
            assert tries < 1000, f"{self.name} cannot be killed: {self._alive_tasks()}"
            self.loop.call_soon(self._bury, tries + 1)

    def _alive_tasks(self) -> list[_Task]:
        return [t for t in self._tasks if not t.done()]
