"""Phone numbers are sealed to the controller's key where they are typed; the hall cannot open them.

Layout: id of the controller's key (8 hex digits that follow from it), a point, then base64url of X25519
ephemeral public key (32) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag, key = HKDF-SHA256 of the shared
secret, info `quiethall phone 1`, associated data = the ticket id.
"""

import hmac
import json
import re
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from hall_core.errors import PhoneInvalid

__all__ = ["check_phone", "fingerprint", "seal_phone"]

_MOBILE = re.compile(r"^1[3-9]\d{9}$")
_INFO = b"quiethall phone 1"


def seal_phone(phone: str, *, ticket_id: str, controller_key: str, nonce: bytes) -> str:
    """The sealed number. `controller_key` is base64 of 32 bytes. Raises PhoneInvalid."""
    check_phone(phone)
    # 7 MB that a box keeps free until somebody leaves a phone number.
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415
        X25519PrivateKey,
        X25519PublicKey,
    )
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    once = X25519PrivateKey.generate()
    public = b64decode(controller_key)
    shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    key = HKDF(SHA256(), 32, salt=None, info=_INFO).derive(shared)
    sealed = AESGCM(key).encrypt(nonce, f"+86{phone}".encode(), ticket_id.encode())
    text = urlsafe_b64encode(once.public_key().public_bytes_raw() + nonce + sealed).decode()
    return f"{sha256(public).hexdigest()[:8]}.{text}"


def check_phone(phone: str) -> None:
    """Raises PhoneInvalid for what is no mobile number."""
    if not _MOBILE.fullmatch(phone):
        raise PhoneInvalid


def fingerprint(pepper: bytes, body: dict[str, Any]) -> str:
    """A keyed digest of a request's body: tells two requests apart without giving their content away."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hmac.new(pepper, text.encode(), sha256).hexdigest()[:16]
