"""Days as halls live them: people come in waves, take as long as they take, some do not come when called,
clerks pause. Every wait that was quoted is compared with the wait that was.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from heapq import heappop, heappush
from random import Random

from hall_core.queueing import commands as c
from hall_core.queueing.decide import Circumstances, decide
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact, TicketIssued
from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import CounterSetup, HallSetup, ServiceSetup
from hall_core.queueing.states import CounterState
from hall_core.schedule.hours import Hours

__all__ = ["SIZES", "Promise", "crowd", "live"]

ZONE = timezone(timedelta(hours=8))
DAY = date(2026, 11, 23)
BOX = "bench-box"
#: arrivals per minute relative to what the counters can serve, by hour of the day: two waves, a quiet noon
WAVES = {9: 1.15, 10: 1.05, 11: 0.75, 12: 0.4, 13: 0.9, 14: 1.1, 15: 0.95, 16: 0.5}
NO_SHOW, PAUSE, PRIORITY = 0.06, 0.02, 0.05
#: real service times: mean in minutes is not what the set-up says, and scatter is wide (lognormal sigma)
SIGMA = 0.6


@dataclass(frozen=True, slots=True)
class Promise:
    """What somebody was told, and what came of it, in minutes; `low` None: no range was quoted."""

    low: int | None
    high: int | None
    waited: float

    @property
    def held(self) -> bool:
        """True when the wait lay in the range, read as people read it: whole minutes."""
        return (
            self.low is not None
            and self.high is not None
            and self.low - 0.5 <= self.waited <= self.high + 0.5
        )


#: name -> counters, services
SIZES = {"community": (2, 2), "street": (5, 4), "district": (14, 7), "county": (33, 9)}


@dataclass(slots=True)
class _Hall:
    random: Random
    setup: HallSetup
    means: dict[str, float]
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 9, tzinfo=ZONE))
    queue: Queue = field(default_factory=Queue)
    told: dict[str, TicketIssued] = field(default_factory=dict)
    promises: list[Promise] = field(default_factory=list)
    later: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    count: int = 0

    def wish(self, command: c.Command) -> list[Fact]:
        facts = decide(self.queue, command, Circumstances(self.now, BOX))
        self.queue = replay(self.queue, facts)
        return facts

    def after(self, minutes: float, then: Callable[[], None]) -> None:
        self.count += 1
        heappush(self.later, (self.now + timedelta(minutes=minutes), self.count, then))

    def run(self) -> None:
        while self.later:
            self.now, _, then = heappop(self.later)
            then()

    # -- people ------------------------------------------------------------------------

    def arrive(self) -> None:
        if self.now.hour >= 17:
            return
        capacity = len(self.setup.counters) / (sum(self.means.values()) / len(self.means))
        per_min = capacity * WAVES.get(self.now.hour, 0.5)
        self.after(self.random.expovariate(per_min), self.arrive)
        service = self.random.choice(self.setup.services).id
        priority = "elder" if self.random.random() < PRIORITY else None
        name = f"t{self.count}"
        issue = c.IssueTicket(ticket_id=name, token=name, service=service, priority=priority)
        (fact,) = self.wish(issue)
        assert isinstance(fact, TicketIssued)
        self.told[name] = fact

    # -- clerks ------------------------------------------------------------------------

    def work(self, counter: str) -> None:
        state = self.queue.counters[counter].state
        if state is CounterState.PAUSED:
            self.wish(c.ResumeCounter(counter=counter))
        elif self.random.random() < PAUSE:
            self.wish(c.PauseCounter(counter=counter))
            self.after(self.random.uniform(5, 15), lambda: self.work(counter))
            return
        if not any(t.service in self.queue.counters[counter].services for t in self.queue.waiting.values()):
            if self.now.hour < 17 or self.queue.waiting:
                self.after(0.25, lambda: self.work(counter))
            return
        (called,) = self.wish(c.CallNext(counter=counter))
        ticket = self.queue.tickets[called.ticket_id]  # type: ignore[union-attr]
        told = self.told.pop(ticket.ticket_id, None)
        if told is not None:
            low, high = told.range_min or (None, None)
            self.promises.append(Promise(low, high, (self.now - told.at).total_seconds() / 60))
        if self.random.random() < NO_SHOW:
            self.after(1.5, lambda: self._missed(counter))
        else:
            self.after(self.random.uniform(0.2, 0.8), lambda: self._serve(counter, ticket.service))

    def _missed(self, counter: str) -> None:
        self.wish(c.NoShow(counter=counter))
        self.work(counter)

    def _serve(self, counter: str, service: str) -> None:
        self.wish(c.Start(counter=counter))
        # lognormal with the mean of this service
        mean = self.means[service]
        minutes = mean * self.random.lognormvariate(-SIGMA * SIGMA / 2, SIGMA)
        self.after(minutes, lambda: self._finish(counter))

    def _finish(self, counter: str) -> None:
        self.wish(c.Finish(counter=counter))
        self.after(self.random.uniform(0.05, 0.4), lambda: self.work(counter))


def live(size: str, seed: int) -> list[Promise]:
    """One day of a hall of this size: a promise per person who was called."""
    hall = _opened(size, seed)
    for k, counter in enumerate(hall.setup.counters):
        hall.after(k / 60, lambda counter=counter: hall.work(counter.id))  # type: ignore[misc]
    hall.after(0, hall.arrive)
    hall.run()
    return hall.promises


def crowd(size: str, waiting: int) -> tuple[Queue, datetime]:
    """A hall of this size in which every counter serves somebody and so many wait; and what time it is."""
    hall = _opened(size, 0)
    count = waiting + len(hall.setup.counters)
    for n in range(count):
        name = f"t{n}"
        hall.wish(
            c.IssueTicket(ticket_id=name, token=name, service=hall.random.choice(hall.setup.services).id)
        )
    for counter in hall.setup.counters:
        hall.wish(c.CallNext(counter=counter.id))
        hall.wish(c.Start(counter=counter.id))
    return hall.queue, hall.now + timedelta(minutes=3)


def _opened(size: str, seed: int) -> _Hall:
    """A hall of this size at nine in the morning."""
    random = Random(f"{size} {seed}")
    counters, services = SIZES[size]
    names = [f"s{i}" for i in range(services)]
    setup = HallSetup(
        hall="bench-hall",
        name="测算大厅",
        level="district",
        hours=Hours.always(),
        holidays="none",
        services=tuple(
            ServiceSetup(id=n, name=n, prefix="ABCDEFGHJ"[i], minutes=8) for i, n in enumerate(names)
        ),
        counters=tuple(
            CounterSetup(id=str(k + 1), name=str(k + 1), services=_served(names, k, random))
            for k in range(counters)
        ),
    )
    hall = _Hall(random, setup, {n: random.uniform(4, 14) for n in names})
    hall.wish(c.ConfigureHall(setup=setup))
    hall.wish(c.OpenBusinessDay(day=DAY))
    last = DAY + timedelta(days=1)
    hall.wish(c.GrantZone(grant_id="g", incarnation=BOX, zone=0, first_day=DAY, last_day=last))
    for counter in setup.counters:
        hall.wish(c.OpenCounter(counter=counter.id))
    return hall


def _served(names: list[str], k: int, random: Random) -> tuple[str, ...]:
    """Half of the counters serve everything, the others two services."""
    if k % 2 == 0:
        return tuple(names)
    return tuple(sorted({names[k % len(names)], random.choice(names)}))
