"""How often one place, one phone number or one program may ask: counted before anything expensive."""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import ceil

from hall_core.clock import Clock
from hall_core.errors import Refused, TooManyAttempts

__all__ = ["Once", "Rate", "VisitorLimits", "place_of"]

#: numbers and appointments from one address: so many at once, then one every so many seconds.
#: A hall's own wireless network, and many phones of one carrier, share an address.
ADDRESS_AT_ONCE, ADDRESS_EVERY_S = 30, 6.0
#: the same for one phone number: a family takes a few
PHONE_AT_ONCE, PHONE_EVERY_S = 5, 600.0
#: other wishes from one address: give up, postpone, check in, rate
ACTS_AT_ONCE, ACTS_EVERY_S = 60, 2.0
#: addresses, numbers and forms remembered
REMEMBERED = 20_000


class Rate:
    """So many at once, then one every so many seconds; for each key on its own."""

    def __init__(self, clock: Clock, *, at_once: int, every_s: float) -> None:
        self._clock, self._every_s = clock, every_s
        self._slack = (at_once - 1) * every_s
        # When each key would be due if it had kept to its pace: all a token bucket needs to remember.
        self._due: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one more. Raises TooManyAttempts, and counts nothing, when it is too soon."""
        now = self._clock.monotonic()
        due = max(now, self._due.get(key, now))
        early = due - now - self._slack
        if early > 0:
            raise TooManyAttempts(wait_s=ceil(early))
        self._due[key] = due + self._every_s
        self._due.move_to_end(key)
        if len(self._due) > REMEMBERED:
            self._due.popitem(last=False)


def place_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 network that one line has in IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


class VisitorLimits:
    """What people without a key may do on the open pages."""

    def __init__(self, clock: Clock) -> None:
        self._addresses = Rate(clock, at_once=ADDRESS_AT_ONCE, every_s=ADDRESS_EVERY_S)
        self._phones = Rate(clock, at_once=PHONE_AT_ONCE, every_s=PHONE_EVERY_S)
        self._acts = Rate(clock, at_once=ACTS_AT_ONCE, every_s=ACTS_EVERY_S)
        self._forms: OrderedDict[str, None] = OrderedDict()

    def visit(self, address: str) -> None:
        """Somebody wants a number or an appointment. Raises TooManyAttempts."""
        self._addresses.take(place_of(address))

    def phone(self, index: str, form: str) -> None:
        """For this phone number, by its keyed digest; a form that is sent again counts once.

        Raises TooManyAttempts.
        """
        if form in self._forms:
            return
        self._phones.take(index)
        self._forms[form] = None
        if len(self._forms) > REMEMBERED:
            self._forms.popitem(last=False)

    def act(self, address: str) -> None:
        """Somebody with a link wants something done. Raises TooManyAttempts."""
        self._acts.take(place_of(address))


@dataclass(slots=True)
class _Begun:
    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: Refused | None = None


class Once:
    """Does what a form asks for once, however often the form is sent."""

    def __init__(self) -> None:
        self._begun: OrderedDict[str, _Begun] = OrderedDict()

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> None:
        """`work`, or its outcome when it was begun before. A refusal may be tried again."""
        before = self._begun.get(key)
        if before is not None:
            await before.done.wait()
            if before.error is not None:
                raise before.error
            return
        begun = self._begun[key] = _Begun()
        if len(self._begun) > REMEMBERED:
            self._begun.popitem(last=False)
        finished = False
        try:
            await work()
            finished = True
        except Refused as error:
            begun.error = error
            raise
        finally:
            if not finished:
                self._begun.pop(key, None)
            begun.done.set()
