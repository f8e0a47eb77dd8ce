"""Who may do what: administrators with passwords and sessions, other programs with keys."""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from math import ceil

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from controller.store import channels as channel_store
from controller.store import people as people_store
from controller.store.database import Database, Tx
from controller.use_cases.bucket import Bucket
from controller.use_cases.channels import Channels, Program
from hall_core.clock import Clock
from hall_core.errors import LoginNeeded, TooManyAttempts

__all__ = ["SESSION_LASTS", "People", "add_admin", "add_key"]

SESSION_LASTS = timedelta(hours=12)
#: wrong logins from one address: so many at once, then one every so many seconds
TRIES, TRY_EVERY_S = 10, 30.0
#: addresses remembered
PLACES = 10_000
#: passwords hashed at the same time: each takes 19 MiB and most of a core
HASHERS = 2


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def _digest(secret: str) -> str:
    # Secrets are 256 random bits: a plain digest cannot be guessed back.
    return hashlib.sha256(secret.encode()).hexdigest()


def add_admin(tx: Tx, name: str, clock: Clock) -> str:
    """Add an administrator, or give a new password; the password is returned once and never stored."""
    password = secrets.token_urlsafe(15)
    row = {"name": name, "password_hash": _hasher().hash(password), "added_at": clock.now()}
    people_store.put_admin(tx, row)
    return password


def add_key(
    tx: Tx,
    name: str,
    clock: Clock,
    *,
    channel: str | None = None,
    per_minute: int | None = None,
    per_day: int | None = None,
) -> str:
    """Add another program's API key and its limits; it is returned once and never stored."""
    key = f"qh_{secrets.token_urlsafe(32)}"
    limits = {"channel": channel, "per_minute": per_minute, "per_day": per_day}
    channel_store.put_key(tx, {"name": name, "digest": _digest(key), "added_at": clock.now(), **limits})
    return key


class People:
    """Checks logins, sessions and keys."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._places: OrderedDict[str, Bucket] = OrderedDict()
        self._hands = asyncio.Semaphore(HASHERS)
        self.channels = Channels(database, clock)
        # Verified against when the name is unknown, so that both answers take as long.
        self._nobody = _hasher().hash(secrets.token_urlsafe(15))

    async def login(self, user: str, password: str, address: str) -> str:
        """A new session's secret. Raises TooManyAttempts before hashing, LoginNeeded for a wrong pair."""
        tries = self._tries(address)
        if not tries.try_take():
            raise TooManyAttempts(wait_s=ceil(tries.wait_s()))
        found = await self._read(lambda tx: people_store.password_hash(tx, user[:100]))
        async with self._hands:
            right = await asyncio.to_thread(_verify, found or self._nobody, password)
        if found is None or not right:
            raise LoginNeeded
        self._places.pop(address, None)
        secret, now = secrets.token_urlsafe(32), self._clock.now()
        row = {"digest": _digest(secret), "admin": user, "began_at": now, "ends_at": now + SESSION_LASTS}
        await self._database.write(lambda tx: people_store.add_session(tx, row, now))
        return secret

    async def logout(self, secret: str) -> None:
        """End a session."""
        await self._database.write(lambda tx: people_store.end_session(tx, _digest(secret)))

    async def admin(self, secret: str | None) -> str | None:
        """Whose session this secret is."""
        if not secret:
            return None
        now = self._clock.now()
        return await self._read(lambda tx: people_store.session_admin(tx, _digest(secret), now))

    async def program(self, key: str | None) -> Program | None:
        """Whose API key this is."""
        if not key:
            return None
        row = await self._database.read(lambda tx: channel_store.key_of(tx, _digest(key)))
        return Program.of(row) if row else None

    async def _read(self, work: Callable[[Tx], str | None]) -> str | None:
        return await self._database.read(work)

    def _tries(self, address: str) -> Bucket:
        """The address's own limit: nobody locks others out."""
        bucket = self._places.pop(address, None)
        if bucket is None:
            bucket = Bucket(self._clock, per_s=1 / TRY_EVERY_S, burst=TRIES)
        self._places[address] = bucket
        if len(self._places) > PLACES:
            self._places.popitem(last=False)
        return bucket


def _verify(hashed: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
