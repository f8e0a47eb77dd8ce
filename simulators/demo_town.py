"""The demo's small town: its halls as people reach them, how quick people are, what they share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from hall_core.clock import Clock
from simulators.demo_doors import AgentDoor
from simulators.demo_ledger import Ledger

__all__ = ["FAST", "LIVELY", "Counter", "HallDoors", "Pace", "Town"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick people are. Pairs are the shortest and the longest, in seconds."""

    #: in a hall of share 1
    arrivals_per_min: float
    to_counter_s: tuple[float, float]
    service_s: tuple[float, float]
    idle_s: float
    pause_s: tuple[float, float]


#: for people who watch: as in a real hall, only a little quicker
LIVELY = Pace(
    arrivals_per_min=9.0, to_counter_s=(3.0, 8.0), service_s=(15.0, 45.0), idle_s=2.0, pause_s=(15.0, 40.0)
)
#: for unattended runs: a few hundred tickets a minute in all
FAST = Pace(
    arrivals_per_min=130.0, to_counter_s=(0.4, 0.8), service_s=(0.8, 1.6), idle_s=0.5, pause_s=(1.0, 3.0)
)


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter; `press` presses a key of its key-pad, `touch` a level (1 to 5) of its evaluator, if any.

    `touch` is False while the evaluator asks nothing.
    """

    id: str
    services: tuple[str, ...]
    press: Callable[[str], Awaitable[None]] | None = None
    touch: Callable[[int], bool] | None = None


@dataclass(frozen=True, slots=True)
class HallDoors:
    """One hall as people reach it; `share` are its arrivals relative to other halls."""

    id: str
    agent: AgentDoor
    services: tuple[str, ...]
    counters: tuple[Counter, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Town:
    """What everybody shares."""

    pace: Pace
    clock: Clock
    new_id: Callable[[], str]
    ledger: Ledger = field(default_factory=Ledger)

    def phone(self, random: Random) -> str:
        """A made-up mobile number; it lives in memory only."""
        return f"1{random.randint(3, 9)}{random.randrange(10**9):09d}"
