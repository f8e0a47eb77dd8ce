"""Seeds of draws, sealed until they are revealed: whoever reads the database alone cannot foresee an order.

Layout: id of the key (8 hex digits), a point, then base64url of nonce (12) ‖ AES-256-GCM ciphertext and tag,
associated data = the draw's id. The key is derived from the root of the phone keys: it outlives rotations.
A seed of an earlier version, or one that was revealed, is hexadecimal.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hall_core.errors import SeedSealed

__all__ = ["is_sealed", "open_seed", "seal_seed"]

NONCE = 12


def seal_seed(key: bytes, seed: bytes, draw_id: str) -> str:
    """The seed as only the holder of the key can read it, and only as this draw's."""
    nonce = os.urandom(NONCE)
    text = urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, seed, draw_id.encode())).decode()
    return f"{_id(key)}.{text}"


def open_seed(key: bytes, kept: str, draw_id: str) -> bytes:
    """The 32 bytes. Raises SeedSealed for one that another key sealed, or for another draw."""
    if not is_sealed(kept):
        return bytes.fromhex(kept)
    named, _, text = kept.partition(".")
    try:
        raw = urlsafe_b64decode(text)
        return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], draw_id.encode())
    except (ValueError, InvalidTag) as error:
        raise SeedSealed(f"draw {draw_id}: its seed is sealed to key {named}, this is {_id(key)}") from error


def is_sealed(kept: str) -> bool:
    """False for a seed that stands there in clear."""
    return "." in kept


def _id(key: bytes) -> str:
    return sha256(b"id of " + key).hexdigest()[:8]
