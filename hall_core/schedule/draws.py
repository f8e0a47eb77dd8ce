"""The order of a draw, pure: committed to before anybody registers, revealed after, checked by all.

`commitment` = SHA-256 of the seed's 32 bytes. A registration's key = HMAC-SHA256 with the seed's bytes as
the key over the registration id in UTF-8. The order is that of the keys in lower-case hexadecimal, smallest
first; equal keys, which nobody will see, by the id.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

__all__ = ["commitment", "drawn", "findings"]

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


def findings(
    promised: str, seed: str, registrations: Sequence[str], order: Sequence[str]
) -> Iterator[tuple[bool, str]]:
    """Everything that was promised of a draw, each with whether it was kept. `seed` is as it was revealed."""
    try:
        raw = bytes.fromhex(seed)
    except ValueError:
        raw = b""
    kept = len(raw) == SEED and commitment(raw) == promised
    yield (
        kept,
        "the seed is the one that was committed to" if kept else "the seed is not the one committed to",
    )
    twice = [name for name, times in Counter(registrations).items() if times > 1]
    yield (
        not twice,
        f"{len(registrations)} registrations, each once" if not twice else f"{twice[0]} stands there twice",
    )
    follows = drawn(raw, registrations) == list(order)
    yield follows, "the order follows from the seed" if follows else "the order does not follow from the seed"
