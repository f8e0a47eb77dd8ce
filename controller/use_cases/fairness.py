"""Places that are given up come back at a moment nobody can foresee, so nobody can hand one over."""

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from controller.store import appointments as store
from controller.use_cases.draft import Draft
from hall_core.schedule.slots import SlotPlan, returns_at

__all__ = ["Fairness", "free_place"]

SHORTEST, LONGEST = timedelta(minutes=3), timedelta(minutes=20)


def _seed() -> bytes:
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Fairness:
    """How long a place that was given up stays away, and where chance comes from.

    `chance` is from 0 to 1, evenly; `seed` are 32 bytes nobody can guess.
    """

    shortest: timedelta = SHORTEST
    longest: timedelta = LONGEST
    chance: Callable[[], float] = random.SystemRandom().random
    seed: Callable[[], bytes] = _seed


def free_place(draft: Draft, fairness: Fairness, row: dict[str, Any], plan: SlotPlan) -> None:
    """The appointment's place is on its way back; when is drawn now and kept, also over a restart."""
    wait = fairness.shortest, fairness.longest
    at = returns_at(plan, row["starts_at"], draft.now, wait, fairness.chance())
    place = {name: row[name] for name in ("hall", "service", "starts_at")}
    if at <= draft.now:
        store.give_place(draft.tx, **place)
    else:
        store.return_place(draft.tx, {**place, "returns_at": at})
