"""Citizens and clerks: what they ask for, what they were told, and how often they ask again."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from controller.use_cases import citizen
from controller.use_cases.take_ticket import Given, TicketRequest, take_ticket
from hall_core.errors import Refused, StorageUnavailable
from hall_core.queueing import commands as c
from hall_core.queueing.queue import Counter, Queue
from hall_core.queueing.states import CounterState, TicketState
from tests.simulation.loop import Gone

if TYPE_CHECKING:
    from tests.simulation.world import World

#: how long somebody at a page waits before the page asks again by itself
PATIENCE_S = 8.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A number somebody holds, by whatever way it was told."""

    request: str
    ticket_id: str
    label: str
    token: str
    box: str | None


@dataclass(slots=True)
class Told:
    """Everything the world outside the programs may rely on."""

    shown: list[Shown] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    online: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    looks: int = 0


class People:
    """Everybody. Each request is a task of its own; `busy` counts those without an answer."""

    def __init__(self, world: "World", rng: Random) -> None:
        self.world, self.rng, self.told = world, rng, Told()
        self.busy: dict[asyncio.Task[None], None] = {}
        self._count = 0

    def do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = self.world.loop.create_task(work, name=name)
        self.busy[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self.busy[task]
        if not task.cancelled() and task.exception() is not None:
            self.world.wrong("program", f"{task.get_name()}: {task.exception()!r}")

    def _next(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count:05d}"

    def anything(self) -> None:
        """One more thing that somebody wants."""
        doers: list[tuple[int, Callable[[], object]]] = [
            (24, self.take),
            (6, self.bus),
            (9, self.take_online),
            (44, self.clerk),
            (4, self.cancel_by_phone),
            (2, self.check_in),
            (5, self.look),
        ]
        (doer,) = self.rng.choices([d for _, d in doers], [w for w, _ in doers])
        doer()

    # -- in the hall ----------------------------------------------------------------------------------

    def take(self, box: Any = None) -> str:
        """Somebody presses a button of the kiosk; gives the request's id."""
        request, service = self._next("press"), self.rng.choice(self.world.services)
        priority = self.rng.choice(["elder", "urgent"]) if self.rng.random() < 0.1 else None
        # One in nine comes for everything the hall does.
        more = tuple(s for s in self.world.services if s != service) if self._count % 9 == 0 else ()
        # Some press twice, and some pages ask again before they have heard.
        for _ in range(2 if self.rng.random() < 0.05 else 1):
            self.do(self._take(box or self.world.box, request, (service, *more), priority), f"take {request}")
        return request

    def bus(self) -> None:
        """Many at once: a box stores what comes together in one commit."""
        for _ in range(self.rng.randint(2, 12)):
            self.take()

    async def _take(self, box: Any, request: str, services: tuple[str, ...], priority: str | None) -> None:
        ticket_id = self.world.new_id()
        for attempt in range(12):
            # The page makes new ids for every try; the box knows the request by its own.
            fresh = ticket_id if attempt == 0 else self.world.new_id()
            command = c.IssueTicket(
                request_id=request,
                fingerprint=f"f-{services[0]}",
                ticket_id=fresh,
                token=f"k{fresh}",
                service=services[0],
                more_services=services[1:],
                priority=priority,
            )
            try:
                handled = await box.handle(command)
            except (Gone, StorageUnavailable):
                await asyncio.sleep(self.rng.uniform(1, 6))
                if request in self.told.labels:
                    return  # the other press was answered
                if box.unplugged:
                    box = self.world.box
                continue
            except Refused as error:
                self.world.say("refused", request, error.slug)
                return
            done = handled.queue.requests.get(request)
            ticket = handled.queue.tickets.get(done.ticket_id or "") if done else None
            if ticket is not None:
                self._show(Shown(request, ticket.ticket_id, ticket.label, ticket.token, box.name))
            return

    def _show(self, shown: Shown) -> None:
        told = self.told
        before = told.labels.setdefault(shown.request, shown.label)
        if before != shown.label:
            self.world.wrong("I2", f"{shown.request} was shown {before}, then {shown.label}")
        told.shown.append(shown)
        self.world.say("shown", shown.request, shown.label, shown.box or "online")

    def clerk(self) -> None:
        """The clerk of some counter does the next thing."""
        hall = self.world.box.hall
        counter_id = self.rng.choice(self.world.counters)
        if hall is None or counter_id not in hall.queue.counters:
            return
        command = self._wish(hall.queue, hall.queue.counters[counter_id])
        self.do(self._clerk(command), f"clerk {command.request_id}")

    def _wish(self, queue: Queue, counter: Counter) -> c.Command:
        rng, at = self.rng, counter.counter
        common = {"request_id": self._next("clerk"), "counter": at}
        if rng.random() < 0.03:
            kind = rng.choice([c.CloseCounter, c.PauseCounter, c.ResumeCounter, c.Start, c.Finish, c.Recall])
            return kind(**common)
        if counter.state is CounterState.CLOSED:
            return c.OpenCounter(**common)
        if counter.state is CounterState.PAUSED:
            return c.ResumeCounter(**common)
        held = queue.in_hand(at)
        if held is None:
            return self._free(queue, common)
        if held.state is TicketState.SERVING:
            return self._serving(common)
        kinds = [c.Start, c.NoShow, c.Recall, c.Hold, c.Return, c.Finish, c.CancelTicket]
        (kind,) = rng.choices(kinds, [50, 16, 16, 5, 3, 3, 3])
        return kind(**common)

    def _free(self, queue: Queue, common: dict[str, Any]) -> c.Command:
        back = [t for t in queue.tickets.values() if t.state in (TicketState.NO_SHOW, TicketState.HELD)]
        if back and self.rng.random() < 0.25:
            return c.Return(**common, ticket=self.rng.choice(back).ticket_id)
        waiting = list(queue.waiting)
        if waiting and self.rng.random() < 0.05:
            return c.Call(**common, ticket=self.rng.choice(waiting))
        return c.CallNext(**common)

    def _serving(self, common: dict[str, Any]) -> c.Command:
        roll = self.rng.random()
        if roll < 0.1:
            return c.Transfer(**common, to_service=self.rng.choice(self.world.services))
        if roll < 0.15:
            return c.Transfer(**common, to_counter=self.rng.choice(self.world.counters))
        if roll < 0.2:
            return c.Hold(**common)
        return c.Finish(**common) if roll < 0.5 else c.CallNext(**common, finish_current=True)

    async def _clerk(self, command: c.Command) -> None:
        for _ in range(3):
            try:
                handled = await self.world.box.handle(command)
            except (Gone, StorageUnavailable):
                await asyncio.sleep(self.rng.uniform(0.5, 4))
            except Refused:
                return
            else:
                self.told.calls += sum(fact.kind == "ticket-called" for fact in handled.facts)
                self.world.say("clerk", command.kind, *(fact.kind for fact in handled.facts))
                return

    # -- from outside ---------------------------------------------------------------------------------

    def take_online(self) -> str:
        """Somebody takes a number on a phone; gives the request's key."""
        rng, key = self.rng, self._next("key")
        phone = (
            f"1{rng.randint(3, 9)}{rng.randrange(10**9):09d}"
            if rng.random() < self.world.climate.phones
            else None
        )
        asked = TicketRequest(rng.choice(self.world.services), "web", phone)
        self.do(self._take_online(key, asked), f"online {key}")
        return key

    async def _take_online(self, key: str, asked: TicketRequest) -> None:
        again = self.rng.random() < 0.15
        hall = self.world.setup.hall
        for _ in range(15):
            try:
                async with asyncio.timeout(PATIENCE_S if self.rng.random() < 0.7 else 1.0):
                    given = await self.world.centre.ask(
                        lambda context: take_ticket(context, hall, asked, owner="sim", key=key)
                    )
            except (Gone, TimeoutError):
                await asyncio.sleep(self.rng.uniform(0.5, 5))
                continue
            except Refused as error:
                self.world.say("refused", key, error.slug)
                return
            if not isinstance(given, Given):
                self.world.say("refused", key, given.slug)
                if Refused.named(given.slug).passes() and self.rng.random() < 0.7:
                    await asyncio.sleep(self.rng.uniform(0.5, 20))
                    continue
                return
            ticket = given.ticket
            self.told.online[key] = ticket["series"]
            self._show(Shown(key, ticket["ticket_id"], ticket["label"], ticket["token"], None))
            if not again:
                return
            again = False
            await asyncio.sleep(self.rng.uniform(0.1, 30))

    def _holder(self) -> Shown | None:
        return self.rng.choice(self.told.shown[-40:]) if self.told.shown else None

    def cancel_by_phone(self) -> None:
        """Somebody gives a number up on its page."""
        self._by_link(citizen.cancel, "cancel")

    def check_in(self) -> None:
        """Somebody who missed the call is back."""
        self._by_link(citizen.check_in, "check-in")

    def _by_link(self, action: Callable[..., Coroutine[Any, Any, Any]], name: str) -> None:
        holder = self._holder()
        if holder is not None:
            self.do(self._ask(action, holder.token, name), f"{name} {holder.label}")

    async def _ask(self, action: Callable[..., Coroutine[Any, Any, Any]], token: str, name: str) -> None:
        try:
            view = await self.world.centre.ask(lambda context: action(context, token))
        except (Gone, Refused):
            return
        self.world.say(name, view["label"], view["state"])

    def look(self) -> None:
        """Somebody looks at a number's page."""
        holder = self._holder()
        if holder is not None:
            self.do(self._look(holder), f"look {holder.label}")

    async def _look(self, holder: Shown) -> None:
        try:
            view = await self.world.centre.ask(lambda context: citizen.view(context, holder.token))
        except (Gone, Refused):
            return
        self.told.looks += 1
        self.world.look(view)
