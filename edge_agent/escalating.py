"""Looks every second whether a call that nobody answers has to get louder; the queue's core says how."""

import asyncio
import logging

from edge_agent.hall import Hall
from hall_core.errors import Refused
from hall_core.queueing.commands import Escalate
from hall_core.queueing.escalating import escalation

__all__ = ["Escalating"]

logger = logging.getLogger(__name__)

LOOK_S = 1.0


class Escalating:
    """One hall's unanswered calls. What a step does is done by whoever hears its fact."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Take what is due now."""
        hall = self._hall
        for due in escalation(hall.queue, hall.now(), hall.by_hall()):
            try:
                await hall.handle(Escalate(ticket=due.ticket_id, call_no=due.call_no, step=due.step))
            except Refused as error:
                # They came this very moment, or the box cannot write: neither needs a louder call.
                logger.info("not escalated ticket=%s step=%s: %s", due.ticket_id, due.step, error.slug)
