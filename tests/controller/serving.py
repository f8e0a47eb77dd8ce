"""An application on a real port, for as long as a block lasts."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    """Tells when it serves, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def raw_server(talk: Callable[[StreamReader, StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """Its port; each connection is given to `talk`, and none outlives the block."""
    open_ones: dict[asyncio.Task[None], StreamWriter] = {}

    async def one(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        open_ones[task] = writer
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in open_ones.values():
            writer.transport.abort()
        if open_ones:
            await asyncio.wait(open_ones)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Its address."""
    server = _Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve())
        await server.ready.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await task
