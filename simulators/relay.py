"""A TCP relay between one hall and its broker, whose link can be cut, hung and healed."""

import asyncio
import contextlib
from enum import StrEnum
from typing import Self

__all__ = ["Link", "Relay"]

_CHUNK = 64 * 1024
_LEAVE_S = 1.0


class Link(StrEnum):
    """How the link is."""

    UP = "up"
    #: connections are reset and refused, as when a cable is pulled behind a router that answers
    CUT = "cut"
    #: connections stand and nothing passes, as when a router drops silently
    HUNG = "hung"


class Relay:
    """Listens on a free loopback port and passes bytes on to `host:port` while the link is up."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()
        self.link = Link.UP

    @property
    def port(self) -> int:
        """Where the relay listens, once entered."""
        if self._server is None:
            msg = "the relay is not open"
            raise RuntimeError(msg)
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Reset what is connected and refuse what comes."""
        self.link = Link.CUT
        self._flows.set()
        self._reset()

    def hang(self) -> None:
        """Leave connections standing, pass nothing on."""
        self.link = Link.HUNG
        self._flows.clear()

    def heal(self) -> None:
        """Pass bytes again; those held back while hung arrive late, in order."""
        self.link = Link.UP
        self._flows.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        if self._links:
            await asyncio.wait(self._links, timeout=_LEAVE_S)

    def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._links.add(task)
            task.add_done_callback(self._links.discard)
        self._writers.add(writer)
        try:
            if self.link is not Link.CUT:
                await self._join(reader, writer)
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            return
        self._writers.add(far_writer)
        try:
            if self.link is Link.CUT:
                return
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, far_writer, writer), name="relay up")
                tasks.create_task(self._pump(far_reader, writer, far_writer), name="relay down")
        finally:
            far_writer.transport.abort()
            self._writers.discard(far_writer)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, other: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(_CHUNK):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        # One end has gone: without this the other pump would wait for ever.
        sink.transport.abort()
        other.transport.abort()
