"""What people were told in the demo: every ticket and call a program acknowledged. The report checks it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

__all__ = [
    "BookedVisit",
    "CalledTicket",
    "Ledger",
    "LinkAct",
    "RatedVisit",
    "Registration",
    "TakenTicket",
]


@dataclass(frozen=True, slots=True)
class TakenTicket:
    """Somebody was told this number."""

    hall: str
    ticket_id: str
    label: str
    request_id: str
    #: `kiosk` answered by the agent, `online` answered by the controller
    channel: str
    #: `hall` or, taken while the hall was offline, `offline`
    series: str = "hall"
    #: opens the citizen's page
    token: str = ""
    #: it was booked ahead and checked in at the kiosk
    booked: bool = False
    #: what it stands for, when that is more than one service
    services: tuple[str, ...] = ()
    #: a relative was named
    relative: bool = False


@dataclass(frozen=True, slots=True)
class BookedVisit:
    """Somebody was promised a time."""

    hall: str
    appointment_id: str
    code: str


@dataclass(frozen=True, slots=True)
class CalledTicket:
    """A counter was told that it calls this number; `asked_at` is when the clerk asked."""

    hall: str
    counter: str
    ticket_id: str
    label: str
    asked_at: datetime
    by_key: bool = False


@dataclass(frozen=True, slots=True)
class RatedVisit:
    """Somebody's rating, 1 (worst) to 5, was taken at a screen of the hall."""

    hall: str
    ticket_id: str
    score: int


@dataclass(frozen=True, slots=True)
class LinkAct:
    """Somebody was told that this was done: `postpone` or `check-in`, on the page of their number."""

    hall: str
    ticket_id: str
    action: str


@dataclass(frozen=True, slots=True)
class Registration:
    """Somebody takes part in a draw."""

    hall: str
    draw: str
    registration: str
    token: str


@dataclass(slots=True)
class Ledger:
    """Grows while the demo runs."""

    tickets: list[TakenTicket] = field(default_factory=list)
    calls: list[CalledTicket] = field(default_factory=list)
    booked: list[BookedVisit] = field(default_factory=list)
    rated: list[RatedVisit] = field(default_factory=list)
    acts: list[LinkAct] = field(default_factory=list)
    registered: list[Registration] = field(default_factory=list)
    #: calls that clerks gave up: hall and ticket
    missed: list[tuple[str, str]] = field(default_factory=list)
    #: refusals by slug: part of a normal day
    refused: Counter[str] = field(default_factory=Counter)
    #: requests that were never answered: what they did is unknown, so they count as nothing
    unanswered: int = 0

    def taken(self, hall: str) -> int:
        """Numbers people of this hall were told."""
        return sum(1 for t in self.tickets if t.hall == hall)

    def called(self, hall: str) -> int:
        """Calls clerks of this hall were told."""
        return sum(1 for c in self.calls if c.hall == hall)
