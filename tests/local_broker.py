"""The hall's own broker as deploy/ sets it up: Mosquitto with passwords and its access list, on a free port."""

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from simulators.broker import Broker, find_mosquitto, password_line
from simulators.demo_programs import Programs, free_port

__all__ = ["Secure", "end", "local_broker"]

DEPLOY = Path(__file__).parents[1] / "deploy" / "mosquitto"


@dataclass(frozen=True, slots=True)
class Secure:
    """The broker's TLS side."""

    certificate: Path
    key: Path
    port: int = field(default_factory=free_port)

    def url(self, broker: Broker, user: str, host: str = "127.0.0.1") -> str:
        """How `user` reaches it over TLS."""
        return f"mqtts://{user}:{broker.passwords[user]}@{host}:{self.port}"


@asynccontextmanager
async def local_broker(folder: Path, *users: str, secure: Secure | None = None) -> AsyncIterator[Broker]:
    """Logins are `hall` and `users`, each with a password made here."""
    program = find_mosquitto()
    assert program, "Mosquitto is missing: apt-get install mosquitto"
    port, home = free_port(), folder / "hall-broker"
    home.mkdir()
    text = (DEPLOY / "hall.conf").read_text("utf-8")
    text = text.replace("/etc/mosquitto/quiethall", str(home)).replace("/var/lib/mosquitto/", f"{home}/")
    text = text.replace("listener 1883 127.0.0.1", f"listener {port} 127.0.0.1\nuser {getpass.getuser()}")
    text = text.replace("listener 1883 192.168.8.1", f"listener {port} ::1")
    if secure is not None:
        mark = "# Passwords are made with"
        lines = [f"listener {secure.port} 127.0.0.1", "use_username_as_clientid true"]
        lines += [f"certfile {secure.certificate}", f"keyfile {secure.key}"]
        assert mark in text
        text = text.replace(mark, "\n".join([*lines, mark]))
    (home / "hall.conf").write_text(text, "utf-8")
    (home / "hall-acl").write_text((DEPLOY / "hall-acl").read_text("utf-8"), "utf-8")
    passwords = {user: f"secret-of-{user}" for user in ("hall", *users)}
    rows = [password_line(user, password) + "\n" for user, password in passwords.items()]
    (home / "hall-passwords").write_text("".join(rows), "utf-8")
    for path in home.iterdir():
        path.chmod(0o600)
    async with Programs(folder / "broker-logs") as programs:
        argv = [str(program), "-c", str(home / "hall.conf")]
        broker = Broker("mosquitto", port, argv, passwords, programs)
        await broker.start()
        yield broker


async def end(*tasks: "asyncio.Task[None]") -> None:
    """End them for sure: Python 3.11's wait_for, which the client uses, may forget a cancellation."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=0.2)
