"""Phone numbers: sealed at once where they are typed, opened only right before a notice leaves.

Layout (base64url): X25519 ephemeral public key (32) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag,
key = HKDF-SHA256 of the shared secret, info `quiethall phone 1`, associated data = the ticket id.
"""

import hmac
import json
import os
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hall_core.errors import PhoneInvalid, SettingsInvalid

__all__ = ["PhoneBox", "mask", "mask_all"]

_MOBILE = re.compile(r"1[3-9]\d{9}")
_INFO = b"quiethall phone 1"
_PEPPER_INFO = b"quiethall fingerprint 1"
NONCE = 12


def mask(phone: str) -> str:
    """`138****1234`."""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_all(text: str) -> str:
    """The text with every mobile number in it masked."""
    return _MOBILE.sub(lambda found: mask(found.group()), text)


class PhoneBox:
    """Holds the controller's private key. Nothing else can open a sealed number."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        secret = private.private_bytes_raw()
        self._pepper = HKDF(SHA256(), 32, salt=None, info=_PEPPER_INFO).derive(secret)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The key in this file, made at the first start. Raises SettingsInvalid when others may read it."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(X25519PrivateKey.generate().private_bytes_raw())
                file.flush()
                os.fsync(file.fileno())
        if path.stat().st_mode & 0o077:
            raise SettingsInvalid(f"{path} may be read by others; run: chmod 600 {path}")
        raw = path.read_bytes()
        if len(raw) != 32:
            raise SettingsInvalid(f"{path} is not a key of 32 bytes; restore it from your backup")
        return cls(X25519PrivateKey.from_private_bytes(raw))

    @property
    def public(self) -> str:
        """The public key, base64: halls seal to it."""
        return b64encode(self._public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def seal(self, phone: str, ticket_id: str) -> str:
        """The sealed number. Raises PhoneInvalid."""
        if not _MOBILE.fullmatch(phone):
            raise PhoneInvalid
        once = X25519PrivateKey.generate()
        nonce = os.urandom(NONCE)
        key = _key(once.exchange(self._public))
        sealed = AESGCM(key).encrypt(nonce, f"+86{phone}".encode(), ticket_id.encode())
        public = once.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return urlsafe_b64encode(public + nonce + sealed).decode()

    def unseal(self, sealed: str, ticket_id: str) -> str:
        """`+86…`. Raises PhoneInvalid for what this key or this ticket does not open."""
        try:
            raw = urlsafe_b64decode(sealed)
            shared = self._private.exchange(X25519PublicKey.from_public_bytes(raw[:32]))
            return AESGCM(_key(shared)).decrypt(raw[32:44], raw[44:], ticket_id.encode()).decode()
        except (ValueError, InvalidTag) as error:
            raise PhoneInvalid from error

    def fingerprint(self, body: dict[str, Any]) -> str:
        """A keyed digest of a request's body: tells two requests apart and gives nothing away."""
        text = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hmac.new(self._pepper, text.encode(), sha256).hexdigest()[:32]


def _key(shared: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=_INFO).derive(shared)
