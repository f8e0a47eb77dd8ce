"""Draws are announced, made and allotted, and places that were given up return: a round every few seconds.

Everything is kept in the database, so that any controller on it goes on where another one stopped, and none
does twice what was done.
"""

import asyncio
import json
import logging
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from controller.store import appointments as appointment_store
from controller.store import draws as store
from controller.store.database import STORAGE_DOWN
from controller.use_cases.booking import promise
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.draws import BY_DRAW, as_wish
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.seeds import is_sealed, open_seed, seal_seed
from controller.use_cases.slots import plan_or_default, slots_of_day
from hall_core.errors import SeedSealed, SlotFull
from hall_core.queueing.setup import ServiceSetup
from hall_core.schedule.draws import commitment, drawn
from hall_core.schedule.slots import Slot, SlotPlan, bookable, opening_of

__all__ = ["PlaceKeeper"]

logger = logging.getLogger(__name__)

Row = dict[str, Any]
LOOK_S = 2.0
#: the alarm of a draw whose seed no key here opens
STUCK = "draw-stuck"
#: people allotted, and places returned, in one transaction: others want the database too
AT_A_TIME = 50


@dataclass(slots=True)
class PlaceKeeper:
    """Looks after the places of slots that are not simply given to whoever asks."""

    context: Context
    _announced: set[tuple[str, str, date, datetime]] = field(default_factory=set)
    _stuck: set[str] = field(default_factory=set)
    _sealed: bool = False

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.look()
            except STORAGE_DOWN:
                logger.exception("draws and returning places wait for the database")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """One round. A quiet one writes nothing."""
        if not self._sealed:
            await self.context.change(self._seal)
            self._sealed = True
        await self._announce()
        now = self.context.clock.now()
        for row in await self.context.database.read(lambda tx: store.draws_due(tx, now)):
            await self._finish(row["draw_id"])
        while await self.context.database.read(lambda tx: appointment_store.freed_due(tx, now, 1)):
            await self.context.change(self._return)
            await asyncio.sleep(0)

    def _seal(self, draft: Draft) -> None:
        """Seeds that an earlier version kept in clear."""
        for row in store.announced(draft.tx):
            if not is_sealed(row["seed"]):
                sealed = seal_seed(self.context.phones.draw_key, bytes.fromhex(row["seed"]), row["draw_id"])
                store.change_draw(draft.tx, row["draw_id"], seed=sealed)

    async def _announce(self) -> None:
        """Commit to the seed of every draw that opens next, a day ahead."""
        due = [row for hall in self.context.live for row in self._next_draws(hall)]
        if due:

            def announce(draft: Draft) -> None:
                for row in due:
                    store.add_draw(draft.tx, {**row, "made_at": draft.now})

            await self.context.change(announce)
            now = self.context.clock.now()
            kept = {mark for mark in self._announced if mark[3] > now}
            self._announced = kept | {_mark(row) for row in due}

    def _next_draws(self, hall: LiveHall) -> list[Row]:
        queue = self.context.live.queue_of(hall)
        services = queue.setup.services if queue.setup else ()
        found = []
        for service in services:
            plan = service.appointments
            if plan is not None and plan.draw_min:
                row = self._next_draw(hall, service, plan)
                if row is not None:
                    found.append(row)
        return found

    def _next_draw(self, hall: LiveHall, service: ServiceSetup, plan: SlotPlan) -> Row | None:
        """The draw whose window opens next; None when it is announced, or its day has no slots."""
        now = local_time(self.context.live.queue_of(hall), self.context.clock.now())
        day = now.date() + timedelta(days=plan.days_ahead)
        if opening_of(plan, day, now.tzinfo) <= now:
            day += timedelta(days=1)
        opens_at = opening_of(plan, day, now.tzinfo)
        announced = (hall.hall, service.id, day, opens_at) in self._announced
        if announced or not slots_of_day(self.context, hall, service, plan, day):
            return None
        seed, draw_id = self.context.fairness.seed(), self.context.new_id()
        return {
            "draw_id": draw_id,
            "hall": hall.hall,
            "service": service.id,
            "day": day,
            "opens_at": opens_at,
            "closes_at": opens_at + timedelta(minutes=plan.draw_min),
            "seed": seal_seed(self.context.phones.draw_key, seed, draw_id),
            "commitment": commitment(seed),
        }

    async def _finish(self, draw_id: str) -> None:
        """The order first, then everybody's outcome in that order, some at a time."""
        try:
            await self.context.change(lambda draft: self._draw(draft, draw_id))
        except SeedSealed as error:
            await self._cannot(draw_id, error)
            return
        going_on = True
        while going_on:
            going_on = await self.context.change(lambda draft: self._allot(draft, draw_id))
            await asyncio.sleep(0)

    async def _cannot(self, draw_id: str, error: SeedSealed) -> None:
        """Said once; with the right key in its place the draw is made after all."""
        if draw_id in self._stuck:
            return
        logger.error("draw not made: %s", error)
        row = await self.context.database.read(lambda tx: store.draw(tx, draw_id))
        hall = row["hall"] if row else None
        zh = "摇号无法进行：种子是用另一把密钥封存的。请恢复控制端数据目录里原来的 phone.key，再重启控制端"
        en = "A draw cannot be made: its seed is sealed to another key. Restore the old phone.key, restart"
        await self.context.change(lambda draft: draft.raise_alarm(STUCK, hall, draw_id, zh, en))
        self._stuck.add(draw_id)

    def _draw(self, draft: Draft, draw_id: str) -> None:
        row = store.draw(draft.tx, draw_id, lock=True)
        if row is None or row["state"] != "open" or draft.now < row["closes_at"]:
            return  # another controller was quicker
        seed = open_seed(self.context.phones.draw_key, row["seed"], draw_id)
        order = drawn(seed, [name for name, _ in store.entries(draft.tx, draw_id)])
        store.rank(draft.tx, order)
        # From now on everybody may know the seed.
        store.change_draw(draft.tx, draw_id, state="drawn", drawn_at=draft.now, seed=seed.hex())
        draft.end_alarm(STUCK, row["hall"], draw_id)
        logger.info("draw made draw=%s registrations=%s", draw_id, len(order))

    def _allot(self, draft: Draft, draw_id: str) -> bool:
        """The next ones in the order; False when everybody has an outcome."""
        row = store.draw(draft.tx, draw_id, lock=True)
        if row is None or row["state"] != "drawn":
            return False
        entries = store.next_entries(draft.tx, draw_id, AT_A_TIME)
        if not entries:
            store.change_draw(draft.tx, draw_id, state="allotted")
            return False
        slots = self._slots(row["hall"], row["service"], row["day"])
        for entry in entries:
            wished = [slots[wish] for wish in json.loads(entry["wishes"]) if wish in slots]
            got = any(self._give(draft, row, entry, slot) for slot in wished)
            state = "booked" if got else "waiting-list"
            store.change_entry(draft.tx, entry["entry_id"], state=state, updated_at=draft.now)
        draft.halls.add(row["hall"])
        return True

    def _slots(self, hall_id: str, service_id: str, day: date) -> dict[str, Slot]:
        """What can still be booked of that day."""
        hall = self.context.hall(hall_id)
        queue = self.context.live.queue_of(hall)
        service = queue.setup.service(service_id) if queue.setup else None
        if service is None:
            return {}
        now = local_time(queue, self.context.clock.now())
        plan = plan_or_default(self.context, hall, service_id)
        slots = slots_of_day(self.context, hall, service, plan, day)
        return {as_wish(slot.starts_at): slot for slot in slots if bookable(plan, slot, now)}

    def _give(self, draft: Draft, of: Row, entry: Row, slot: Slot) -> bool:
        """An appointment under the registration's id and link."""
        hall = self.context.hall(of["hall"])
        same = ("channel", "priority", "phone_sealed", "phone_masked", "phone_index", "token", "fingerprint")
        row = {
            **{name: entry[name] for name in same},
            "appointment_id": entry["entry_id"],
            "hall": hall.hall,
            "service": of["service"],
            "day": of["day"],
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "state": "booked",
            "booking": 1,
            "person": entry["phone_index"],
            "owner": BY_DRAW,
            "key": entry["entry_id"],
        }
        try:
            plan = plan_or_default(self.context, hall, of["service"])
            return promise(self.context, draft, hall, row, plan) is not None
        except SlotFull:
            return False

    def _return(self, draft: Draft) -> None:
        """Places are offered again; who was drawn too late for one and waits goes before everybody."""
        for place in appointment_store.freed_due(draft.tx, draft.now, AT_A_TIME, take=True):
            hall, service, starts_at = place["hall"], place["service"], place["starts_at"]
            appointment_store.give_place(draft.tx, hall, service, starts_at)
            draft.halls.add(hall)
            queue = self.context.live.queue_of(self.context.hall(hall))
            zone = ZoneInfo(queue.setup.tz) if queue.setup else None
            day = starts_at.astimezone(zone).date()
            slot = self._slots(hall, service, day).get(as_wish(starts_at))
            if slot is not None:
                self._to_waiting(draft, {"hall": hall, "service": service, "day": day}, slot)

    def _to_waiting(self, draft: Draft, of: Row, slot: Slot) -> None:
        for entry in store.waiting(draft.tx, of["hall"], of["service"], of["day"], as_wish(slot.starts_at)):
            if self._give(draft, of, entry, slot):
                store.change_entry(draft.tx, entry["entry_id"], state="booked", updated_at=draft.now)
                return


def _mark(row: Row) -> tuple[str, str, date, datetime]:
    return row["hall"], row["service"], row["day"], row["opens_at"]
