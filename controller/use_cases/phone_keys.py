"""The keys that open sealed phone numbers, as files.

`phone.key` is the first one. `phone.2.key`, `phone.3.key` … came by rotation; numbers are sealed to the
newest. What else is derived from a secret is derived from the first one's root (the extract step of HKDF):
when the first key is dropped, `phone.root` keeps the root, and a root opens nothing.
"""

import hmac
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hall_core.errors import SettingsInvalid

__all__ = ["PhoneKey", "PhoneKeys"]

_NUMBERED = re.compile(r"phone\.([1-9]\d*)\.key")


@dataclass(frozen=True, slots=True)
class PhoneKey:
    """One key pair; `number` 1 is the first one's."""

    number: int
    private: X25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        """What values sealed to it begin with: 8 hex digits that follow from the public key."""
        return sha256(self.public).hexdigest()[:8]

    @property
    def shown(self) -> str:
        """The public key, base64."""
        return b64encode(self.public).decode()


class PhoneKeys:
    """All keys of one folder, the oldest first. Never empty."""

    def __init__(self, first: Path) -> None:
        self._first = first
        self.root = b""
        self._keys: dict[str, PhoneKey] = {}

    @classmethod
    def open(cls, first: Path) -> Self:
        """The keys beside `first`, which is made at the first start.

        Raises SettingsInvalid when others may read one, or one is missing.
        """
        keys = cls(first)
        if not first.exists() and not keys._root_file.exists():
            if keys._numbered():
                raise SettingsInvalid(f"{first} is missing beside later keys; restore it from your backup")
            _write(first, X25519PrivateKey.generate().private_bytes_raw())
        keys.read()
        return keys

    def read(self) -> None:
        """Look at the folder again: another program may have rotated. Raises SettingsInvalid."""
        files = {1: self._first} if self._first.exists() else {}
        files |= self._numbered()
        if not files:
            raise SettingsInvalid(f"no key beside {self._root_file}; restore phone.*.key from your backup")
        made = [PhoneKey(n, X25519PrivateKey.from_private_bytes(_secret(files[n]))) for n in sorted(files)]
        self._keys = {key.id: key for key in made}
        first = made[0].private.private_bytes_raw()
        self.root = _secret(self._root_file) if self._root_file.exists() else _root_of(first)

    def __iter__(self) -> Iterator[PhoneKey]:
        return iter(self._keys.values())

    @property
    def newest(self) -> PhoneKey:
        """The key that is sealed to."""
        return list(self._keys.values())[-1]

    def named(self, key_id: str) -> PhoneKey | None:
        """The key with this id, also one made a moment ago by another program; None when it was dropped."""
        if key_id not in self._keys:
            self.read()
        return self._keys.get(key_id)

    def made_at(self, key: PhoneKey) -> float:
        """When its file was written, in seconds of Unix time."""
        return self._file(key).stat().st_mtime

    def rotate(self) -> PhoneKey:
        """A new key, on disk; the others stay."""
        self.read()
        made = PhoneKey(self.newest.number + 1, X25519PrivateKey.generate())
        _write(self._file(made), made.private.private_bytes_raw())
        self.read()
        return made

    def drop_old(self) -> list[str]:
        """Only the newest stays; gives the ids of those that went. What they sealed is unreadable now."""
        self.read()
        newest = self.newest
        old = [key for key in self if key.id != newest.id]
        if any(key.number == 1 for key in old) and not self._root_file.exists():
            _write(self._root_file, self.root)
        for key in old:
            self._file(key).unlink()
        _sync(self._first.parent)
        self.read()
        return [key.id for key in old]

    @property
    def _root_file(self) -> Path:
        return self._first.with_suffix(".root")

    def _file(self, key: PhoneKey) -> Path:
        return self._first if key.number == 1 else self._first.with_name(f"phone.{key.number}.key")

    def _numbered(self) -> dict[int, Path]:
        found = self._first.parent.glob("phone.*.key") if self._first.name == "phone.key" else ()
        return {int(name[1]): file for file in found if (name := _NUMBERED.fullmatch(file.name))}


def _root_of(secret: bytes) -> bytes:
    return hmac.digest(bytes(32), secret, "sha256")


def _secret(path: Path) -> bytes:
    """32 bytes that nobody else may read. Raises SettingsInvalid."""
    if path.stat().st_mode & 0o077:
        raise SettingsInvalid(f"{path} may be read by others; run: chmod 600 {path}")
    raw = path.read_bytes()
    if len(raw) != 32:
        raise SettingsInvalid(f"{path} is not a key of 32 bytes; restore it from your backup")
    return raw


def _write(path: Path, secret: bytes) -> None:
    """A new file, for this user alone, that is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    try:
        # never over another one: two programs may make a key at the same moment
        os.link(fresh, path)
    except FileExistsError as error:
        raise SettingsInvalid(f"{path} was made by another program just now; try again") from error
    finally:
        fresh.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
