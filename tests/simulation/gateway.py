"""A carrier of short messages that is honest when asked and unreliable otherwise."""

import asyncio
from random import Random

from controller.use_cases.ports import Asked, Busy, Fate, Parcel, ReceiptSink, Taken
from hall_core.errors import GatewayRejected, GatewayUnknown


class SimGateway:
    """Counts what it has accepted, by reference."""

    can_ask, at_once = True, 16

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.accepted: dict[str, int] = {}
        self.steady = False

    async def send(self, parcel: Parcel) -> Taken | Busy:
        await asyncio.sleep(self._rng.uniform(0.01, 0.3))
        fate = 1.0 if self.steady else self._rng.random()
        if fate < 0.06:
            return Busy("limit")
        if fate < 0.10:
            raise GatewayRejected("blacklist")
        if fate < 0.18:
            await asyncio.sleep(3)
            raise GatewayUnknown("time-out, not taken")
        # From here on the citizen gets it, whatever the answer says.
        self.accepted[parcel.client_ref] = self.accepted.get(parcel.client_ref, 0) + 1
        if fate < 0.34:
            await asyncio.sleep(3)
            raise GatewayUnknown("time-out, taken")
        return Taken(f"sms-{parcel.client_ref}")

    async def find(self, asked: Asked) -> Taken | None:
        await asyncio.sleep(self._rng.uniform(0.01, 0.3))
        if not self.steady and self._rng.random() < 0.2:
            raise GatewayUnknown("time-out")
        return Taken(f"sms-{asked.client_ref}", Fate.DELIVERED) if asked.client_ref in self.accepted else None

    async def run(self, told: ReceiptSink) -> None:
        """It has nothing to say by itself."""
        await asyncio.Event().wait()
