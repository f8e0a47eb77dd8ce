"""Programs of other channels: what each key stands for, and how much it may ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from controller.store import channels as store
from controller.store.database import Database
from controller.use_cases.limits import Rate
from controller.use_cases.live import DEFAULT_ZONE
from hall_core.clock import Clock
from hall_core.errors import QuotaUsed

__all__ = ["Channels", "Program"]

_ZONE = ZoneInfo(DEFAULT_ZONE)


@dataclass(frozen=True, slots=True)
class Program:
    """Whose key it is. `channel` is where all its citizens asked, None when each request says so;
    `per_minute` counts all its requests, `per_day` its tickets and appointments; None is no limit.
    """

    name: str
    channel: str | None = None
    per_minute: int | None = None
    per_day: int | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Program":
        """From the key's row."""
        return cls(row["name"], row["channel"], row["per_minute"], row["per_day"])

    @property
    def owner(self) -> str:
        """How it stands in what it has asked for."""
        return f"key:{self.name}"


class Channels:
    """Counts what every key asks for. Requests a minute are this process's; tickets a day the database's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._rates: dict[tuple[str, int], Rate] = {}

    def admit(self, program: Program) -> None:
        """One request. Raises TooManyAttempts."""
        if program.per_minute is None:
            return
        same = (program.name, program.per_minute)
        if same not in self._rates:
            every_s = 60 / program.per_minute
            self._rates[same] = Rate(self._clock, at_once=program.per_minute, every_s=every_s)
        self._rates[same].take(program.name)

    async def admit_new(self, program: Program | None, key: str) -> None:
        """A ticket or an appointment more today; a request that was answered before is none more.

        Raises QuotaUsed.
        """
        if program is None or program.per_day is None:
            return
        today, tomorrow = _day(self._clock.now())
        limit, owner = program.per_day, program.owner
        used: Callable[[store.Tx], bool] = lambda tx: (  # noqa: E731
            store.made_since(tx, owner, today, limit) >= limit and not store.made(tx, owner, key)
        )
        if await self._database.read(used):
            wait_s = ceil((tomorrow - self._clock.now()).total_seconds())
            raise QuotaUsed(limit=limit, wait_s=wait_s)


def _day(now: datetime) -> tuple[datetime, datetime]:
    """The midnights around now."""
    today = datetime.combine(now.astimezone(_ZONE).date(), time(), _ZONE)
    return today, today + timedelta(days=1)
