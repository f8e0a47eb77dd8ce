"""A hall for tests: two services, three counters, and a box that wishes on a clock the test moves."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from hall_core.queueing import commands as c
from hall_core.queueing.decide import Circumstances, decide
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.setup import CounterSetup, HallSetup, ServiceSetup
from hall_core.schedule.hours import Hours

SHANGHAI = timezone(timedelta(hours=8))
MONDAY = date(2026, 11, 23)
BOX = "box-1"


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    """Local time of the hall."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def hall_setup(**changes: Any) -> HallSetup:
    """Social security (A) and residence (B); counter 1 takes A, 2 takes B, 3 takes both."""
    fields: dict[str, Any] = {
        "hall": "pingfang-1",
        "name": "平房区政务服务大厅",
        "level": "district",
        "hours": Hours.always(),
        "services": (
            ServiceSetup(id="social", name="社保", name_en="Social security", prefix="A"),
            ServiceSetup(id="residence", name="户籍", name_en="Residence", prefix="B", minutes=4),
        ),
        "counters": (
            CounterSetup(id="1", name="1号窗口", services=("social",)),
            CounterSetup(id="2", name="2号窗口", services=("residence",)),
            CounterSetup(id="3", name="3号窗口", services=("social", "residence")),
        ),
    }
    return HallSetup(**(fields | changes))


def grant(zone: int = 0, incarnation: str = BOX, **changes: Any) -> c.GrantZone:
    """A zone for one box, two weeks from Monday."""
    fields: dict[str, Any] = {
        "grant_id": f"grant-{incarnation}-{zone}",
        "incarnation": incarnation,
        "zone": zone,
        "first_day": MONDAY,
        "last_day": MONDAY + timedelta(days=13),
    }
    return c.GrantZone(**(fields | changes))


@dataclass
class Box:
    """One box: `wish` decides, keeps the facts and evolves, as the agent does."""

    queue: Queue = field(default_factory=Queue)
    now: datetime = field(default_factory=lambda: at(9))
    incarnation: str = BOX
    by_hall: frozenset[str] = frozenset()
    facts: list[Fact] = field(default_factory=list)
    issued: int = 0

    @classmethod
    def opened(cls, **setup: Any) -> "Box":
        """A box of a configured hall on its business day, with zone 0 and no counter open."""
        box = cls()
        box.wish(c.ConfigureHall(setup=hall_setup(**setup)))
        box.wish(c.OpenBusinessDay(day=MONDAY))
        box.wish(grant())
        return box

    def wish(self, command: c.Command) -> list[Fact]:
        """What the wish leads to; raises what `decide` raises."""
        facts = decide(self.queue, command, Circumstances(self.now, self.incarnation, self.by_hall))
        self.queue = replay(self.queue, facts)
        self.facts += facts
        return facts

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def issue(self, service: str = "social", **fields: Any) -> Ticket:
        """A new ticket, as the kiosk makes one."""
        self.issued += 1
        ticket_id = f"ticket-{self.issued}"
        self.wish(c.IssueTicket(ticket_id=ticket_id, token=f"token-{self.issued}", service=service, **fields))
        return self.queue.tickets[ticket_id]

    def ticket(self, ticket: Ticket) -> Ticket:
        """The ticket as it is now."""
        return self.queue.tickets[ticket.ticket_id]

    def open(self, *counters: str) -> None:
        for counter in counters:
            self.wish(c.OpenCounter(counter=counter))

    def call_next(self, counter: str = "1", **fields: Any) -> Ticket | None:
        """Press "next"; the ticket now in hand."""
        self.wish(c.CallNext(counter=counter, **fields))
        return self.queue.in_hand(counter)
