"""Which slots a service gives on a day, and how many places are left."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.store import appointments as appointment_store
from controller.use_cases.context import Context
from controller.use_cases.live import LiveHall, local_time
from hall_core.errors import HallUnreachable, NoSlots, UnknownService
from hall_core.queueing.opening import service_minutes
from hall_core.queueing.setup import HallSetup, ServiceSetup
from hall_core.schedule.slots import Slot, SlotPlan, bookable, slots_on

__all__ = ["open_slot", "plan_of", "plan_or_default", "slots_of_day", "slots_view"]


async def slots_view(context: Context, hall_id: str, service_id: str, day: date) -> list[dict[str, Any]]:
    """`{starts_at, ends_at, places, left}` of every slot that can be booked, earliest first.

    Full ones have `left` 0. Raises UnknownHall, UnknownService, HallUnreachable, NoSlots.
    """
    hall = await context.enrolled_hall(hall_id)
    _, service, plan = plan_of(context, hall, service_id)
    now = local_time(context.live.queue_of(hall), context.clock.now())
    slots = [slot for slot in slots_of_day(context, hall, service, plan, day) if bookable(plan, slot, now)]
    if not slots:
        return []
    first, last = slots[0].starts_at, slots[-1].starts_at
    taken = await context.database.read(
        lambda tx: appointment_store.taken_on(tx, hall.hall, service.id, first, last)
    )
    return [
        {
            "starts_at": slot.starts_at.isoformat(),
            "ends_at": slot.ends_at.isoformat(),
            "places": plan.places,
            "left": max(0, plan.places - taken.get(slot.starts_at, 0)),
        }
        for slot in slots
    ]


def plan_of(context: Context, hall: LiveHall, service_id: str) -> tuple[HallSetup, ServiceSetup, SlotPlan]:
    """How the service gives appointments. Raises UnknownService, NoSlots, HallUnreachable."""
    setup = context.live.queue_of(hall).setup
    if setup is None:
        raise HallUnreachable(hall=hall.hall)
    service = setup.service(service_id)
    if service is None:
        raise UnknownService(service=service_id)
    if service.appointments is None:
        raise NoSlots(service=service_id)
    return setup, service, service.appointments


def open_slot(
    context: Context, hall: LiveHall, service_id: str, starts_at: datetime
) -> tuple[Slot, SlotPlan]:
    """The slot that begins then, when it can be booked now. Raises what `plan_of` raises."""
    setup, service, plan = plan_of(context, hall, service_id)
    local = starts_at.astimezone(ZoneInfo(setup.tz))
    now = local_time(context.live.queue_of(hall), context.clock.now())
    for slot in slots_of_day(context, hall, service, plan, local.date()):
        if slot.starts_at == local and bookable(plan, slot, now):
            return slot, plan
    raise NoSlots(service=service_id)


def plan_or_default(context: Context, hall: LiveHall, service_id: str) -> SlotPlan:
    """How the service gives appointments, the usual way when it gives none any more."""
    setup = context.live.queue_of(hall).setup
    service = setup.service(service_id) if setup else None
    return (service.appointments if service else None) or SlotPlan()


def slots_of_day(
    context: Context, hall: LiveHall, service: ServiceSetup, plan: SlotPlan, day: date
) -> list[Slot]:
    """All slots of a day, whether they can be booked now or not."""
    queue = context.live.queue_of(hall)
    zone = ZoneInfo(queue.setup.tz if queue.setup else "UTC")
    return slots_on(plan, day, zone, service_minutes(queue, service, day))
