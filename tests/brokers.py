"""Real brokers for tests: Mosquitto and the embedded one, on free loopback ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators.broker import Broker, Kind, open_broker
from simulators.demo_programs import Programs

__all__ = ["BOTH", "broker_of"]

BOTH = [
    pytest.param("mosquitto", marks=pytest.mark.mosquitto),
    "embedded",
]


@asynccontextmanager
async def broker_of(kind: Kind, folder: Path, *users: str) -> AsyncIterator[Broker]:
    """A broker of this kind with logins for `controller` and `users`."""
    async with Programs(folder / "logs") as programs:
        yield await open_broker(kind, folder=folder / "broker", users=users, programs=programs)
