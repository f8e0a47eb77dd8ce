"""Staff of one hall: passwords as argon2id, bearer tokens and sessions as SHA-256. No default account."""

import asyncio
import json
import os
import secrets
from collections import deque
from hashlib import sha256
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from pydantic import BaseModel, Field

from hall_core.clock import Clock
from hall_core.errors import LoginNeeded, SettingsInvalid, TooManyAttempts

__all__ = ["Accounts"]

#: 19 MiB, 2 passes: 85 ms on a small box, so that logins cannot starve the hall
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
ATTEMPTS, WINDOW_S = 10, 60.0
SESSION_S = 12 * 3600.0


class _File(BaseModel):
    passwords: dict[str, str] = Field(default_factory=dict)
    tokens: dict[str, str] = Field(default_factory=dict)
    pepper: str = Field(default_factory=lambda: secrets.token_hex(32))


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


class Accounts:
    """Reads and writes the accounts file (mode 0600); keeps sessions in memory, so a restart ends them."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._file = self._load()
        self._stamp = self._mtime()
        self._sessions: dict[str, tuple[str, float]] = {}
        self._attempts: dict[str, deque[float]] = {}
        self._hashing = asyncio.Semaphore(1)

    @property
    def empty(self) -> bool:
        """True when nobody could log in."""
        self._refresh()
        return not (self._file.passwords or self._file.tokens)

    @property
    def pepper(self) -> bytes:
        """This box's own secret for request fingerprints."""
        return bytes.fromhex(self._file.pepper)

    def add_password(self, name: str) -> str:
        """Give `name` a new random password and return it; it is kept only as a hash."""
        password = secrets.token_urlsafe(12)
        self._file.passwords[name] = _HASHER.hash(password)
        self._save()
        return password

    def add_token(self, name: str) -> str:
        """Give `name` a new bearer token (256 bits) and return it."""
        token = secrets.token_urlsafe(32)
        self._file.tokens[_digest(token)] = name
        self._save()
        return token

    def of_token(self, token: str) -> str | None:
        """Whose bearer token this is."""
        self._refresh()
        return self._file.tokens.get(_digest(token))

    def of_session(self, session: str) -> str | None:
        """Whose session this is, while it lasts."""
        name, until = self._sessions.get(_digest(session), ("", 0.0))
        return name if self._clock.monotonic() < until else None

    async def login(self, name: str, password: str, place: str) -> str:
        """A new session's secret. Raises LoginNeeded, or TooManyAttempts from one place."""
        self._count(place)
        self._refresh()
        async with self._hashing:
            right = await asyncio.to_thread(self._verify, name, password)
        if not right:
            raise LoginNeeded
        self._attempts.pop(place, None)
        session = secrets.token_urlsafe(32)
        self._sessions[_digest(session)] = (name, self._clock.monotonic() + SESSION_S)
        return session

    def logout(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(session), None)

    def _verify(self, name: str, password: str) -> bool:
        try:
            return _HASHER.verify(self._file.passwords.get(name, ""), password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _count(self, place: str) -> None:
        now = self._clock.monotonic()
        seen = self._attempts.setdefault(place, deque(maxlen=ATTEMPTS))
        while seen and now - seen[0] > WINDOW_S:
            seen.popleft()
        if len(seen) == ATTEMPTS:
            raise TooManyAttempts(wait_s=round(WINDOW_S - (now - seen[0])) + 1)
        seen.append(now)
        if len(self._attempts) > 10_000:
            self._attempts.clear()

    def _mtime(self) -> int:
        return self._path.stat().st_mtime_ns if self._path.exists() else 0

    def _refresh(self) -> None:
        """Take over accounts that were added beside the running agent."""
        if self._mtime() != self._stamp:
            self._file, self._stamp = self._load(), self._mtime()

    def _load(self) -> _File:
        if not self._path.exists():
            self._file = _File()
            self._save()
            return self._file
        try:
            return _File.model_validate_json(self._path.read_bytes())
        except (OSError, ValueError) as error:
            msg = f"accounts file {self._path} cannot be read; mend it or remove it and add staff anew"
            raise SettingsInvalid(msg) from error

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(self._file.model_dump(), out)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._path)
        self._stamp = self._mtime()
