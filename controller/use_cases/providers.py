"""Who may be given a notice now: gateways in their order, each with its limits and its circuit breaker."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from controller.store.notices import WECHAT, Claimable
from controller.use_cases.bucket import Bucket
from controller.use_cases.ports import NoticeGateway, Pushing
from hall_core.clock import Clock

__all__ = ["Breaker", "NumberLimits", "Provider", "Providers"]

#: so many failures in a row open the breaker
FAILURES = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 120.0
#: a gateway that asks to be slower gets nothing for so long
THROTTLED_S = 1.0


class Breaker:
    """Leaves a gateway that keeps failing alone for a while, then tries it with one notice.

    Notices that were under way together when it failed are one failure; after a failure ever fewer are
    under way at once, so that few are in doubt when it does not come back.
    """

    def __init__(self, clock: Clock, at_once: int = 16) -> None:
        self._clock, self._at_once = clock, at_once
        self._failures, self._pause_s, self._until = 0, FIRST_PAUSE_S, 0.0
        self._flying, self._era = 0, 0

    @property
    def closed(self) -> bool:
        """True while the gateway is believed to work."""
        return self._failures < FAILURES

    def allows(self) -> bool:
        """May it be given a notice now?"""
        return self.room() > 0

    def room(self) -> int:
        """How many more may be under way now."""
        if self.closed:
            return max(0, max(1, self._at_once >> 2 * self._failures) - self._flying)
        return int(self._flying == 0 and self._clock.monotonic() >= self._until)

    def usable(self) -> bool:
        """True unless it is left alone: then somebody else gets what is new."""
        return self.closed or self.allows()

    def wait_s(self) -> float:
        """How long until it may be tried again."""
        return 0.0 if self.closed else max(0.0, self._until - self._clock.monotonic())

    def begin(self) -> int:
        """A notice is on its way to it; the mark is for `end`."""
        self._flying += 1
        return self._era

    def end(self, mark: int, *, worked: bool | None) -> None:
        """What came of it; None when the notice never left."""
        self._flying -= 1
        if worked:
            self._failures, self._pause_s = 0, FIRST_PAUSE_S
        elif worked is not None and mark == self._era:
            self._era += 1
            self._failures += 1
            if self._failures > FAILURES:
                self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
            if not self.closed:
                self._until = self._clock.monotonic() + self._pause_s


@dataclass(frozen=True, slots=True)
class NumberLimits:
    """Notices one number may get; providers refuse, and count, what goes beyond theirs."""

    a_minute: int = 10
    a_day: int = 40

    def reached(self, in_a_minute: int, in_a_day: int) -> bool:
        """May this number get no more now?"""
        return in_a_minute >= self.a_minute or in_a_day >= self.a_day


@dataclass(slots=True)
class Provider:
    """One gateway. `name` stays the same over restarts: notices remember whom they were given to."""

    name: str
    gateway: NoticeGateway
    bucket: Bucket
    breaker: Breaker
    way: str = "sms"
    #: how it pushes receipts, if it can
    pushing: Pushing | None = None
    #: an alarm says that it does not work
    alarmed: bool = field(default=False)

    def take(self) -> int | None:
        """The breaker's mark for one more notice; None when there is no room for it now."""
        if not self.breaker.allows() or not self.bucket.try_take():
            return None
        return self.breaker.begin()

    def free(self) -> bool:
        """Is there room for a notice now?"""
        return self.breaker.allows() and self.bucket.wait_s() <= 0

    def ready_s(self) -> float:
        """How long until there is room."""
        return max(self.bucket.wait_s(), self.breaker.wait_s())


class Providers:
    """All gateways of a controller; for each way the first that works gets the new notices."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._all = {provider.name: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._all.values())

    def named(self, name: str) -> Provider | None:
        """The provider a notice was given to."""
        return self._all.get(name)

    def first(self, sealed: str | None) -> Provider | None:
        """Who would get a new notice to this address."""
        way = "wechat" if (sealed or "").startswith(WECHAT) else "sms"
        return self._first(way)

    def claimable(self) -> Claimable:
        """What may be claimed now. A way nobody serves is claimed too: its notices are put away."""
        ways = [w for w in ("sms", "wechat") if (p := self._first(w)) is None or p.free()]
        again = [p.name for p in self._all.values() if p.free()]
        return Claimable(ways, again, list(self._all))

    def room(self) -> int:
        """How many notices all of them together could be given now."""
        return sum(p.breaker.room() for p in self._all.values() if p.free())

    def wait_s(self) -> float:
        """How long until somebody has room; nobody need wake up before."""
        return min((p.ready_s() for p in self._all.values()), default=0.0)

    def _first(self, way: str) -> Provider | None:
        ours = [p for p in self._all.values() if p.way == way]
        return next((p for p in ours if p.breaker.usable()), ours[0] if ours else None)
