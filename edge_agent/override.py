"""Override codes: numbers for a box that holds none and reaches nobody, read out on the telephone."""

from base64 import b64decode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from edge_agent.hall import Hall
from edge_agent.sealing import fingerprint
from hall_core.errors import OverrideInvalid, OverrideUnavailable, TooManyAttempts
from hall_core.queueing.commands import GrantZone
from hall_core.queueing.numbering import ZONE_SIZE
from hall_core.queueing.override import box_tail, read_code

__all__ = ["Held", "Overrides"]

#: wrong codes in so many seconds, whoever types them
WRONG, WINDOW_S = 5, 60.0


@dataclass(frozen=True, slots=True)
class Held:
    """A zone this box may use: its numbers, and its days, both included."""

    first: int
    last: int
    first_day: date
    last_day: date


class Overrides:
    """Reads codes for one box. `key` gives base64 of the hall's override key, empty while nobody gave one."""

    def __init__(self, hall: Hall, name: str, key: Callable[[], str], pepper: bytes) -> None:
        self._hall, self._name, self._key, self._pepper = hall, name, key, pepper
        self._wrong: deque[float] = deque(maxlen=WRONG)

    @property
    def tail(self) -> str:
        """What this box is called on the telephone."""
        return box_tail(self._hall.journal.stream)

    @property
    def known(self) -> bool:
        """True when codes can be believed here."""
        return bool(self._key())

    @property
    def today(self) -> date:
        """The day numbers are given for."""
        return self._hall.queue.day or self._hall.now().date()

    def held(self) -> list[Held]:
        """The zones of this box that are not over."""
        mine = (g for g in self._hall.queue.grants if g.incarnation == self._hall.journal.stream)
        return [
            Held(g.zone * ZONE_SIZE + 1, (g.zone + 1) * ZONE_SIZE - 1, g.first_day, g.last_day)
            for g in mine
            if g.last_day >= self.today
        ]

    def holds_today(self) -> bool:
        """True when this box may give numbers today."""
        return any(held.first_day <= self.today for held in self.held())

    async def enter(self, code: str, request_id: str) -> None:
        """Take the zone this code gives. Raises OverrideUnavailable, TooManyAttempts after five wrong codes
        in a minute, OverrideInvalid, and what the hall refuses.
        """
        key = b64decode(self._key())
        if not key:
            raise OverrideUnavailable
        self._admit()
        try:
            said = read_code(code, key, hall=self._name, tail=self.tail, today=self.today)
        except OverrideInvalid:
            self._wrong.append(self._hall.clock.monotonic())
            raise
        grant = GrantZone(
            request_id=request_id,
            fingerprint=fingerprint(self._pepper, {"grant_id": said.grant_id}),
            grant_id=said.grant_id,
            incarnation=self._hall.journal.stream,
            zone=said.zone,
            first_day=said.first_day,
            last_day=said.last_day,
        )
        if not any(g.grant_id == said.grant_id for g in self._hall.queue.grants):
            await self._hall.handle(grant)

    def _admit(self) -> None:
        now = self._hall.clock.monotonic()
        if len(self._wrong) == WRONG and now - self._wrong[0] < WINDOW_S:
            raise TooManyAttempts(wait_s=round(WINDOW_S - (now - self._wrong[0])) + 1)
