"""A message gateway that misbehaves as told, and remembers what it took."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.use_cases.ports import Busy, Taken
from hall_core.errors import GatewayRejected, GatewayUnknown


@dataclass
class FakeGateway:
    """`plan` holds what happens to each next send: ok, busy, reject, lost (taken, no answer), gone (not
    taken, no answer), hang. `blind` makes questions go unanswered.
    """

    now: Callable[[], object]
    plan: list[str] = field(default_factory=list)
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)
    times: dict[str, object] = field(default_factory=dict)
    sends: list[str] = field(default_factory=list)
    doubled: int = 0
    blind: bool = False
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, *, client_ref: str, to: str, text: str) -> Taken | Busy:
        self.sends.append(client_ref)
        what = self.plan.pop(0) if self.plan else "ok"
        if what == "busy":
            return Busy("HTTP 429")
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

    async def find(self, client_ref: str) -> Taken | None:
        if self.blind:
            raise GatewayUnknown("ReadTimeout")
        return Taken("found") if client_ref in self.taken else None
