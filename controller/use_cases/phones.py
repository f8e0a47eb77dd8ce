"""Phone numbers: sealed at once where they are typed, opened only right before a notice leaves.

Layout: id of the key (8 hex digits), a point, then base64url of X25519 ephemeral public key (32) ‖ nonce (12)
‖ AES-256-GCM ciphertext and tag, key = HKDF-SHA256 of the shared secret, info `quiethall phone 1`, associated
data = the ticket id. A WeChat openid has `wechat.` in front.
"""

import hmac
import json
import os
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from controller.store.notices import WECHAT
from controller.use_cases.phone_keys import PhoneKey, PhoneKeys
from hall_core.errors import PhoneInvalid, PhoneKeyDropped
from hall_core.personal import mask_numbers as mask_all
from hall_core.personal import mask_phone as mask

__all__ = ["PhoneBox", "mask", "mask_all"]

_MOBILE = re.compile(r"1[3-9]\d{9}")
_OPENID = re.compile(r"[A-Za-z0-9_-]{20,64}")
_INFO = b"quiethall phone 1"
_PEPPER_INFO = b"quiethall fingerprint 1"
_SLIP_INFO = b"quiethall slip 1"
_INDEX_INFO = b"quiethall phone index 1"
_CHAIN_INFO = b"quiethall chain of calls 1"
_OVERRIDE_INFO = b"quiethall override 1 "
_TIME_INFO = b"quiethall time 1"
_DRAW_INFO = b"quiethall seeds of draws 1"
_RECEIPTS_INFO = b"quiethall receipts 1 "
NONCE = 12


class PhoneBox:
    """Holds the controller's private keys. Nothing else can open a sealed number."""

    def __init__(self, keys: PhoneKeys) -> None:
        self.keys = keys
        self._pepper = self._derived(_PEPPER_INFO)
        #: what boxes sign paper slips with, so that a new box knows an old one's
        self.slip_key = b64encode(self._derived(_SLIP_INFO)).decode()
        #: seed of the key that signs the chains of calls
        self.chain_seed = self._derived(_CHAIN_INFO)
        #: seed of the key that signs the time for boxes whose clock is wrong
        self.time_seed = self._derived(_TIME_INFO)
        #: key that seals the seeds of draws until they are revealed
        self.draw_key = self._derived(_DRAW_INFO)
        self._index = self._derived(_INDEX_INFO)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The keys in and beside this file, made at the first start. Raises SettingsInvalid."""
        return cls(PhoneKeys.open(path))

    def _derived(self, info: bytes) -> bytes:
        """Derived from the first key's root: the same after every rotation."""
        return HKDFExpand(SHA256(), 32, info=info).derive(self.keys.root)

    @property
    def public(self) -> str:
        """The newest public key, base64: halls seal to it."""
        return self.keys.newest.shown

    def override_key(self, hall: str) -> bytes:
        """What the override codes of one hall are made with; its boxes are given it as base64."""
        return self._derived(_OVERRIDE_INFO + hall.encode())

    def receipt_door(self, gateway: str) -> str:
        """The secret part of the address where this gateway tells what became of notices: 128 bits."""
        return urlsafe_b64encode(self._derived(_RECEIPTS_INFO + gateway.encode())[:16]).decode().rstrip("=")

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
        """The same address, sealed to the newest key, for another ticket or the same. Raises PhoneInvalid."""
        way = WECHAT if sealed.startswith(WECHAT) else ""
        return way + self._seal(self.unseal(sealed, ticket_id), other_id)

    def _seal(self, address: str, ticket_id: str) -> str:
        newest = self.keys.newest
        once = X25519PrivateKey.generate()
        nonce = os.urandom(NONCE)
        key = _key(once.exchange(X25519PublicKey.from_public_bytes(newest.public)))
        sealed = AESGCM(key).encrypt(nonce, address.encode(), ticket_id.encode())
        text = urlsafe_b64encode(once.public_key().public_bytes_raw() + nonce + sealed).decode()
        return f"{newest.id}.{text}"

    def unseal(self, sealed: str, ticket_id: str) -> str:
        """`+86…`, or an openid. Raises PhoneInvalid for what no key or not this ticket opens, and
        PhoneKeyDropped, one of these, when the key it names is gone.
        """
        named, _, text = sealed.removeprefix(WECHAT).rpartition(".")
        try:
            raw = urlsafe_b64decode(text)
        except ValueError as error:
            raise PhoneInvalid from error
        for key in self._openers(named):
            try:
                shared = key.private.exchange(X25519PublicKey.from_public_bytes(raw[:32]))
                return AESGCM(_key(shared)).decrypt(raw[32:44], raw[44:], ticket_id.encode()).decode()
            except (ValueError, InvalidTag):
                continue
        raise PhoneInvalid

    def _openers(self, named: str) -> Iterable[PhoneKey]:
        """Values of earlier versions name no key: the first one, and those after it, are tried."""
        if not named:
            return self.keys
        key = self.keys.named(named)
        if key is None:
            raise PhoneKeyDropped(key=named)
        return (key,)

    def is_newest(self, sealed: str) -> bool:
        """True when it is sealed to the newest key."""
        return sealed.removeprefix(WECHAT).startswith(f"{self.keys.newest.id}.")

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
