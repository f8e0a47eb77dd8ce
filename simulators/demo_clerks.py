"""A clerk at one counter: opens it, calls, recalls, serves, sets aside, pauses; by page or by key-pad."""

import asyncio
from random import Random
from typing import Any

from simulators.demo_doors import Answer, NoAnswer
from simulators.demo_ledger import CalledTicket
from simulators.demo_ratings import Leaving
from simulators.demo_town import Counter, HallDoors, Town

__all__ = ["Clerk"]

_KEY_ANSWER_S = 3.0
_KEY_LOOK_S = 0.1
_BREATHE_S = 1.0
_PAUSE_SHARE = 0.015
_REASONS = ("取件", "系统处理", "短暂休息")


class Clerk:
    """Works until `calling` is False, then finishes whom it serves. Notes every call it was told of."""

    def __init__(self, hall: HallDoors, counter: Counter, town: Town, random: Random) -> None:
        self.calling = True
        self.name = f"{hall.id}/{counter.id}"
        self._hall, self._counter, self._town, self._random = hall, counter, town, random
        self._leaving = Leaving(hall, counter, town, random)
        self._served: str | None = None

    async def work(self) -> None:
        """The working day, until the last one served has left."""
        async with asyncio.TaskGroup() as leaving:
            await self._work(leaving)

    async def _work(self, leaving: asyncio.TaskGroup) -> None:
        """What stays unanswered is tried again later, as a clerk would."""
        opened = False
        while self.calling:
            try:
                if opened:
                    await self._one_visit(leaving)
                else:
                    await self._open()
                    opened = True
            except NoAnswer:
                self._town.ledger.unanswered += 1
                await asyncio.sleep(_BREATHE_S)
        await self._finish_in_hand()

    async def _open(self) -> None:
        counter = (await self._look())[0]
        if counter["state"] == "closed":
            await self._act("open", clerk="演示")
        elif counter["state"] == "paused":
            await self._act("resume")
        await self._finish_in_hand()

    async def _one_visit(self, leaving: asyncio.TaskGroup) -> None:
        if self._random.random() < _PAUSE_SHARE:
            await self._pause()
        ticket = await self._call_next()
        # A key-pad's one key for the next person has ended the visit before only now.
        if self._served is not None:
            self._leaving.leave(self._served, leaving)
            self._served = None
        if ticket is None:
            await asyncio.sleep(self._town.pace.idle_s * self._random.uniform(0.8, 1.2))
            return
        await self._between(self._town.pace.to_counter_s)
        luck = self._random.random()
        if luck < 0.04:
            await self._press_or_act("no-show")
            self._town.ledger.missed.append((self._hall.id, ticket))
        elif luck < 0.06:
            await self._act("hold", reason="补材料")
            await self._between(self._town.pace.to_counter_s)
            await self._act("return", ticket=ticket)
        elif luck < 0.08:
            await self._act("transfer", to_service=self._random.choice(self._hall.services))
        else:
            if luck < 0.13:
                await self._press_or_act("recall")
                await self._between(self._town.pace.to_counter_s)
            await self._serve()
            self._served = ticket

    async def _serve(self) -> None:
        # A key-pad's one key for the next person starts and finishes the visit before.
        if self._counter.press is None:
            await self._act("start")
        await self._between(self._town.pace.service_s)
        if self._counter.press is None:
            await self._act("finish")

    async def _call_next(self) -> str | None:
        """The id of the ticket that is called now, or None when nobody waits."""
        if self._counter.press is not None:
            called = await self._call_by_key()
        else:
            asked_at = self._town.clock.now()
            answer = await self._act("call-next")
            in_hand = answer.body["counter"]["ticket"] if answer.ok else None
            called = (in_hand, asked_at) if in_hand else None
        if called is None:
            return None
        ticket, asked_at = called
        self._town.ledger.calls.append(
            CalledTicket(
                hall=self._hall.id,
                counter=self._counter.id,
                ticket_id=str(ticket["id"]),
                label=str(ticket["label"]),
                asked_at=asked_at,
                by_key=self._counter.press is not None,
            )
        )
        return str(ticket["id"])

    async def _call_by_key(self) -> tuple[dict[str, Any], Any] | None:
        counter, waiting = await self._look()
        before = counter["ticket"]["id"] if counter["ticket"] else None
        if self._counter.press is None or (before is None and waiting == 0):
            return None
        asked_at = self._town.clock.now()
        await self._counter.press("next")
        deadline = self._town.clock.monotonic() + _KEY_ANSWER_S
        while self._town.clock.monotonic() < deadline:
            await asyncio.sleep(_KEY_LOOK_S)
            ticket = (await self._look())[0]["ticket"]
            if ticket and ticket["id"] != before and ticket["state"] == "called":
                return ticket, asked_at
            if before and ticket is None:
                return None
        return None

    async def _finish_in_hand(self) -> None:
        """End the visit that is in hand; a clerk does not go home in the middle."""
        try:
            ticket = (await self._look())[0]["ticket"]
            if ticket and ticket["state"] == "called":
                await self._act("start")
            if ticket:
                await self._act("finish")
        except NoAnswer:
            self._town.ledger.unanswered += 1

    async def _pause(self) -> None:
        if (await self._look())[0]["ticket"]:
            return
        await self._act("pause", reason=self._random.choice(_REASONS))
        await self._between(self._town.pace.pause_s)
        await self._act("resume")

    async def _look(self) -> tuple[dict[str, Any], int]:
        """The counter as the hall shows it, and how many wait for its services."""
        state = await self._hall.agent.state()
        found = next(c for c in state["counters"] if c["id"] == self._counter.id)
        waiting = sum(s["waiting"] for s in state["services"] if s["id"] in self._counter.services)
        return found, waiting

    async def _press_or_act(self, action: str) -> None:
        if self._counter.press is not None and self._random.random() < 0.5:
            await self._counter.press(action)
        else:
            await self._act(action)

    async def _act(self, action: str, **wish: Any) -> Answer:
        body = {"request_id": self._town.new_id(), **wish}
        answer = await self._hall.agent.act(self._counter.id, action, body)
        if not answer.ok:
            self._town.ledger.refused[answer.problem] += 1
        return answer

    async def _between(self, seconds: tuple[float, float]) -> None:
        await asyncio.sleep(self._random.uniform(*seconds))
