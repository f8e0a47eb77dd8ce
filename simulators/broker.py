"""The demo's message broker: Mosquitto when it is installed, else the embedded one.

`python -m simulators.broker --port N` runs the embedded broker alone, on loopback.
"""

import argparse
import asyncio
import base64
import getpass
import hashlib
import secrets
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from iotcore import IotCoreBroker

from hall_core.errors import SettingsInvalid
from hall_core.wire.envelope import MAX_BYTES
from simulators.demo_programs import BROKER, Program, Programs, free_port

__all__ = [
    "LOCAL",
    "Broker",
    "Kind",
    "access_list",
    "configuration",
    "find_mosquitto",
    "open_broker",
    "password_line",
]

Kind = Literal["mosquitto", "embedded"]
HOST = "127.0.0.1"
CONTROLLER = "controller"
#: in the demo one broker also serves as the halls' own: all halls and their devices log in there by this name
LOCAL = "local"
#: Mosquitto 2.0's own number of PBKDF2 rounds
_ROUNDS = 101
_START_S = 10.0

_CONF = """\
listener {port} 127.0.0.1
user {user}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence false
max_queued_messages 5000
max_inflight_messages 200
set_tcp_nodelay true
message_size_limit {limit}
max_keepalive 120
log_dest stderr
log_type error
log_type warning
log_type notice
"""

# `pattern` rows hold for every login; a `topic` row before the first `user` would only hold for
# anonymous ones.
_ACL = """\
pattern write qh/1/%u/up/#
pattern read qh/1/%u/down/#
pattern read qh/1/controller/state

user controller
topic read qh/1/+/up/#
topic write qh/1/+/down/#
topic write qh/1/controller/state
"""

_LOCAL_ACL = """
user local
topic readwrite qhl/#
topic readwrite homeassistant/#
topic readwrite sign/#
"""


def find_mosquitto() -> Path | None:
    """Mosquitto on this machine: on PATH or where Debian puts it."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def password_line(user: str, password: str, salt: bytes | None = None) -> str:
    """A line of Mosquitto 2's password file: `user:$7$rounds$salt$PBKDF2-HMAC-SHA512` (mosquitto_passwd)."""
    salt = salt or secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"{user}:$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def access_list() -> str:
    """Everything an agent writes lies under its own `up/`, everything it reads under its own `down/`."""
    return _ACL


def configuration(folder: Path, port: int) -> str:
    """Mosquitto's configuration: one loopback listener, passwords, access list, bounded queues."""
    # Started as root Mosquitto changes to its own user, who could not read a private folder.
    return _CONF.format(folder=folder, port=port, user=getpass.getuser(), limit=2 * MAX_BYTES)


@dataclass(slots=True)
class Broker:
    """A running broker. `stop` and `start` are for stories."""

    kind: Kind
    port: int
    argv: list[str]
    passwords: dict[str, str]
    programs: Programs
    program: Program | None = None

    @property
    def sentence(self) -> str:
        """Which broker it is, in one line."""
        if self.kind == "mosquitto":
            return (
                f"消息服务 Broker: Mosquitto, {HOST}:{self.port}, 口令与访问列表 / passwords and access list"
            )
        return (
            f"消息服务 Broker: 内嵌 iotcore, {HOST}:{self.port}, 仅本机、无口令 / "
            "embedded (Mosquitto is not installed or not wanted), loopback only, no passwords"
        )

    def url(self, user: str, *, port: int | None = None) -> str:
        """How `user` reaches it; `port` when a relay stands before it."""
        login = f"{user}:{self.passwords[user]}@" if self.kind == "mosquitto" else ""
        return f"mqtt://{login}{HOST}:{port or self.port}"

    async def start(self) -> None:
        """Start it and wait until it takes connections. Raises ProgramDied."""
        self.program = await self.programs.start(BROKER, self.argv)
        deadline = asyncio.get_running_loop().time() + _START_S
        while asyncio.get_running_loop().time() < deadline:
            try:
                _, writer = await asyncio.open_connection(HOST, self.port)
            except OSError:
                if self.program.process.returncode is not None:
                    break
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise self.program.died(f"does not take connections on port {self.port}")

    async def kill(self) -> None:
        """End it at once, as a power cut does: what it had not passed on is gone."""
        if self.program is not None:
            self.program.signal(signal.SIGKILL)
            await self.program.process.wait()


def _mosquitto(folder: Path, port: int, passwords: dict[str, str], program: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, text in (
        ("passwords", "".join(password_line(u, p) + "\n" for u, p in passwords.items())),
        ("acl", _ACL + _LOCAL_ACL),
        ("mosquitto.conf", configuration(folder, port)),
    ):
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o600)
    return [str(program), "-c", str(folder / "mosquitto.conf")]


async def open_broker(
    wanted: Kind | None, *, folder: Path, users: tuple[str, ...], programs: Programs
) -> Broker:
    """Start the wanted broker, else Mosquitto when installed, else the embedded one.

    `folder` is absolute: Mosquitto reads its files there.

    Raises SettingsInvalid when Mosquitto is wanted and missing, ProgramDied when it does not start.
    """
    found = find_mosquitto()
    if wanted == "mosquitto" and found is None:
        msg = (
            "找不到 Mosquitto / Mosquitto was not found on PATH or in /usr/sbin; install it "
            "(apt-get install mosquitto) or take --broker embedded"
        )
        raise SettingsInvalid(msg)
    kind: Kind = "mosquitto" if found and wanted != "embedded" else "embedded"
    port = free_port()
    passwords = {user: secrets.token_urlsafe(18) for user in (CONTROLLER, LOCAL, *users)}
    if kind == "mosquitto" and found:
        argv = _mosquitto(folder, port, passwords, found)
    else:
        argv = [sys.executable, "-m", "simulators.broker", "--port", str(port)]
    broker = Broker(kind, port, argv, passwords, programs)
    await broker.start()
    return broker


def main() -> None:
    """Run the embedded broker until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m simulators.broker", description=main.__doc__)
    parser.add_argument("--port", type=int, default=1883)
    port = parser.parse_args().port
    # The native code never comes back to Python, so Python's handler would never run.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Its default refuses more than 20 KiB: a message of 100 facts is larger.
    broker = IotCoreBroker(listen=HOST, port=port, max_payload_size=2 * MAX_BYTES)
    broker.check_ports()
    broker.run_forever()


if __name__ == "__main__":
    main()
