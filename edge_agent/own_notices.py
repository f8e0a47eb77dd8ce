"""Notices through the hall's own modem, while the link to the controller is down.

Numbers are kept in memory, by ticket, until the ticket closes; never on disk, never in a log. Whoever
sends is settled with the call itself, in its fact: the controller never sends what the hall took on.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from edge_agent.hall import Change, Hall
from edge_agent.keeper import DeviceKeeper
from hall_core.devices.vocabulary import DeviceState, Job, Outcome, SendText
from hall_core.errors import Refused
from hall_core.queueing import facts as f
from hall_core.queueing.commands import RecordNotice
from hall_core.queueing.notices import (
    BY_HALL,
    NOT_AFTER,
    NoticeDue,
    call_notice,
    confirmation,
    escalation_notice,
    nearly_notice,
    places,
)

__all__ = ["OwnNotices"]

logger = logging.getLogger(__name__)

Kind = Literal["called", "nearly", "confirmation", "recall", "relative"]
#: a modem that only has a weak signal still sends, and says this of itself
_STILL_SENDS = "weak signal"
_CLOSING = (f.TicketFinished, f.TicketCancelled, f.TicketLapsed)


class OwnNotices:
    """`linked` says whether the controller hears this hall; until somebody says so, it does."""

    def __init__(self, hall: Hall, modems: Sequence[DeviceKeeper]) -> None:
        self._hall, self._modems = hall, modems
        self.linked: Callable[[], bool] = lambda: True
        self._phones: dict[str, str] = {}
        self._relatives: dict[str, str] = {}
        self._sent: dict[str, tuple[str, Kind, int]] = {}
        self._ended: asyncio.Queue[tuple[str, Outcome]] = asyncio.Queue()

    def can_send(self) -> bool:
        """A modem of this hall works."""
        return any(_works(modem) for modem in self._modems)

    def keep(self, ticket_id: str, phone: str) -> None:
        """Remember a number (11 digits) while its ticket lives; without a modem nothing is remembered."""
        if self._modems:
            self._phones[ticket_id] = phone

    def keep_relative(self, ticket_id: str, phone: str) -> None:
        """The same for the number of whoever is told when the holder does not come."""
        if self._modems:
            self._relatives[ticket_id] = phone

    def forget(self, ticket_id: str) -> None:
        """Drop a ticket's numbers."""
        self._phones.pop(ticket_id, None)
        self._relatives.pop(ticket_id, None)

    def by_hall(self) -> frozenset[str]:
        """The tickets whose holders are told from here now."""
        if not (self._phones or self._relatives) or not self.can_send():
            return frozenset()
        if not self.linked():
            return frozenset(self._phones | self._relatives)
        # A number that no controller could be given is told from here, always.
        tickets = self._hall.queue.tickets
        own = {i for i in self._phones if i in tickets and tickets[i].phone_sealed is None}
        theirs = {i: tickets[i].relative for i in self._relatives if i in tickets}
        return frozenset(own | {i for i, named in theirs.items() if named and named.phone_sealed is None})

    def hear(self, change: Change) -> None:
        """A commit: send what it made ours, withdraw what it overtook, forget who has gone."""
        known = self._phones | self._relatives
        if not known:
            return
        for fact in change.facts:
            if isinstance(fact, f.TicketFact) and fact.ticket_id in known:
                self._withdraw(fact.ticket_id)
                if isinstance(fact, _CLOSING):
                    self.forget(fact.ticket_id)
            notice = self._due(change, fact)
            if notice is not None and notice.ticket_id in self._numbers(notice.kind):
                self._send(notice)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A job of any device ended."""
        if job.job_id in self._sent:
            self._ended.put_nowait((job.job_id, outcome))

    async def run(self) -> None:
        """Write down what came of each notice."""
        while True:
            job_id, outcome = await self._ended.get()
            ticket_id, kind, call_no = self._sent.pop(job_id)
            said = RecordNotice(ticket=ticket_id, notice=kind, call_no=call_no, outcome=outcome.value)
            try:
                await self._hall.handle(said)
            except Refused as error:
                logger.warning("notice not recorded ticket=%s outcome=%s: %s", ticket_id, outcome, error)

    def _due(self, change: Change, fact: f.Fact) -> NoticeDue | None:
        """The notice that this fact puts into the hall's hands."""
        queue = change.after
        ticket = queue.tickets.get(getattr(fact, "ticket_id", ""))
        if ticket is None or queue.setup is None:
            return None
        name = queue.setup.name
        if isinstance(fact, f.TicketCalled | f.TicketRecalled) and fact.notice_by == BY_HALL:
            return call_notice(fact, queue, name)
        if isinstance(fact, f.TicketIssued) and fact.notice_by == BY_HALL:
            return confirmation(ticket.ticket_id, ticket.label, fact.ahead, fact.at, name)
        if isinstance(fact, f.CallEscalated) and fact.notice_by == BY_HALL:
            return escalation_notice(fact, queue, name)
        if isinstance(fact, f.NoticeByHall) and (fact.notice, fact.outcome) == ("nearly", "pending"):
            ahead = places(queue, {ticket.service}, self._hall.now()).get(ticket.ticket_id)
            return None if ahead is None else nearly_notice(ticket, ahead, fact.at, name)
        return None

    def _numbers(self, kind: str) -> dict[str, str]:
        return self._relatives if kind == "relative" else self._phones

    def _send(self, notice: NoticeDue) -> None:
        modem = next((m for m in self._modems if _works(m)), self._modems[0])
        job_id = f"{notice.ticket_id}.{notice.kind}.{notice.call_no}"
        kind: Kind = notice.kind  # type: ignore[assignment]
        self._sent[job_id] = (notice.ticket_id, kind, notice.call_no)
        job = SendText(job_id=job_id, to=f"+86{self._numbers(kind)[notice.ticket_id]}", text=notice.text)
        modem.jobs.put(job, NOT_AFTER[notice.kind].total_seconds(), urgency=notice.priority)

    def _withdraw(self, ticket_id: str) -> None:
        for job_id in [j for j, (owner, _, _) in self._sent.items() if owner == ticket_id]:
            for modem in self._modems:
                modem.jobs.withdraw(job_id)


def _works(modem: DeviceKeeper) -> bool:
    weak = modem.state is DeviceState.DEGRADED and _STILL_SENDS in modem.detail
    return weak or modem.state is DeviceState.ONLINE
