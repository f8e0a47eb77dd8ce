"""Real faults of a real machine: small and broken disks, killed system calls. They need root and some tools."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["ext4", "filled", "need", "run", "tmpfs", "until"]


def need(*tools: str) -> None:
    """Root and these programs. Missing them is a skip for a person and a failure for CI."""
    missing = [tool for tool in tools if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")]
    said = ["root"] if os.name == "nt" or os.geteuid() != 0 else []
    if said + missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"needs {', '.join(said + missing)}")


def run(*words: str | Path) -> str:
    """A program of the machine; what it said. Its failure is the test's."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr.strip()}"
    return done.stdout.strip()


@contextmanager
def tmpfs(folder: Path, mib: int) -> Iterator[Path]:
    """A disk of so many MiB in memory."""
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "quiethall-test", folder)
    try:
        yield folder
    finally:
        run("umount", folder)


@contextmanager
def ext4(image: Path, folder: Path, *, mib: int = 0, options: str = "loop") -> Iterator[Path]:
    """A disk in a file: made anew with `mib`, else as the file holds it."""
    if mib:
        with image.open("wb") as file:
            file.truncate(mib * 1024 * 1024)
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
    folder.mkdir(exist_ok=True)
    run("mount", "-t", "ext4", "-o", options, image, folder)
    try:
        yield folder
    finally:
        run("umount", folder)


@contextmanager
def filled(folder: Path, *, left: int) -> Iterator[None]:
    """Somebody's large file takes all room but `left` bytes; in the end it is removed."""
    file = folder / "somebody's large file"
    room = shutil.disk_usage(folder).free - left
    with file.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, room)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


async def until(truth, seconds: float = 20.0) -> None:
    """Ask again until it is so."""
    async with asyncio.timeout(seconds):
        while True:
            if await truth():
                return
            await asyncio.sleep(0.05)
