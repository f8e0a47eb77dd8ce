"""Serves one web application until the program is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

__all__ = ["serve"]


async def serve(
    app: FastAPI, host: str, port: int, path: str = "", before_stop: Callable[[], None] = lambda: None
) -> None:
    """Listen, print `ready URL` on stdout, serve until SIGINT or SIGTERM.

    `before_stop` ends what would go on for ever, event streams. Raises OSError for a taken port.
    """
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    # uvicorn would raise the signal again when it is done, and the serial lines would never be taken down
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]

    def stop() -> None:
        before_stop()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    with socket.create_server((host, port)) as listening:
        print(f"ready http://{host}:{listening.getsockname()[1]}{path}", flush=True)  # noqa: T201 — its contract
        await server.serve(sockets=[listening])
