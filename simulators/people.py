"""Citizens who arrive and clerks who call them, through the same doors as real ones."""

import asyncio
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hall_core.errors import UnknownAppointment
from simulators.demo_clerks import Clerk
from simulators.demo_doors import Answer, ControllerDoor, NoAnswer
from simulators.demo_ledger import BookedVisit, TakenTicket
from simulators.demo_links import Telephones
from simulators.demo_town import HallDoors, Town

__all__ = ["Citizens", "People"]

_ONLINE_SHARE = 0.15
_BOOKED_SHARE = 0.06
_PHONE_SHARE = 0.3
_PRIORITY_SHARE = 0.06
_SEVERAL_SHARE = 0.07
_RELATIVE_SHARE = 0.1
_PRIORITIES = ("elder", "pregnant", "military", "disabled")
#: how many people stand there when the doors open, in a hall of share 1
_AT_OPENING = 6
_ROUNDS = 30
_CHECK_INS = 5
_ZONE = ZoneInfo("Asia/Shanghai")
_BREATHE_S = 1.0


class Citizens:
    """Those of one hall: Poisson arrivals; most at the kiosk, some online, some leave a number for SMS."""

    def __init__(self, hall: HallDoors, controller: ControllerDoor, town: Town, random: Random) -> None:
        self._hall, self._controller, self._town, self._random = hall, controller, town, random
        self.telephones = Telephones(hall, controller, town, random)

    async def arrive(self, tasks: asyncio.TaskGroup) -> None:
        """People come until this is cancelled; each is a task of `tasks`."""
        name = f"citizen of {self._hall.id}"
        for _ in range(max(1, round(_AT_OPENING * self._hall.share))):
            tasks.create_task(self.take_one(), name=name)
        per_s = self._town.pace.arrivals_per_min * self._hall.share / 60
        while True:
            await asyncio.sleep(self._random.expovariate(per_s))
            tasks.create_task(self.take_one(), name=name)

    async def take_one(self, *, online: bool | None = None) -> Answer | None:
        """One person takes one number; None when nobody ever answered."""
        if online is None:
            if self._random.random() < _BOOKED_SHARE:
                return await self.come_by_appointment()
            online = self._random.random() < _ONLINE_SHARE
        wish = self._wish()
        request_id = self._town.new_id()
        try:
            answer = await self._ask(wish, request_id, online=online)
        except NoAnswer:
            self._town.ledger.unanswered += 1
            return None
        if answer.ok:
            given = self._note(answer.body, request_id, online=online, relative="relative_phone" in wish)
            await self.telephones.hold(given)
        else:
            self._town.ledger.refused[answer.problem] += 1
        return answer

    def _wish(self) -> dict[str, Any]:
        """What somebody has come for, and what they leave with it."""
        many = self._random.random() < _SEVERAL_SHARE and len(self._hall.services) > 1
        if many:
            count = min(self._random.choice((2, 2, 3)), len(self._hall.services))
            wish: dict[str, Any] = {"services": self._random.sample(self._hall.services, count)}
        else:
            wish = {"service": self._random.choice(self._hall.services)}
        if self._random.random() < _PRIORITY_SHARE:
            wish["priority"] = self._random.choice(_PRIORITIES)
        if self._random.random() < _PHONE_SHARE:
            wish["phone"] = self._town.phone(self._random)
            if self._random.random() < _RELATIVE_SHARE:
                wish["relative_phone"] = self._town.phone(self._random)
        return wish

    async def come_by_appointment(self) -> Answer | None:
        """One person books the nearest slot and checks in at the kiosk with its code."""
        # Where new days are drawn, places are given by person.
        phone = self._town.phone(self._random)
        wish: dict[str, Any] = {"service": self._random.choice(self._hall.services), "phone": phone}
        today = self._town.clock.now().astimezone(_ZONE).date()
        try:
            slots = await self._controller.slots(self._hall.id, wish["service"], today)
            free = [slot for slot in slots.body if slot["left"]] if slots.ok else []
            if not free:
                return await self.take_one(online=False)  # no slots for this: like everybody else
            wish["starts_at"] = free[0]["starts_at"]
            booked = await self._controller.book(self._hall.id, self._town.new_id(), wish)
            if not booked.ok:
                self._town.ledger.refused[booked.problem] += 1
                return booked
            visit = BookedVisit(self._hall.id, booked.body["appointment_id"], booked.body["code"])
            self._town.ledger.booked.append(visit)
            return await self._check_in(visit.code)
        except NoAnswer:
            self._town.ledger.unanswered += 1
            return None

    async def _check_in(self, code: str) -> Answer:
        """At the kiosk; a hall that is cut off may not have heard of a booking of a moment ago."""
        request_id = self._town.new_id()
        wish = {"appointment": code, "channel": "kiosk", "request_id": request_id}
        for _ in range(_CHECK_INS):
            answer = await self._hall.agent.take(wish)
            if answer.ok:
                self._note(answer.body, request_id, online=False, booked=True)
                return answer
            if answer.problem != UnknownAppointment.slug:
                break
            await asyncio.sleep(_BREATHE_S)
        self._town.ledger.refused[answer.problem] += 1
        return answer

    async def _ask(self, wish: dict[str, Any], request_id: str, *, online: bool) -> Answer:
        """The same request with the same id until it is answered. Raises NoAnswer in the end."""
        for _ in range(_ROUNDS):
            try:
                if online:
                    body = {**wish, "channel": "web"}
                    return await self._controller.take_online(self._hall.id, request_id, body)
                return await self._hall.agent.take({**wish, "request_id": request_id, "channel": "kiosk"})
            except NoAnswer:
                await asyncio.sleep(_BREATHE_S)
        raise NoAnswer(request_id)

    def _note(
        self,
        body: dict[str, Any],
        request_id: str,
        *,
        online: bool,
        booked: bool = False,
        relative: bool = False,
    ) -> TakenTicket:
        services = tuple(body.get("services", ()))
        given = TakenTicket(
            hall=self._hall.id,
            ticket_id=str(body["ticket_id"]),
            label=str(body["label"]),
            request_id=request_id,
            channel="online" if online else "kiosk",
            series=str(body.get("series", "hall")),
            token=str(body["token"]),
            booked=booked,
            services=services if len(services) > 1 else (),
            relative=relative,
        )
        self._town.ledger.tickets.append(given)
        return given


