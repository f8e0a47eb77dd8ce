"""The jobs of one device: paper, pages, messages. Each is done once, or not at all after its time."""

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_agent.bell import Bell
from hall_core.clock import Clock
from hall_core.devices.vocabulary import Job, Outcome

__all__ = ["Jobs"]

#: how many outcomes are remembered per device
OUTCOMES_KEPT = 500


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    urgency: int
    number: int
    deadline: float = field(compare=False)
    job: Job = field(compare=False)


class Jobs:
    """The most urgent first, then the oldest. `ended` hears once how each job ended."""

    def __init__(self, clock: Clock, ended: Callable[[Job, Outcome], None]) -> None:
        self._clock, self._ended = clock, ended
        self._bell = Bell()
        self._number = 0
        self._waiting: list[_Waiting] = []
        self._doing: _Waiting | None = None
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def put(self, job: Job, within_s: float, *, urgency: int = 0) -> None:
        """Do it within so many seconds, or never; 0 is the most urgent. A job is never taken twice."""
        if self.outcome(job.job_id) is not None:
            return
        self._number += 1
        insort(self._waiting, _Waiting(urgency, self._number, self._clock.monotonic() + within_s, job))
        self._bell.ring()

    async def next(self) -> Job:
        """The next job whose time has not passed; one that was begun and never ended is not begun again."""
        while True:
            seen = self._bell.count
            self.drop_old()
            if self._waiting:
                self._doing = self._waiting.pop(0)
                return self._doing.job
            await self._bell.wait_past(seen)

    def end(self, job: Job, outcome: Outcome) -> None:
        """This came of it."""
        self._doing = None
        self._outcomes[job.job_id] = outcome
        while len(self._outcomes) > OUTCOMES_KEPT:
            self._outcomes.popitem(last=False)
        self._ended(job, outcome)

    def again(self) -> None:
        """The job in hand certainly did not happen: it is tried once more, while its time lasts."""
        if self._doing is not None:
            insort(self._waiting, self._doing)
            self._doing = None
            self._bell.ring()

    def drop_old(self) -> None:
        """Give up what nobody could do in time."""
        now = self._clock.monotonic()
        self._give_up([w for w in self._waiting if now > w.deadline])

    def withdraw(self, job_id: str) -> None:
        """It is of no use any more; one that was begun already goes its way."""
        self._give_up([w for w in self._waiting if w.job.job_id == job_id])

    def outcome(self, job_id: str) -> str | None:
        """`pending`, one of the outcomes, or None for a job nobody gave."""
        if job_id in self._outcomes:
            return self._outcomes[job_id].value
        held = [*self._waiting, *([self._doing] if self._doing else [])]
        return "pending" if any(w.job.job_id == job_id for w in held) else None

    def _give_up(self, waiting: list[_Waiting]) -> None:
        for each in waiting:
            self._waiting.remove(each)
            self.end(each.job, Outcome.EXPIRED)
