"""How both programs serve: a socket that is bound before anything starts, and a line that says where."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from hall_core.errors import SettingsInvalid

__all__ = ["Server", "bound"]


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at this address, 0 for a free port. Raises SettingsInvalid where something else has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            msg = f"port {port} of {host}: {error.strerror}; stop what uses it, or choose another with --port"
            raise SettingsInvalid(msg) from error
        yield sock


class Server(uvicorn.Server):
    """Uvicorn inside a program's TaskGroup: signals are the program's business, not the server's."""

    def __init__(self, app: Any, *, goodbye_s: int) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_level="warning", access_log=False, ws="none", timeout_graceful_shutdown=goodbye_s
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, and say so: `ready http://host:port`."""
        await super().startup(sockets)
        for sock in sockets or []:
            host, port = sock.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"ready http://{shown}:{port}", flush=True)  # noqa: T201 - the line others wait for
