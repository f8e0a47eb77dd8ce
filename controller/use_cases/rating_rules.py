"""What happens to a bad rating, pure: its steps in their order, and by when.

`open → assigned → answered → called-back → closed`. A case may be given to somebody else before it is
answered; who was called back and is not satisfied gets another answer, or another person's; nobody closes a
case whose citizen was not called.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hall_core.errors import CaseNotReady

__all__ = ["CALL_RESULTS", "STATES", "STEPS", "RatingRules", "after_step", "steps_from"]

STATES = ("open", "assigned", "answered", "called-back", "closed")
#: what came of calling the citizen back
CALL_RESULTS = ("satisfied", "unreachable", "not")


@dataclass(frozen=True, slots=True)
class _Step:
    fits: frozenset[str]
    becomes: str


STEPS: Mapping[str, _Step] = {
    "assign": _Step(frozenset({"open", "assigned", "called-back"}), "assigned"),
    "answer": _Step(frozenset({"assigned", "called-back"}), "answered"),
    "call-back": _Step(frozenset({"answered", "called-back"}), "called-back"),
    "close": _Step(frozenset({"called-back"}), "closed"),
}


def after_step(state: str, step: str, label: str) -> str:
    """The state after this step. Raises CaseNotReady."""
    if state not in STEPS[step].fits:
        raise CaseNotReady(label=label, now=state, step=step)
    return STEPS[step].becomes


def steps_from(state: str) -> list[str]:
    """The steps that may be taken now, in their order."""
    return [name for name, step in STEPS.items() if state in step.fits]


@dataclass(frozen=True, slots=True)
class RatingRules:
    """How long everything may take, by the clock. `default_days`: after so many days without a rating the
    district counts a visit as satisfied (0: never); such visits are counted apart and are no ratings.
    """

    answer_within: timedelta = timedelta(hours=24)
    close_within: timedelta = timedelta(hours=120)
    default_days: int = 0

    def dues(self, opened: datetime) -> dict[str, datetime]:
        """By when a case that is opened now must be answered, and closed; the last never before the first."""
        longest = max(self.answer_within, self.close_within)
        return {"answer_due": opened + self.answer_within, "close_due": opened + longest}
