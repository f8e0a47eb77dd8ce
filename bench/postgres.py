"""A PostgreSQL of one's own on a free loopback port, when the machine has one installed."""

import asyncio
import getpass
import os
import pwd
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simulators.demo_programs import Programs, free_port, run_to_end

__all__ = ["find_postgres", "own_postgres"]

#: PostgreSQL refuses to run as root: Debian's own user does it then
_USER = "postgres"


def find_postgres() -> Path | None:
    """The folder of its programs: on PATH or where Debian puts them."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None)


@asynccontextmanager
async def own_postgres(folder: Path, programs_in: Path) -> AsyncIterator[str]:
    """Its URL, with every commit on disk (its defaults). Raises ProgramDied."""
    data, port = folder / "data", free_port()
    user, as_user = _run_as(folder)
    initdb = [str(programs_in / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8"]
    await run_to_end([*as_user, *initdb], within_s=60)
    options = [
        "-c",
        f"port={port}",
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        f"unix_socket_directories={folder}",
    ]
    async with Programs(folder.parent / "logs") as programs:
        program = await programs.start(
            "postgres", [*as_user, str(programs_in / "postgres"), "-D", str(data), *options]
        )
        async with asyncio.timeout(30):
            while not await _answers(port):
                if program.process.returncode is not None:
                    raise program.died(f"does not run as {user}")
                await asyncio.sleep(0.1)
        yield f"postgresql://bench@127.0.0.1:{port}/postgres"


def _run_as(folder: Path) -> tuple[str, list[str]]:
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return getpass.getuser(), []
    entry = pwd.getpwnam(_USER)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return _USER, ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    # The port opens before the database is ready, and then hangs up: ask as a client would.
    writer.close()
    await asyncio.sleep(0.3)
    return True
