"""The order of a draw, pure: committed to before anybody registers, revealed after, checked by all.

`commitment` = SHA-256 of the seed's 32 bytes. A registration's key = HMAC-SHA256 with the seed's bytes as
the key over the registration id in UTF-8. The order is that of the keys in lower-case hexadecimal, smallest
first; equal keys, which nobody will see, by the id.
"""

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256

__all__ = ["commitment", "drawn", "trouble"]

#: bytes of a seed
SEED = 32


def commitment(seed: bytes) -> str:
    """What is published before the window opens."""
    return sha256(seed).hexdigest()


def drawn(seed: bytes, registrations: Iterable[str]) -> list[str]:
    """The registrations in the order of the draw, in whatever order they came."""
    return sorted(registrations, key=lambda name: (_key(seed, name), name))


def _key(seed: bytes, registration: str) -> str:
    return hmac.new(seed, registration.encode(), sha256).hexdigest()


def trouble(promised: str, seed: bytes, registrations: Sequence[str], order: Sequence[str]) -> str:
    """Why this draw was not made as promised; empty when it was."""
    if len(seed) != SEED or commitment(seed) != promised:
        return "the seed is not the one that was committed to"
    if len(set(registrations)) != len(registrations):
        return "a registration stands twice"
    if drawn(seed, registrations) != list(order):
        return "the order does not follow from the seed"
    return ""
