"""The time, signed: for boxes whose clock is so wrong that TLS refuses them.

A box asks over plain HTTP with a nonce of its own; the signature is over time and nonce, so neither an
older answer nor another's is of any use.
"""

import json
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.use_cases.limits import Rate, place_of
from hall_core.clock import Clock
from hall_core.errors import TimeUnsure

__all__ = ["TimeSigner", "TimeTeller"]

#: one address: so many at once, then one every so many seconds; a proxy makes a whole district one address
AT_ONCE, EVERY_S = 200, 0.05


class TimeSigner:
    """Signs the time. `public` is what boxes are given."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> str:
        """The public key (Ed25519), base64url."""
        return urlsafe_b64encode(self._private.public_key().public_bytes_raw()).decode()

    def sign(self, time: str, nonce: str) -> str:
        """Ed25519 over `["quiethall time 1","{time}","{nonce}"]`, base64url."""
        said = json.dumps(["quiethall time 1", time, nonce], separators=(",", ":"))
        return urlsafe_b64encode(self._private.sign(said.encode())).decode()


class TimeTeller:
    """Tells everybody the time, while this machine's own clock is right."""

    def __init__(self, clock: Clock, seed: bytes) -> None:
        self._clock, self._signer = clock, TimeSigner(seed)
        self._rate = Rate(clock, at_once=AT_ONCE, every_s=EVERY_S)

    def tell(self, nonce: str, address: str) -> dict[str, str]:
        """`{time, nonce, signature}`. Raises TooManyAttempts; TimeUnsure while the clock may be wrong."""
        self._rate.take(place_of(address))
        if not self._clock.trusted():
            raise TimeUnsure
        time = self._clock.now().isoformat(timespec="microseconds")
        return {"time": time, "nonce": nonce, "signature": self._signer.sign(time, nonce)}
