"""`.demo/`: what the demo keeps, and that only one demo uses it."""

import asyncio
import fcntl
import json
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hall_core.errors import SettingsInvalid

__all__ = ["Folder"]

_PARTS = ("data", "broker", "halls", "tty", "logs", "demo.json")
_REMOVED_AT_END = ("data", "broker", "halls", "tty", "demo.json")


class Folder:
    """The demo's folder, locked while entered. Raises SettingsInvalid when another demo runs in it."""

    def __init__(self, root: Path, *, fresh: bool, keep: bool) -> None:
        self.root = root.absolute()
        self.keep = keep
        self._fresh = fresh
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        """Logs of the programs."""
        return self.root / "logs"

    @property
    def tty(self) -> Path:
        """Ends of the simulated serial lines."""
        return self.root / "tty"

    @property
    def broker(self) -> Path:
        """The broker's configuration."""
        return self.root / "broker"

    def data(self, program: str) -> Path:
        """A program's own folder."""
        return self.root / "data" / program

    def hall_file(self, hall: str) -> Path:
        """A hall's YAML file."""
        return self.root / "halls" / f"{hall}.yaml"

    def pepper(self, hall: str) -> Path:
        """A hall's own secret for digests of ID numbers: random, made once for the data that stand here."""
        path = self.root / "halls" / f"{hall}.pepper"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32), "ascii")
        return path

    def remembered(self) -> dict[str, Any]:
        """The `demo.json` of the run whose data stand here, or nothing."""
        path = self.root / "demo.json"
        if not path.exists() or not (self.root / "data").exists():
            return {}
        found = json.loads(path.read_text("utf-8"))
        return found if isinstance(found, dict) else {}

    def remember(self, addresses: dict[str, Any]) -> None:
        """Write `demo.json`: it holds logins, so only its owner reads it."""
        path = self.root / "demo.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(addresses, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = (self.root / "lock").read_text().strip() or "?"
            os.close(self._lock)
            self._lock = None
            msg = (
                f"这里已有演示在运行（进程 {owner}）/ a demo already runs in {self.root} (process {owner}): "
                "stop it first, or start this one in another folder"
            )
            raise SettingsInvalid(msg) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        if self._fresh or not self.remembered():
            self._remove(_PARTS)
        self.logs.mkdir(exist_ok=True)
        self.tty.mkdir(exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            # After a failure the data stay: somebody will want to look at them. Being stopped is none.
            failed = kind is not None and not issubclass(kind, asyncio.CancelledError)
            if not self.keep and not failed:
                self._remove(_REMOVED_AT_END)
            os.close(self._lock)

    def _remove(self, names: tuple[str, ...]) -> None:
        for name in names:
            path = self.root / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
