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

from controller.store.notices import WECHAT
from hall_core.errors import PhoneInvalid, SettingsInvalid

__all__ = ["PhoneBox", "mask", "mask_all"]

_MOBILE = re.compile(r"1[3-9]\d{9}")
_OPENID = re.compile(r"[A-Za-z0-9_-]{20,64}")
_INFO = b"quiethall phone 1"
_PEPPER_INFO = b"quiethall fingerprint 1"
_SLIP_INFO = b"quiethall slip 1"
_INDEX_INFO = b"quiethall phone index 1"
_CHAIN_INFO = b"quiethall chain of calls 1"
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
        #: what boxes sign paper slips with, so that a new box knows an old one's
        self.slip_key = b64encode(HKDF(SHA256(), 32, salt=None, info=_SLIP_INFO).derive(secret)).decode()
        #: seed of the key that signs the chains of calls
        self.chain_seed = HKDF(SHA256(), 32, salt=None, info=_CHAIN_INFO).derive(secret)
        self._index = HKDF(SHA256(), 32, salt=None, info=_INDEX_INFO).derive(secret)

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
        return self._seal(f"+86{phone}", ticket_id)

    def seal_openid(self, openid: str, ticket_id: str) -> str:
        """A WeChat openid instead of a number: whoever carries notices sees which it is, and no more.

        Raises PhoneInvalid.
        """
        if not _OPENID.fullmatch(openid):
            raise PhoneInvalid
        return WECHAT + self._seal(openid, ticket_id)

    def reseal(self, sealed: str, ticket_id: str, other_id: str) -> str:
        """The same address for another ticket. Raises PhoneInvalid."""
        way = WECHAT if sealed.startswith(WECHAT) else ""
        return way + self._seal(self.unseal(sealed, ticket_id), other_id)

    def _seal(self, address: str, ticket_id: str) -> str:
        once = X25519PrivateKey.generate()
        nonce = os.urandom(NONCE)
        key = _key(once.exchange(self._public))
        sealed = AESGCM(key).encrypt(nonce, address.encode(), ticket_id.encode())
        public = once.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return urlsafe_b64encode(public + nonce + sealed).decode()

    def unseal(self, sealed: str, ticket_id: str) -> str:
        """`+86…`, or an openid. Raises PhoneInvalid for what this key or this ticket does not open."""
        try:
            raw = urlsafe_b64decode(sealed.removeprefix(WECHAT))
            shared = self._private.exchange(X25519PublicKey.from_public_bytes(raw[:32]))
            return AESGCM(_key(shared)).decrypt(raw[32:44], raw[44:], ticket_id.encode()).decode()
        except (ValueError, InvalidTag) as error:
            raise PhoneInvalid from error

    def index(self, phone: str) -> str:
        """A keyed digest of a number: the same for the same number, and no way back. Raises PhoneInvalid."""
        if not _MOBILE.fullmatch(phone):
            raise PhoneInvalid
        return hmac.new(self._index, phone.encode(), sha256).hexdigest()[:32]

    def fingerprint(self, body: dict[str, Any]) -> str:
        """A keyed digest of a request's body: tells two requests apart and gives nothing away."""
        text = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hmac.new(self._pepper, text.encode(), sha256).hexdigest()[:32]


def _key(shared: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=_INFO).derive(shared)
