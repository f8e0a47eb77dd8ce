"""A message gateway that misbehaves as told, and remembers what it took."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.use_cases.bucket import Bucket
from controller.use_cases.ports import Asked, Busy, Parcel, Receipt, ReceiptSink, Taken
from controller.use_cases.providers import Breaker, Provider
from hall_core.errors import GatewayRejected, GatewayUnknown


@dataclass
class FakeGateway:
    """`plan` holds what happens to each next send: ok, busy, down, reject, lost (taken, no answer), gone (not
    taken, no answer), hang. `blind` makes questions go unanswered. `tell` hands on a receipt.
    """

    now: Callable[[], object]
    plan: list[str] = field(default_factory=list)
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)
    times: dict[str, object] = field(default_factory=dict)
    sends: list[str] = field(default_factory=list)
    doubled: int = 0
    blind: bool = False
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    can_ask: bool = True
    at_once: int = 16
    parcels: list[Parcel] = field(default_factory=list)
    told: ReceiptSink | None = None

    async def run(self, told: ReceiptSink) -> None:
        self.told = told
        await asyncio.Event().wait()

    async def tell(self, receipt: Receipt) -> None:
        assert self.told
        assert await self.told(receipt)

    async def send(self, parcel: Parcel) -> Taken | Busy:
        client_ref, to, text = parcel.client_ref, parcel.to, parcel.text
        self.sends.append(client_ref)
        self.parcels.append(parcel)
        what = self.plan.pop(0) if self.plan else "ok"
        if what == "busy":
            return Busy("HTTP 429")
        if what == "down":
            return Busy("ConnectError", down=True)
        if what == "reject":
            raise GatewayRejected("opted-out")
        if what == "gone":
            raise GatewayUnknown("ReadTimeout")
        # A gateway without memory: whatever comes twice reaches the phone twice.
        self.doubled += client_ref in self.taken
        self.taken[client_ref] = (to, text)
        self.times[client_ref] = self.now()
        if what == "lost":
            raise GatewayUnknown("ReadTimeout")
        if what == "hang":
            self.hanging.set()
            await asyncio.Event().wait()
        return Taken(f"provider-{len(self.taken)}")

    async def find(self, asked: Asked) -> Taken | None:
        if self.blind:
            raise GatewayUnknown("ReadTimeout")
        return Taken("found") if asked.client_ref in self.taken else None


def provider(clock, gateway, name="first", way="sms", per_s=1000.0) -> Provider:
    """A gateway with generous limits."""
    return Provider(name, gateway, Bucket(clock, per_s=per_s, burst=10_000), Breaker(clock), way)
