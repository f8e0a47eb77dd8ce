"""The demo's child programs: started in their own process groups, watched, and gone within seconds."""

import asyncio
import contextlib
import ctypes
import itertools
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from hall_core.errors import QuiethallError

__all__ = ["BROKER", "Program", "ProgramDied", "Programs", "console_script", "free_port", "run_to_end"]

_POLL_S = 0.05
BROKER = "broker"
#: everything is gone within 3 s: first the programs, then the broker
_GRACE_S = 1.8
_BROKER_GRACE_S = 0.4
_KILL_S = 0.4
_TAIL_LINES = 12
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


_PORTS = range(15_000, 30_000)
#: one program never gets a port twice, and two that ask at the same time ask for others
_next_port = itertools.count(os.getpid() * 97)
_TRIES = 200


class ProgramDied(QuiethallError):
    """A program of the demo ended, or never got ready; the message shows its last log lines."""


def console_script(name: str) -> str:
    """The path of a console program of this environment."""
    return str(Path(sys.executable).with_name(name))


def free_port(preferred: int = 0) -> int:
    """A loopback port nobody listens on: `preferred` when it is free.

    It is used seconds later: so it lies below those that systems give to outgoing connections, and is not
    given again.
    Raises OSError when none is free.
    """
    turns = (_PORTS[turn % len(_PORTS)] for turn in itertools.islice(_next_port, _TRIES))
    for port in itertools.chain((preferred,), turns):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            if port:
                return port
    msg = f"no free port among {_TRIES} between {_PORTS.start} and {_PORTS.stop}"
    raise OSError(msg)


def _environment(extra: dict[str, str] | None) -> dict[str, str]:
    # A clean one: what a person has exported for a real hall must not leak into the demo.
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
        "HOME": str(Path.home()),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }


def _die_with_parent() -> None:
    # Runs in the child between fork and exec: nothing survives even a kill -9 of the demo.
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(slots=True)
class Program:
    """One running child and its log."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    #: False once it was asked to stop: then its end is no accident
    wanted: bool = field(default=True)

    def tail(self) -> str:
        """The last lines of its log."""
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def died(self, what: str) -> ProgramDied:
        """The error to raise about this program."""
        return ProgramDied(f"{self.name} {what}; last lines of {self.log}:\n{self.tail()}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group."""
        self.wanted = False
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


class Programs:
    """All children. Leaving the context stops them: ask, wait a moment, kill."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._all: list[Program] = []

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *exc: object) -> None:
        # The broker goes last, so that the others can say goodbye.
        await self.stop([p for p in self._all if p.name != BROKER])
        await self.stop([p for p in self._all if p.name == BROKER], grace_s=_BROKER_GRACE_S)

    async def start(self, name: str, argv: list[str], *, env: dict[str, str] | None = None) -> Program:
        """Start a child; its output goes to `logs/NAME.log`."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=_environment(env),
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        program = Program(name, process, log)
        self._all = [p for p in self._all if p.process.returncode is None]
        self._all.append(program)
        return program

    async def ready(self, program: Program, *, within_s: float = 30.0) -> str:
        """The address of its line `ready URL`. Raises ProgramDied when it ends or takes too long."""
        deadline = asyncio.get_running_loop().time() + within_s
        while asyncio.get_running_loop().time() < deadline:
            for line in program.log.read_text("utf-8", "replace").splitlines():
                if line.startswith("ready "):
                    return line.removeprefix("ready ").strip()
            if program.process.returncode is not None:
                raise program.died(f"ended with code {program.process.returncode} before it was ready")
            await asyncio.sleep(_POLL_S)
        raise program.died(f"was not ready after {within_s:.0f} s")

    async def watch(self) -> None:
        """Run until a child ends that was not asked to. Raises ProgramDied, which says which."""
        while True:
            for program in self._all:
                if program.wanted and program.process.returncode is not None:
                    raise program.died(f"ended with code {program.process.returncode}")
            await asyncio.sleep(_POLL_S * 4)

    async def stop(self, programs: list[Program], *, grace_s: float = _GRACE_S) -> None:
        """Ask these to stop, wait, kill what is left."""
        for number, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILL_S)):
            for program in programs:
                program.signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    for program in programs:
                        await program.process.wait()
                    return


async def run_to_end(argv: list[str], *, within_s: float = 30.0) -> str:
    """What a short command prints on stdout. Raises ProgramDied when it fails."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(None),
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    shown = " ".join([Path(argv[0]).name, *argv[1:3]])
    try:
        async with asyncio.timeout(within_s):
            out, err = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode != 0:
        lines = (out + err).decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        msg = f"`{shown} …` failed with code {process.returncode}:\n" + "\n".join(lines)
        raise ProgramDied(msg)
    return out.decode("utf-8", "replace")