class People:
    """Everybody in all halls. `live` runs until `end_calling`, after which clerks only finish."""

    def __init__(
        self, halls: tuple[HallDoors, ...], controller: ControllerDoor, town: Town, *, seed: int
    ) -> None:
        self.ledger = town.ledger
        self._citizens = [
            Citizens(hall, controller, town, Random(f"{seed} citizens of {hall.id}")) for hall in halls
        ]
        self._clerks = [
            Clerk(hall, counter, town, Random(f"{seed} clerk {hall.id}/{counter.id}"))
            for hall in halls
            for counter in hall.counters
        ]
        self._arrivals: list[asyncio.Task[None]] = []

    async def live(self) -> None:
        """People arrive and are served."""
        async with asyncio.TaskGroup() as tasks:
            self._arrivals = [
                tasks.create_task(citizens.arrive(tasks), name="arrivals") for citizens in self._citizens
            ]
            for citizens in self._citizens:
                held = citizens.telephones
                self._arrivals.append(tasks.create_task(held.watch_missed(), name="missed calls"))
                self._arrivals.append(tasks.create_task(held.ask_for_a_draw(), name="draw"))
            for clerk in self._clerks:
                tasks.create_task(clerk.work(), name=f"clerk {clerk.name}")

    async def first_one(self) -> Answer | None:
        """One person of the first hall takes a number: the example the demo prints."""
        return await self._citizens[0].take_one(online=False)

    def close_doors(self) -> None:
        """Nobody comes any more; clerks go on with those who wait."""
        for arrivals in self._arrivals:
            arrivals.cancel()

    def end_calling(self) -> None:
        """Clerks finish whom they serve and call nobody else; then `live` ends."""
        for clerk in self._clerks:
            clerk.calling = False
