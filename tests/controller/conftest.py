"""Controllers on files, and real neighbours: brokers and a PostgreSQL cluster of the test's own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.use_cases import take_ticket
from hall_core.clock import FixedClock
from tests.controller.box import Box
from tests.controller.centre import Centre


@pytest.fixture
def centre(tmp_path: Path, clock: FixedClock) -> Iterator[Centre]:
    """A controller on SQLite with one enrolled hall."""
    made = Centre(f"sqlite:///{tmp_path / 'controller.db'}", tmp_path, clock)
    made.enrol()
    yield made
    made.close()


@pytest.fixture
def box(clock: FixedClock) -> Box:
    """The hall's box, open for the day."""
    return Box(clock).open()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _postgres_bin() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A cluster of our own, for as long as the tests run; its URL without a database."""
    programs = _postgres_bin()
    if programs is None:
        missing = "PostgreSQL is missing: apt-get install postgresql"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    # PostgreSQL refuses to run as root, and another user may not enter pytest's own folders.
    as_user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="qh-postgres-") as folder:
        if as_user:
            shutil.chown(folder, "nobody")
        data, port = Path(folder) / "data", free_port()

        def run(*argv: object) -> None:
            words = [str(word) for word in argv]
            subprocess.run(words, check=True, timeout=120, stdout=subprocess.DEVNULL, cwd=folder, **as_user)

        run(programs / "initdb", "-D", data, "-U", "qh", "-A", "trust", "-E", "UTF8")
        control = [programs / "pg_ctl", "-D", data, "-l", Path(folder) / "log"]
        run(*control, "-o", f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}", "-w", "start")
        try:
            yield f"postgresql://qh@127.0.0.1:{port}"
        finally:
            run(*control, "-m", "immediate", "stop")


@pytest.fixture
def postgres(postgres_server: str, request: pytest.FixtureRequest) -> str:
    """A fresh database; its URL."""
    import psycopg

    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgres_server}/{name}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a hall that will not answer."""
    monkeypatch.setattr(take_ticket, "HALL_S", 0.0)
