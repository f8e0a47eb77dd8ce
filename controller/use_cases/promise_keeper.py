"""Sees to it that both sides of an appointment are kept to: who missed one is told what that means, who was
kept waiting gets a credit, and the hall an alarm for that and for a counter that stands idle.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.store import appointments as appointment_store
from controller.store import promises as store
from controller.store.database import STORAGE_DOWN
from controller.use_cases.appeals import notice_to_holder
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.promise_rules import GOODWILL, could_call, late_calls
from controller.use_cases.standing import standing_now
from hall_core.queueing.queue import Ticket
from hall_core.queueing.states import TicketState

__all__ = ["IDLE", "LATE", "PromiseKeeper"]

logger = logging.getLogger(__name__)

#: the alarms' kinds
LATE, IDLE = "late-booking", "idle-counter"
LOOK_S = 10.0
#: appointments missed before this are not told of any more
TELL_WITHIN = timedelta(days=2)
#: people told in one transaction, halls looked at before others have their turn
AT_A_TIME = 50


@dataclass(slots=True)
class PromiseKeeper:
    """Looks at every hall's queue. What it has found stands in the database; only since when a counter is
    seen idle is in memory.
    """

    context: Context
    _idle: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _credited: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.look()
            except STORAGE_DOWN:
                logger.exception("appointments' promises wait for the database")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """One round. A quiet one writes nothing."""
        context = self.context
        since = (context.clock.now() - TELL_WITHIN).date()
        if await context.database.read(lambda tx: store.to_tell(tx, since, 1)):
            await context.change(self._tell_missed)
        await self._mind_late()
        await self._mind_idle()

    def _tell_missed(self, draft: Draft) -> None:
        """A warning the first time; from when to when booking is paused, and how to appeal, when it is."""
        rules = self.context.promises
        for row in store.to_tell(draft.tx, (draft.now - TELL_WITHIN).date(), AT_A_TIME):
            appointment_store.change_appointment(draft.tx, row["appointment_id"], told_at=draft.now)
            if row["phone_index"] is None:
                continue
            kind, words = "missed", {"days": str(rules.within.days), "of": str(rules.misses)}
            standing = standing_now(draft.tx, rules, row["phone_index"], draft.now)
            if standing.until is not None:
                queue = self.context.live.queue_of(self.context.hall(row["hall"]))
                kind, words = "paused", {"until": f"{local_time(queue, standing.until):%m月%d日%H:%M}"}
            notice_to_holder(self.context, draft, row, kind, words)

    async def _mind_late(self) -> None:
        context, now = self.context, self.context.clock.now()
        late: list[tuple[LiveHall, Ticket]] = []
        async for hall in self._halls():
            queue = context.live.queue_of(hall)
            late += [(hall, t) for t in late_calls(queue, context.promises, now, present=hall.online)]
        self._credited &= {ticket.ticket_id for _, ticket in late}
        fresh = [(hall, ticket) for hall, ticket in late if ticket.ticket_id not in self._credited]
        waiting = {(h.hall, t.ticket_id) for h, t in late if t.state is TicketState.WAITING}
        is_open = await context.database.read(lambda tx: store.open_alarms(tx, LATE))
        over = {key for key in is_open - waiting if self._is_over(key[0])}
        if not fresh and not over:
            return

        def work(draft: Draft) -> None:
            for hall, ticket in fresh:
                self._credit(draft, hall, ticket)
            for hall_id, ticket_id in over:
                draft.end_alarm(LATE, hall_id, ticket_id)

        await context.change(work)
        self._credited |= {ticket.ticket_id for _, ticket in fresh}

    async def _halls(self) -> AsyncIterator[LiveHall]:
        """All halls, with a breath for others now and then."""
        for n, hall in enumerate(self.context.live, 1):
            yield hall
            if n % AT_A_TIME == 0:
                await asyncio.sleep(0)

    def _is_over(self, hall_id: str) -> bool:
        """False while the hall is away: nobody knows."""
        hall = self.context.live.by_id(hall_id)
        return hall is None or hall.online

    def _credit(self, draft: Draft, hall: LiveHall, ticket: Ticket) -> None:
        """Once for an appointment: a credit for its holder, an alarm for the hall."""
        setup = self.context.live.queue_of(hall).setup
        minutes = setup.credits_min.get(GOODWILL, 0) if setup else 0
        booked = appointment_store.appointment(draft.tx, ticket.ticket_id)
        if booked is None or store.credit_of(draft.tx, ticket.ticket_id) is not None:
            return
        # Without a number nobody can be known again.
        given = minutes if booked["phone_index"] else 0
        row = {"appointment_id": ticket.ticket_id, "hall": hall.hall, "minutes": given}
        store.add_credit(draft.tx, {**row, "given_at": draft.now})
        zh = f"{hall.name}：{ticket.label} 按时签到，超过预约时段仍未叫号，请尽快安排"
        en = f"{hall.name}: {ticket.label} checked in on time and was not called in its slot; see to it"
        draft.raise_alarm(LATE, hall.hall, ticket.ticket_id, zh, en)
        draft.halls.add(hall.hall)

    async def _mind_idle(self) -> None:
        context, now = self.context, self.context.clock.now()
        seen: dict[tuple[str, str], Ticket] = {}
        async for hall in self._halls():
            if hall.online:
                queue = context.live.queue_of(hall)
                found = could_call(queue, context.promises, now)
                seen |= {(hall.hall, counter): ticket for counter, ticket in found}
        self._idle = {key: self._idle.get(key, now) for key in seen}
        long = {key for key, since in self._idle.items() if now - since >= context.promises.idle}
        is_open = await context.database.read(lambda tx: store.open_alarms(tx, IDLE))
        fresh, over = long - is_open, {key for key in is_open - seen.keys() if self._is_over(key[0])}
        if not fresh and not over:
            return

        def work(draft: Draft) -> None:
            for hall_id, counter in sorted(fresh - store.open_alarms(draft.tx, IDLE)):
                self._alarm(draft, hall_id, counter, seen[hall_id, counter])
            for hall_id, counter in over:
                draft.end_alarm(IDLE, hall_id, counter)

        await context.change(work)

    def _alarm(self, draft: Draft, hall_id: str, counter: str, first: Ticket) -> None:
        hall = self.context.hall(hall_id)
        queue = self.context.live.queue_of(hall)
        known = queue.setup.counter(counter) if queue.setup else None
        name = known.name if known else counter
        minutes = int((draft.now - first.issued_at).total_seconds() // 60)
        zh = f"{hall.name}：{name} 空闲未叫号，{first.label} 已等 {minutes} 分钟"
        en = f"{hall.name}: {name} is free and calls nobody; {first.label} has waited {minutes} min"
        draft.raise_alarm(IDLE, hall_id, counter, zh, en)
