"""Small web applications served inside the demo's own loop: the wall and the SMS gateway."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Self

import uvicorn
from fastapi import FastAPI

__all__ = ["Served"]

_START_S = 10.0


class Served:
    """An application on a loopback port while entered."""

    def __init__(self, app: FastAPI, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._port = port
        self._server = uvicorn.Server(config)
        # The demo stops on signals by itself; uvicorn would take them away from it.
        self._server.capture_signals = _no_signals  # type: ignore[method-assign]
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", self._port))
        await self._group.__aenter__()
        self._group.create_task(self._server.serve(sockets=[listening]), name=f"serve {self.url}")
        async with asyncio.timeout(_START_S):
            while not self._server.started:  # noqa: ASYNC110 — uvicorn offers no event
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.should_exit = True
        # Open event streams would hold it up for their whole life.
        self._server.force_exit = True
        await self._group.__aexit__(None, None, None)


@contextlib.contextmanager
def _no_signals() -> Generator[None, None, None]:
    yield
