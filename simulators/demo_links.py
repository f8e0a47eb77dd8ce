"""What citizens do on their telephones: let others pass, come after a missed call, ask for a draw."""

import asyncio
from datetime import date
from random import Random
from typing import Any

from simulators.demo_doors import Answer, ControllerDoor, NoAnswer
from simulators.demo_ledger import LinkAct, Registration, TakenTicket
from simulators.demo_town import HallDoors, Town

__all__ = ["Telephones"]

#: of those who have a number
POSTPONE_SHARE = 0.04
#: of those whose call was missed
HERE_SHARE = 0.6
#: people who register for a draw; more than its first slot has places
IN_A_DRAW = 16
LOOK_S = 2.0
#: looks until the centre knows of a missed call
LOOKS = 5


class Telephones:
    """Those of one hall's citizens. An act is asked for once; without an answer nobody knows what it did."""

    def __init__(self, hall: HallDoors, controller: ControllerDoor, town: Town, random: Random) -> None:
        self._hall, self._controller, self._town, self._random = hall, controller, town, random

    async def hold(self, ticket: TakenTicket) -> None:
        """Somebody has a number; a few let those behind them go first."""
        if self._random.random() < POSTPONE_SHARE:
            await asyncio.sleep(self._random.uniform(*self._town.pace.to_counter_s))
            await self._act(ticket, "postpone")

    async def watch_missed(self) -> None:
        """Until cancelled: most of those who missed their call come after all."""
        seen = 0
        while True:
            missed = self._town.ledger.missed[seen:]
            seen += len(missed)
            for hall, ticket_id in missed:
                if hall == self._hall.id and self._random.random() < HERE_SHARE:
                    await self._come_after_all(ticket_id)
            await asyncio.sleep(LOOK_S / 2)

    async def _come_after_all(self, ticket_id: str) -> None:
        ticket = next((t for t in self._town.ledger.tickets if t.ticket_id == ticket_id), None)
        if ticket is None:
            return
        try:
            for _ in range(LOOKS):
                if await self._controller.citizen(ticket.token) == "no-show":
                    await self._act(ticket, "check-in")
                    return
                await asyncio.sleep(LOOK_S / 2)
        except NoAnswer:
            self._town.ledger.unanswered += 1

    async def _act(self, ticket: TakenTicket, action: str) -> None:
        ledger = self._town.ledger
        try:
            answer = await self._controller.act(ticket.token, action)
        except NoAnswer:
            ledger.unanswered += 1
            return
        if answer.ok:
            ledger.acts.append(LinkAct(self._hall.id, ticket.ticket_id, action))
        else:
            ledger.refused[answer.problem] += 1

    async def ask_for_a_draw(self) -> None:
        """When a draw of this hall opens, people register, each for the same time and some for one more."""
        try:
            while True:
                draws = await self._controller.draws(self._hall.id)
                running = next((d for d in draws.body if d["state"] == "running"), None) if draws.ok else None
                if running is not None:
                    await self._register_all(running)
                    return
                await asyncio.sleep(LOOK_S)
        except NoAnswer:
            self._town.ledger.unanswered += 1

    async def _register_all(self, draw: dict[str, Any]) -> None:
        slots = await self._controller.slots(self._hall.id, draw["service"], date.fromisoformat(draw["day"]))
        starts = [slot["starts_at"] for slot in slots.body] if slots.ok else []
        if not starts:
            return
        for _ in range(IN_A_DRAW):
            wishes = starts[: self._random.choice((1, 1, 1, 2))]
            body = {"wishes": wishes, "phone": self._town.phone(self._random)}
            answer = await self._controller.register(draw["id"], self._town.new_id(), body)
            self._registered(draw, answer)
            await asyncio.sleep(self._random.uniform(*self._town.pace.to_counter_s) / 4)

    def _registered(self, draw: dict[str, Any], answer: Answer) -> None:
        ledger = self._town.ledger
        if answer.ok:
            told = str(answer.body["registration"]), str(answer.body["token"])
            ledger.registered.append(Registration(self._hall.id, str(draw["id"]), *told))
        else:
            ledger.refused[answer.problem] += 1
