"""All devices of the box: who is poked when the hall has changed, and who gets which job.

Devices do not know each other: a slow or dead one delays nobody but those on its own wire.
"""

import asyncio
from collections.abc import Callable

from edge_agent.bell import Bell
from edge_agent.escalating import Escalating
from edge_agent.hall import Change, Hall
from edge_agent.inputs import Inputs
from edge_agent.keeper import DeviceKeeper, Opener, Tools
from edge_agent.own_notices import OwnNotices
from edge_agent.paging import PAGE_WITHIN_S, page_for, page_id
from edge_agent.reactions import slip, touched
from edge_agent.readers import Readers
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import Capability, DeviceState, Job, Outcome
from hall_core.queueing.facts import CallEscalated, Fact, TicketFact, TicketIssued
from hall_core.queueing.queue import Ticket
from hall_core.wire.envelope import DeviceReport

__all__ = ["Devices"]

#: a slip nobody could print for so long is of no use: the number stands on the screen
PRINT_WITHIN_S = 30.0
#: how often what depends on the clock alone is looked at
CLOCK_S = 15.0


class Devices:
    """All devices of the box. `bell` rings when what is known of one has changed."""

    def __init__(
        self,
        hall: Hall,
        devices: list[tuple[DeviceSetup, Profile]],
        opener: Opener,
        *,
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        ticket_url: Callable[[str], str],
        bell: Bell,
    ) -> None:
        self.bell = Bell(also=bell)
        #: the link of a slip, with what lets it count when its record is lost
        self.signed: Callable[[str, TicketIssued], str] = lambda url, _: url
        #: what is wrong with the box itself
        self.box: Callable[[], list[DeviceReport]] = list
        self._hall, self._ticket_url = hall, ticket_url
        self.readers = Readers(hall, new_id, self.bell)
        inputs = Inputs(hall, self.readers, new_id)
        tools = Tools(hall, opener, jitter, self.bell, inputs.hear, self._ended)
        self.keepers = [DeviceKeeper(setup, profile, tools) for setup, profile in devices]
        self._showing = [k for k in self.keepers if k.shows]
        self._printers = [k for k in self.keepers if k.can(Capability.PRINT_TICKET)]
        self.pagers = [k for k in self.keepers if k.can(Capability.PAGE_USER)]
        self.notices = OwnNotices(hall, [k for k in self.keepers if k.can(Capability.SMS_CHANNEL)])
        hall.by_hall = self.notices.by_hall
        hall.listeners.append(self.hear)

    async def run(self) -> None:
        """Keep all devices, and the key-pads' waiting counts fresh."""
        async with asyncio.TaskGroup() as tasks:
            for keeper in self.keepers:
                tasks.create_task(keeper.run(), name=f"device.{keeper.setup.name}")
            tasks.create_task(self._count_waiting(), name="devices.waiting")
            tasks.create_task(self._follow_the_clock(), name="devices.clock")
            tasks.create_task(self.notices.run(), name="devices.notices")
            tasks.create_task(Escalating(self._hall).run(), name="hall.escalation")

    def hear(self, change: Change) -> None:
        """A commit: poke what stands at the counters it touched, print and page and send what it asks for."""
        counters = touched(change.before, change.after)
        for keeper in self._showing:
            if keeper.setup.counter in counters or (keeper.of_the_hall and counters):
                keeper.poke()
        self.notices.hear(change)
        for fact in change.facts:
            self._page(change, fact)
            if isinstance(fact, TicketIssued) and fact.channel == "kiosk" and fact.issued_at is None:
                printer = _best(self._printers)
                if printer:
                    paper = slip(change.after, fact, self.signed(self._ticket_url(fact.token), fact))
                    printer.jobs.put(paper, PRINT_WITHIN_S)

    def outcome(self, job_id: str) -> str | None:
        """What came of a slip: pending, one of the outcomes, or None where nothing prints."""
        if not self._printers:
            return None
        for keeper in self._printers:
            outcome = keeper.jobs.outcome(job_id)
            if outcome is not None:
                return outcome
        return "pending"

    def paged(self, ticket: Ticket) -> str | None:
        """What came of the page for the ticket's last call, as in `outcome`; None when nobody paged."""
        pages = [page_id(ticket.ticket_id, ticket.call_no, again=again) for again in (True, False)]
        told = (k.jobs.outcome(page) for page in pages for k in self.pagers)
        return next((o for o in told if o is not None), None)

    def keeper(self, name: str) -> DeviceKeeper | None:
        """The keeper of a device, if the hall has it."""
        return next((k for k in self.keepers if k.setup.name == name), None)

    def reports(self) -> list[DeviceReport]:
        """All devices as the hall knows them."""
        return [*(k.report() for k in self.keepers), *self.box()]

    def _page(self, change: Change, fact: Fact) -> None:
        if not self.pagers or not isinstance(fact, TicketFact | CallEscalated):
            return
        before = change.before.tickets.get(fact.ticket_id)
        if before is not None and before.pager is not None and isinstance(fact, TicketFact):
            for keeper in self.pagers:  # whatever the holder does now, that call is over
                for again in (False, True):
                    keeper.jobs.withdraw(page_id(before.ticket_id, before.call_no, again=again))
        page, pager = page_for(change.after, fact), _best(self.pagers)
        if page is not None and pager is not None:
            pager.jobs.put(page, PAGE_WITHIN_S)

    def _ended(self, job: Job, outcome: Outcome) -> None:
        self.notices.ended(job, outcome)

    async def _follow_the_clock(self) -> None:
        """Opening hours, the end of "just called" and of asking for a rating come without any commit."""
        while True:
            await asyncio.sleep(CLOCK_S)
            for keeper in self._showing:
                if keeper.follows_the_clock:
                    keeper.poke()

    async def _count_waiting(self) -> None:
        pads = [k for k in self._showing if k.can(Capability.KEYPAD)]
        seen = 0
        while pads:
            seen = await self._hall.bell.wait_past(seen)
            for keeper in pads:
                keeper.poke()
            await asyncio.sleep(0.5)  # counts may lag a little: calls must not wait behind them


def _best(keepers: list[DeviceKeeper]) -> DeviceKeeper | None:
    """The first that works, else the first."""
    working = [k for k in keepers if k.state is not DeviceState.OFFLINE]
    return next(iter(working or keepers), None)
