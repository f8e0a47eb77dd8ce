"""Visitors who rate their visit when they leave: at the counter's evaluator, else at a screen of the hall."""

import asyncio
from collections.abc import Callable
from random import Random

from simulators.demo_doors import NoAnswer
from simulators.demo_ledger import RatedVisit
from simulators.demo_town import Counter, HallDoors, Town

__all__ = ["Leaving"]

_SHARE = 0.35
_SCORES, _WEIGHTS = (5, 4, 3, 2, 1), (70, 20, 6, 3, 1)
_REASONS = ("waited", "slow", "unclear", "materials", "system")
_LOOKS, _LOOK_S = 10, 0.2


class Leaving:
    """Those who leave one counter. `leave` is told of everybody who was served."""

    def __init__(self, hall: HallDoors, counter: Counter, town: Town, random: Random) -> None:
        self._hall, self._counter, self._town, self._random = hall, counter, town, random

    def leave(self, ticket: str, tasks: asyncio.TaskGroup) -> None:
        """Some rate, each in a task of `tasks`."""
        if self._random.random() < _SHARE:
            tasks.create_task(self._rate(ticket), name=f"rating at {self._hall.id}/{self._counter.id}")

    async def _rate(self, ticket: str) -> None:
        score = self._random.choices(_SCORES, _WEIGHTS)[0]
        touch = self._counter.touch
        if touch is None or not await self._touched(touch, score):
            await self._at_screen(ticket, score)

    async def _touched(self, touch: Callable[[int], bool], score: int) -> bool:
        """True when the evaluator asked, and was answered."""
        for _ in range(_LOOKS):
            await asyncio.sleep(_LOOK_S)
            if touch(score):
                return True
        return False

    async def _at_screen(self, ticket: str, score: int) -> None:
        wish = {"request_id": self._town.new_id(), "ticket": ticket, "score": score}
        if score <= 2:
            wish["reasons"] = [self._random.choice(_REASONS)]
        try:
            answer = await self._hall.agent.rate(wish)
        except NoAnswer:
            self._town.ledger.unanswered += 1
            return
        if answer.ok:
            self._town.ledger.rated.append(RatedVisit(self._hall.id, ticket, score))
        else:
            self._town.ledger.refused[answer.problem] += 1
